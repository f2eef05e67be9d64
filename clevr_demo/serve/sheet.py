"""A table of pictures as one picture to keep or to show: heads, verdicts, legend and the link that draws it again."""

from __future__ import annotations

from PIL import Image, ImageDraw

from clevr_demo.pictures import png
from clevr_demo.serve.card import BAD, GOOD, INK, MARGIN, PAPER, QUIET, wrapped, write
from clevr_demo.serve.table import Table, TableCell

CELL, GAP, BELOW = 128, 14, 22
"""Side of a picture, two sheet pixels to one of the model's; the gap between pictures; the line below each."""
HEAD = 150
"""Width of the rows' heads."""
LEAST_WIDTH = 620
SMALL, STEP = 15, 19
"""Of most words: their size, and from one line to the next."""


def _place(canvas: Image.Image, pen: ImageDraw.ImageDraw, left: int, top: int, picture: TableCell | None) -> None:
    """One picture with its verdict, or an empty frame."""
    if picture is None:
        pen.rectangle((left, top, left + CELL - 1, top + CELL - 1), outline="#d1d5db")
        return
    image = Image.fromarray(picture.pixels)
    canvas.paste(image.resize((CELL, CELL), Image.Resampling.NEAREST), (left, top))
    colour = QUIET if picture.verdict is None else GOOD if picture.exact else BAD
    write(pen, left, top + CELL + 2, wrapped(picture.below, SMALL, CELL, 1), colour, SMALL, STEP)


def sheet(table: Table, link: str) -> Image.Image:
    """The whole table, as wide and as high as it needs."""
    columns, rows = len(table.columns), len(table.rows)
    width = max(LEAST_WIDTH, 2 * MARGIN + HEAD + columns * (CELL + GAP))
    inside = width - 2 * MARGIN
    title, links = wrapped(table.title, 22, inside, 3), wrapped(link, SMALL, inside, 4)
    heads = [wrapped(name, SMALL, CELL, 3) for name in table.columns]
    feet = [wrapped(text, SMALL, CELL, 3) for text in table.foot]
    legend = [f"{name}: {meaning}" for name, meaning in table.legend]
    notes = [line for text in [*table.told, *legend] for line in wrapped(text, SMALL, inside, 3)]
    top = MARGIN + 30 * len(title) + 8
    first = top + STEP * max(map(len, heads)) + 6
    below = first + rows * (CELL + BELOW + 6) + (STEP * max(map(len, feet)) + 8 if feet else 0) + 8
    canvas = Image.new("RGB", (width, below + STEP * (len(notes) + len(links)) + 10 + MARGIN), PAPER)
    pen = ImageDraw.Draw(canvas)

    def lines(left: int, start: int, texts: list[str], colour: str = QUIET) -> None:
        write(pen, left, start, texts, colour, SMALL, STEP)

    def across(column: int) -> int:
        return MARGIN + HEAD + column * (CELL + GAP)

    write(pen, MARGIN, MARGIN, title, INK, 22, 30)
    for column, texts in enumerate(heads):
        lines(across(column), top, texts)
    for row, name in enumerate(table.rows):
        down = first + row * (CELL + BELOW + 6)
        lines(MARGIN, down + 4, wrapped(name, SMALL, HEAD - GAP, 6))
        for column in range(columns):
            _place(canvas, pen, across(column), down, table.pictures.get(row * columns + column))
    for column, texts in enumerate(feet):
        lines(across(column), first + rows * (CELL + BELOW + 6) + 4, texts, INK)
    lines(MARGIN, below, notes)
    lines(MARGIN, below + STEP * len(notes) + 10, links)
    return canvas


def sheet_png(table: Table, home: str) -> bytes:
    """The sheet as a PNG that knows its query, so that it can be dropped on the page."""
    return png(sheet(table, f"{home}?{table.query}"), table.query)
