"""The labelled card of a duel, 1200 by 630 pixels, as previews and slides want it: both pictures, request, verdicts.

    entries = [Entry("DDPM", picture, "Both drawn, nothing else", "20 passes, 0.31 s", good=True), ...]
    card(request, entries, link="https://...").save("duel.png")

Drawn with Pillow alone and its built-in typeface, so that every machine draws the same card.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from clevr_demo.objects import OBJECTS, SHAPES
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.wording import SAMPLER_NAMES, many

SIZE = (1200, 630)
PICTURE = 384
"""Side of an enlarged picture: six card pixels to one of the model's."""
MARGIN, GAP, TOP = 48, 24, 100
PAPER, INK, QUIET, LINE = "#ffffff", "#111827", "#4b5563", "#d1d5db"
GOOD, BAD = "#15803d", "#b91c1c"
SHADES = {
    "gray": "#7b7b7b", "red": "#c32c2c", "blue": "#2f55e0", "green": "#1f8a2b",
    "brown": "#8a5423", "purple": "#8b2fc0", "cyan": "#22b8c0", "yellow": "#efc81a",
}  # fmt: skip
MOST_OBJECTS = 7
"""The most objects that the card lists by name; the others are counted."""
FINE = 4
"""Icons are drawn this many times as large and then reduced, for smooth edges."""


@dataclass(frozen=True)
class Entry:
    """One model's picture with its caption; `good` colours the verdict."""

    title: str
    picture: Image.Image
    sentence: str
    cost: str
    good: bool


