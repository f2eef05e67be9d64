"""Where objects stand: the places of one picture, and attribute maps of places for the networks.

Both models decide the places first and draw then. Places are what the first stage makes; an attribute map is a soft
spot for each object on the plane of its colour and on the plane of its shape, and all that the second stage is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from clevr_demo.objects import ATTRIBUTES, COLOURS, OBJECTS, SHAPES

SIZE = 64
SPOT = 3.5  # standard deviation of a spot in pixels, about half an object


@dataclass(frozen=True)
class Places:
    """Where a model means each object of a picture to stand: `objects` are indices, ascending, `centres` their
    (row, column) in pixels, in the same order."""

    objects: tuple[int, ...] = ()
    centres: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, objects: Sequence[int], centres: torch.Tensor) -> Places:
        """From centres (K, 2) of the K objects."""
        return cls(tuple(objects), tuple((float(row), float(column)) for row, column in centres.tolist()))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(OBJECTS[index] for index in self.objects)


def by_object(places: Iterable[Places]) -> torch.Tensor:
    """(N, 24, 2) centres by the objects' indices, zero for absent ones."""
    rows = list(places)
    centres = torch.zeros(len(rows), len(OBJECTS), 2)
    for row, place in enumerate(rows):
        if place.objects:
            centres[row, list(place.objects)] = torch.tensor(place.centres)
    return centres


def spots(centres: torch.Tensor, labels: torch.Tensor, side: int) -> torch.Tensor:
    """(N, 24, side, side) in [0, 1]: a soft spot around the centre of every object that labels (N, 24) tick.

    `centres` (N, 24, 2) are row and column in pixels of the picture.
    """
    grid = (torch.arange(side, device=centres.device) + 0.5) * (SIZE / side) - 0.5
    distances = grid - centres.unsqueeze(3)  # (N, 24, 2, side)
    rows, columns = (-0.5 * (distances / SPOT).square()).exp().unbind(dim=2)
    return rows.unsqueeze(3) * columns.unsqueeze(2) * labels[..., None, None]


def maps_of(found: torch.Tensor) -> torch.Tensor:
    """Attribute maps (N, 11, H, W) in [-1, 1] of spots (N, 24, H, W)."""
    by_shape = found.unflatten(1, (len(SHAPES), len(COLOURS)))
    planes = torch.cat([by_shape.amax(dim=1), by_shape.amax(dim=2)], dim=1)
    assert planes.shape[1] == ATTRIBUTES
    return 2 * planes - 1


def attribute_maps(centres: torch.Tensor, labels: torch.Tensor, side: int) -> torch.Tensor:
    """Maps (N, 11, side, side) in [-1, 1], eight colours and then three shapes: 1 at an object's centre, -1 far off.

    `centres` (N, 24, 2) are row and column in pixels of the picture, of the objects that `labels` (N, 24) tick.
    """
    return maps_of(spots(centres, labels, side))
