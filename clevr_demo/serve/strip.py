"""A timeline as one labelled picture: what the model was given at each step above what it took to be under the noise,
and beside it the picture of the other contender.

    film = [Shot(step=1, noisy=image, clear=image), ...]
    strip(request, "DDPM", film, {"ACGAN": image}).save("strip.png")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from clevr_demo.request import GenerationRequest
from clevr_demo.serve.card import INK, PAPER, QUIET, wrapped, write
from clevr_demo.serve.wording import asked

EDGE, GAP, APART = 12, 2, 20
"""Around everything, between two pictures, and before the other contender's."""
HEAD = 76
"""Width of the rows' names."""
SMALL, LINE = 13, 18
ROWS = ("noisy", "estimate")


@dataclass(frozen=True)
class Shot:
    """A step, from 1, and its two pictures of one size."""

    step: int
    noisy: Image.Image
    clear: Image.Image


def strip(
    request: GenerationRequest, title: str, film: Sequence[Shot], others: Mapping[str, Image.Image]
) -> Image.Image:
    """The strip of a request's first picture, every pixel as it was drawn; `others` are pictures by who drew them."""
    side = film[0].clear.width + GAP
    beside = EDGE + HEAD + len(film) * side + APART
    width = beside + len(others) * side + EDGE
    words = wrapped(asked(request), SMALL, width - 2 * EDGE, 8)
    top = EDGE + LINE * (len(words) + 1)
    canvas = Image.new("RGB", (width, top + len(ROWS) * side + EDGE), PAPER)
    pen = ImageDraw.Draw(canvas)

    def label(left: int, down: int, text: str, colour: str = QUIET, room: int = side - GAP) -> None:
        write(pen, left, down, wrapped(text, SMALL, room, 1), colour, SMALL, LINE)

    write(pen, EDGE, EDGE, words, INK, SMALL, LINE)
    label(EDGE, top - LINE, f"{title}, step", INK, HEAD)
    for row, name in enumerate(ROWS):
        label(EDGE, top + row * side + 24, name)
    for column, shot in enumerate(film):
        left = EDGE + HEAD + column * side
        label(left, top - LINE, str(shot.step))
        canvas.paste(shot.noisy, (left, top))
        canvas.paste(shot.clear, (left, top + side))
    for column, (name, picture) in enumerate(others.items()):
        label(beside + column * side, top + side - LINE, name, INK)
        canvas.paste(picture, (beside + column * side, top + side))
    return canvas
