"""Where objects stand: the places of one picture, and attribute maps of places for the networks.

Both models decide the places first and draw then. Places are what the first stage makes; an attribute map is a soft
spot for each object on the plane of its colour and on the plane of its shape, and all that the second stage is told.
"""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from clevr_demo.objects import ATTRIBUTES, COLOURS, MOST_LABELS, OBJECTS, SHAPES, InputError, index_of, plain, shown

SIZE = 64
SPOT = 3.5  # standard deviation of a spot in pixels, about half an object
NEAREST = 8.5
"""Pixels between two objects: one in two hundred of the training scenes, at most, has a pair that is nearer, by
`train.data.lifting.true_layout`."""
GROUND = ((13.0, 31.0), (28.5, 59.0), (53.0, 26.5), (28.0, 5.0))
"""Corners, row and column, of the ground that 99 % of the centres in the training pictures stand on; by
`train.data.layout.find_layout`."""
MIDDLE = (28.0, 31.5)
"""Row and column where every training picture has an object, within 2 pixels; others stand 7.8 or more off."""
T = TypeVar("T")
Given = Mapping[int, tuple[float, float]]
"""Row and column in pixels of the objects, by index, whose places are given."""


@dataclass(frozen=True)
class Places:
    """Where a model means each object of a picture to stand: `objects` are indices, ascending, `centres` their
    (row, column) in pixels, in the same order. `given` are those of the objects whose places the request gives; the
    model chose the others'."""

    objects: tuple[int, ...] = ()
    centres: tuple[tuple[float, float], ...] = ()
    given: tuple[int, ...] = ()

    @classmethod
    def of(cls, objects: Sequence[int], centres: torch.Tensor, given: Given | None = None) -> Places:
        """From centres (K, 2) of the K objects; those whose places are given stand there."""
        found = dict(zip(objects, ((float(row), float(column)) for row, column in centres.tolist()), strict=True))
        return cls(tuple(objects), tuple((found | dict(given or {})).values()), tuple(given or ()))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(OBJECTS[index] for index in self.objects)

    @property
    def _given(self) -> list[tuple[str, tuple[float, float]]]:
        found = zip(self.objects, self.names, self.centres, strict=True)
        return [(name, centre) for index, name, centre in found if index in self.given]

    @property
    def near(self) -> tuple[str, ...]:
        """Names of given ones that stand nearer to another given one than `NEAREST`."""
        near = [
            {one, other}
            for (one, here), (other, there) in itertools.combinations(self._given, 2)
            if math.dist(here, there) < NEAREST
        ]
        return tuple(name for name, _ in self._given if name in set().union(*near))

    @property
    def beyond(self) -> tuple[str, ...]:
        """Names of given ones that stand where the training pictures have no object."""
        return tuple(name for name, centre in self._given if not on_ground(torch.tensor(centre)))


def _centre(name: str, place: Any) -> tuple[float, float]:
    """A row and a column within the picture, in half pixels."""
    try:
        pair = [plain(value) for value in itertools.islice(place, 3)]
    except Exception:  # no iterable, or one that fails while it is read
        pair = []
    real: list[Any] = [one for one in pair if isinstance(one, numbers.Real) and not isinstance(one, bool)]
    if len(pair) != 2 or len(real) != 2 or any(value != value for value in real):
        raise InputError("places", f"the place of the {name} must be two numbers, row and column, not {shown(place)}")
    if not all(0 <= value <= SIZE - 1 for value in real):
        told = f"rows and columns are 0 to {SIZE - 1}, not {shown(place)}"
        raise InputError("places", f"the place of the {name} lies outside the picture: {told}")
    row, column = (round(2 * float(value)) / 2 for value in real)
    return row, column


def given_places(value: Any, objects: Collection[int]) -> tuple[tuple[int, float, float], ...]:
    """Checked places: object's index, row and column in half pixels, ascending by index.

    Args:
        value: a mapping of objects, by name or index, to (row, column) in pixels; None or an empty one for none.
        objects: indices of those that are asked for.

    Raises:
        InputError: whose field is "places"; the message names the culprit.
    """
    if value is None or (isinstance(value, (tuple, list)) and not value):
        return ()
    try:
        entries = list(itertools.islice(value.items(), MOST_LABELS))
    except Exception as error:  # no mapping, or one that fails while it is read
        told = f"places must be given as {{object: (row, column)}}, not {shown(value)}"
        raise InputError("places", told) from error
    found: dict[int, tuple[float, float]] = {}
    for label, place in entries:
        try:
            index = index_of(plain(label))
        except InputError as error:
            raise InputError("places", str(error)) from None
        name = OBJECTS[index]
        if index not in objects:
            raise InputError("places", f"the {name} has a place but is not among the objects that are asked for")
        if index in found:
            raise InputError("places", f"the {name} has two places")
        found[index] = _centre(name, place)
    return tuple((index, *found[index]) for index in sorted(found))


def on_ground(centres: torch.Tensor) -> torch.Tensor:
    """(...) whether centres (..., 2) lie on the ground that the data's objects cover, a square seen from above one of
    its corners."""
    within = torch.ones(centres.shape[:-1], dtype=torch.bool)
    for (row, column), (next_row, next_column) in zip(GROUND, GROUND[1:] + GROUND[:1], strict=True):
        down, across = centres[..., 0] - row, centres[..., 1] - column
        within &= (next_column - column) * down - (next_row - row) * across >= 0
    return within


def room(centres: torch.Tensor, fixed: torch.Tensor) -> float:
    """Pixels between the nearest two of centres (K, 2) that are not both `fixed` (K,); inf where there are no two."""
    between = (centres.unsqueeze(0) - centres.unsqueeze(1)).norm(dim=-1)
    pairs = torch.ones_like(between, dtype=torch.bool).triu(1) & ~(fixed.unsqueeze(0) & fixed.unsqueeze(1))
    return float(between[pairs].min()) if pairs.any() else math.inf


def giving_way(tries: Iterable[tuple[torch.Tensor, T]], fixed: torch.Tensor) -> T:
    """What comes with the first of the tries, centres (K, 2), in which the chosen objects, those that are not `fixed`
    (K,), keep `NEAREST` pixels off every other; where none does, with the one that has the most room."""
    most, best = -1.0, None
    for centres, found in tries:
        if (here := room(centres, fixed)) > most:
            most, best = here, found
        if most >= NEAREST:
            break
    assert best is not None
    return best


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


def ground(
    bare: torch.Tensor, usual: torch.Tensor, centres: torch.Tensor, labels: torch.Tensor, near: float
) -> torch.Tensor:
    """(N, 3, 64, 64) the ground that a painter draws on: what is `usual` (3, 64, 64) in the training pictures, with
    its trace of an object in the middle, where one of the objects that labels (N, 24) tick, at centres (N, 24, 2) in
    pixels, stands within `near` pixels of it, and else the `bare` scene (3, 64, 64)."""
    away = (centres - centres.new_tensor(MIDDLE)).square().sum(dim=2).sqrt()
    filled = ((away <= near) * labels).amax(dim=1)[:, None, None, None]
    return filled * usual + (1 - filled) * bare


def attribute_maps(centres: torch.Tensor, labels: torch.Tensor, side: int) -> torch.Tensor:
    """Maps (N, 11, side, side) in [-1, 1], eight colours and then three shapes: 1 at an object's centre, -1 far off.

    `centres` (N, 24, 2) are row and column in pixels of the picture, of the objects that `labels` (N, 24) tick.
    """
    return maps_of(spots(centres, labels, side))