@cache
def typeface(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own typeface at a size in pixels."""
    return ImageFont.load_default(size)


def fitting(word: str, size: float, width: int) -> int:
    """How many of a word's letters, at least one, fit the width."""
    face = typeface(size)
    return max(1, bisect(range(1, len(word)), width, key=lambda count: int(face.getlength(word[:count]))))


def wrapped(text: str, size: float, width: int, most: int) -> list[str]:
    """The text in at most `most` lines of at most `width` pixels; what does not fit ends in an ellipsis.

    Lines break at blanks; a word longer than a line, as a link is, breaks anywhere.
    """
    face, lines, line = typeface(size), list[str](), ""
    for word in text.split():
        trial = f"{line} {word}".strip()
        if face.getlength(trial) <= width:
            line = trial
            continue
        if line:
            lines.append(line)
        while face.getlength(word) > width:
            cut = fitting(word, size, width)
            lines.append(word[:cut])
            word = word[cut:]
        line = word
    lines.append(line)
    if len(lines) > most:
        last = lines[most - 1]
        while last and face.getlength(f"{last.rstrip()}…") > width:
            last = last[:-1]
        lines = [*lines[: most - 1], f"{last.rstrip()}…"]
    return lines


def write(
    pen: ImageDraw.ImageDraw, left: int, top: int, lines: Sequence[str], colour: str, size: int, step: int
) -> None:
    """Lines of a text, so many pixels from one to the next."""
    for number, line in enumerate(lines):
        pen.text((left, top + step * number), line, colour, typeface(size))


def _shade(colour: str, towards: str, share: float) -> tuple[int, int, int]:
    mixed = Image.blend(Image.new("RGB", (1, 1), colour), Image.new("RGB", (1, 1), towards), share)
    pixel = mixed.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel[0], pixel[1], pixel[2]


def icon(name: str, size: int) -> Image.Image:
    """A small drawing of an object such as "red cube", as the picker shows it, on paper white.

    Raises:
        ValueError: names a shape that the vocabulary lacks.
    """
    colour, form = name.split()
    base, light, dark = SHADES[colour], _shade(SHADES[colour], "white", 0.4), _shade(SHADES[colour], "black", 0.24)
    image = Image.new("RGB", (32 * FINE, 32 * FINE), PAPER)
    pen = ImageDraw.Draw(image)

    def at(*points: float) -> list[float]:
        return [FINE * point for point in points]

    if form == "cube":
        pen.polygon(at(16, 4, 27, 9.5, 16, 15, 5, 9.5), fill=light)
        pen.polygon(at(5, 9.5, 16, 15, 16, 28, 5, 22.5), fill=base)
        pen.polygon(at(27, 9.5, 16, 15, 16, 28, 27, 22.5), fill=dark)
    elif form == "sphere":
        pen.ellipse(at(4.5, 4.5, 27.5, 27.5), fill=dark)
        pen.ellipse(at(4.5, 4.5, 24.5, 24.5), fill=base)
        pen.ellipse(at(8, 7, 15, 13), fill=light)
    elif form == "cylinder":
        pen.ellipse(at(6, 19, 26, 28), fill=base)
        pen.rectangle(at(6, 8.5, 26, 23.5), fill=base)
        pen.rectangle(at(19, 8.5, 26, 23.5), fill=dark)
        pen.chord(at(6, 19, 26, 28), 0, 66, fill=dark)
        pen.ellipse(at(6, 4, 26, 13), fill=light)
    else:
        raise ValueError(f"there is no icon of a {form}; choose one of {', '.join(SHAPES)}")
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _picture(canvas: Image.Image, pen: ImageDraw.ImageDraw, left: int, entry: Entry) -> None:
    """One enlarged picture with its name and cost above the verdict."""
    large = entry.picture.convert("RGB").resize((PICTURE, PICTURE), Image.Resampling.NEAREST)
    canvas.paste(large, (left, TOP))
    pen.rectangle((left - 1, TOP - 1, left + PICTURE, TOP + PICTURE), outline=LINE)
    below = TOP + PICTURE + 10
    pen.text((left, below), entry.title, INK, typeface(25))
    pen.text((left + PICTURE, below + 7), entry.cost, QUIET, typeface(18), anchor="ra")
    write(pen, left, below + 34, wrapped(entry.sentence, 20, PICTURE, 2), GOOD if entry.good else BAD, 20, 24)


def _request(canvas: Image.Image, pen: ImageDraw.ImageDraw, left: int, request: GenerationRequest) -> None:
    """The objects that were asked for, and the numbers that decide the noise."""
    pen.text((left, TOP - 4), "Asked for", QUIET, typeface(20))
    names = [OBJECTS[index] for index in request.objects]
    listed = names if len(names) <= MOST_OBJECTS else names[: MOST_OBJECTS - 1]
    y = TOP + 30
    for name in listed:
        canvas.paste(icon(name, 34), (left, y))
        pen.text((left + 44, y + 17), name, INK, typeface(23), anchor="lm")
        y += 42
    if len(names) > len(listed):
        pen.text((left, y + 17), f"and {len(names) - len(listed)} more", INK, typeface(23), anchor="lm")
        y += 42
    numbers = (f"seed {request.seed}", many(request.steps, "step"), SAMPLER_NAMES[request.sampler])
    write(pen, left, y + 14, numbers, QUIET, 20, 26)


def card(request: GenerationRequest, entries: Sequence[Entry], link: str) -> Image.Image:
    """The card: two entries side by side, the request beside them, the link below."""
    canvas = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(canvas)
    pen.text((MARGIN, 32), "CLEVR duel", INK, typeface(38), stroke_width=0.5, stroke_fill=INK)
    pen.text((MARGIN + 2 * PICTURE + GAP, 54), "one request, two models, one judge", QUIET, typeface(21), anchor="ra")
    for number, entry in enumerate(entries):
        _picture(canvas, pen, MARGIN + number * (PICTURE + GAP), entry)
    _request(canvas, pen, MARGIN + 2 * PICTURE + GAP + 40, request)
    pen.line((MARGIN, SIZE[1] - 50, SIZE[0] - MARGIN, SIZE[1] - 50), LINE)
    write(pen, MARGIN, SIZE[1] - 43, wrapped(link, 15, SIZE[0] - 2 * MARGIN, 2), QUIET, 15, 18)
    return canvas
