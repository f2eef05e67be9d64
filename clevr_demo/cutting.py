"""Cuts pictures out of foreign grids: torchvision's `make_grid`, other paddings and columns, enlarged, or framed.

    cells(Image.open("grid.png"))                 # the grid's pictures, row by row, 64x64 each
    cells(image, expected=32)                     # helps where a grid without gaps could be cut in several ways

A grid's gaps are lines of one colour from edge to edge, which no picture of a scene has. Where there are none, the
picture is one scene, or scenes of 64 pixels edge to edge.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
from PIL import Image

from clevr_demo.objects import InputError
from clevr_demo.places import SIZE

ALIKE = 14  # levels of 255 that a line of one colour may stray: JPEG's ripples
SMALLEST, LARGEST = 24, 1024  # pixels a side of a picture in a grid
MOST_PIXELS = 2**24  # of a picture: 2,048 scenes of 64x64 with room between them are half of it
MOST_STRAY = 0.02  # of a line's pixels that may have another colour
FRAME = 40  # levels from black or white that a frame around a single picture may have
SLACK = 2  # pixels in which the sides of one grid's pictures may differ, for a screenshot's rounding


def plain_lines(levels: np.ndarray, colour: np.ndarray, axis: int) -> np.ndarray:
    """Which columns (axis 0) or rows (axis 1) of levels (H, W, 3) have one colour from edge to edge."""
    apart = np.abs(levels.astype(np.int16) - colour.astype(np.int16)).max(axis=2)
    return (apart > ALIKE).mean(axis=axis) <= MOST_STRAY


def spans(plain: np.ndarray) -> list[tuple[int, int]]:
    """[(first, behind the last)] of the stretches between plain lines."""
    found, at = [], 0
    for is_plain, lines in groupby(plain):
        length = len(list(lines))
        if not is_plain:
            found.append((at, at + length))
        at += length
    return found


def of_one_size(found: list[tuple[int, int]]) -> bool:
    sides = [stop - start for start, stop in found]
    return bool(sides) and max(sides) - min(sides) <= SLACK and min(sides) >= SMALLEST and max(sides) <= LARGEST


def by_gaps(levels: np.ndarray) -> list[np.ndarray] | None:
    """The cells (H', W', 3) between gaps of the colour in the upper left corner, or None where there is no such grid.
    Empty cells are left out."""
    colour = levels[0, 0]
    across, down = (spans(plain_lines(levels, colour, axis)) for axis in (0, 1))
    if not (of_one_size(across) and of_one_size(down)):
        return None
    if abs((across[0][1] - across[0][0]) - (down[0][1] - down[0][0])) > SLACK:
        return None
    if len(across) == len(down) == 1 and levels.shape[0] == levels.shape[1] and FRAME < colour.mean() < 255 - FRAME:
        return None  # no frame, but a scene's own ground
    found = [levels[top:bottom, left:right] for top, bottom in down for left, right in across]
    return [cell for cell in found if not plain_lines(cell, cell[0, 0], 0).all()]


def by_size(levels: np.ndarray, expected: int | None) -> list[np.ndarray] | None:
    """The cells of a grid without gaps: 64 pixels a side, or whatever makes as many squares as are expected."""
    height, width = levels.shape[:2]
    if height == width and expected in (None, 1):
        return [levels]
    sides = [SIZE]
    if expected is not None:
        sides += [side for side in range(LARGEST, SMALLEST - 1, -1) if (height // side) * (width // side) == expected]
    for side in sides:
        rows, columns = height // side, width // side
        if height % side == width % side == 0 and expected in (None, rows * columns):
            return [
                levels[row * side : (row + 1) * side, column * side : (column + 1) * side]
                for row in range(rows)
                for column in range(columns)
            ]
    return None


def cells(image: Image.Image, expected: int | None = None) -> list[Image.Image]:
    """The pictures of a grid, or the one that it is, row by row and 64x64 each; RGBA is laid on white.

    Raises:
        InputError: it can't be cut into square pictures.
    """
    width, height = image.size
    if width * height > MOST_PIXELS:
        most = f"at most {MOST_PIXELS // 10**6} million are read"
        raise InputError("pictures", f"the picture has {width}x{height} pixels; {most}")
    if min(width, height) < SMALLEST:
        raise InputError("pictures", f"the picture has {width}x{height} pixels; scenes have {SIZE}x{SIZE}")
    if "A" in image.getbands() or "transparency" in image.info:
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        image = opaque
    levels = np.asarray(image.convert("RGB"))
    found = by_gaps(levels) or by_size(levels, expected)
    if not found:
        raise InputError(
            "pictures", f"the picture has {width}x{height} pixels and no grid of square pictures was found"
        )
    return [as_scene(cell) for cell in found]


def as_scene(cell: np.ndarray) -> Image.Image:
    """A cell (H, W, 3) as 64x64 pixels: enlarged ones are averaged back."""
    picture = Image.fromarray(cell)
    if picture.size == (SIZE, SIZE):
        return picture
    return picture.resize((SIZE, SIZE), Image.Resampling.BOX if min(picture.size) > SIZE else Image.Resampling.BICUBIC)
