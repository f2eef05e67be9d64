"""Made scenes: bright squares that the tests of the data know the places of."""

from __future__ import annotations

import torch

from train.data.iclevr import Pictures

GRAY = 100
MIDDLE = (27, 31)
PLACES = [[MIDDLE, (18 + scene % 3, 10 + scene // 2), (44, 52 - scene // 2)] for scene in range(12)]
NAMES = [[scene, (scene + 7) % 24, (scene + 14) % 24] for scene in range(12)]


def scenes(places: list[list[tuple[int, int]]], objects: list[list[int]]) -> Pictures:
    """Scenes of ever more objects, each a bright square of 9x9 pixels around its place, in light that varies."""
    pixels, labels, numbers = [], [], []
    for scene, (centres, names) in enumerate(zip(places, objects, strict=True)):
        picture = torch.full((3, 64, 64), GRAY + 2 * scene, dtype=torch.uint8)
        picture[:, :6, :12] = 160 if scene % 2 else GRAY  # a patch of light far from the middle
        label = torch.zeros(24)
        for (row, column), name in zip(centres, names, strict=True):
            picture = picture.clone()
            picture[name % 3, row - 4 : row + 5, column - 4 : column + 5] = 250
            label = label.clone()
            label[name] = 1
            pixels.append(picture)
            labels.append(label)
            numbers.append(scene)
    return Pictures(torch.stack(pixels), torch.stack(labels), torch.tensor(numbers))


def squares() -> Pictures:
    """Twelve scenes of up to three squares, every object among them."""
    return scenes(PLACES, NAMES)
