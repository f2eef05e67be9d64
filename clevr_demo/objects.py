"""The vocabulary: 24 objects, eight colours by three shapes, in the index order of i-CLEVR's objects.json.

    >>> parse(["Red-Cube", 10])
    (1, 10)
    >>> OBJECTS[1], slug(1)
    ('red cube', 'red-cube')

Two encodings of a set of objects feed the networks: `multi_hot`, a one at the place of every object, and
`index_valued`, the object's index plus one at its place.
"""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Iterable
from typing import Any

import torch

COLOURS = ("gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow")
SHAPES = ("cube", "sphere", "cylinder")
OBJECTS = tuple(f"{colour} {shape}" for shape in SHAPES for colour in COLOURS)
ATTRIBUTES = len(COLOURS) + len(SHAPES)  # planes of an attribute map: the colours, then the shapes
INDEX = {name: index for index, name in enumerate(OBJECTS)}

MAX_TRAINED = 3
"""The most objects that one training picture holds; more can be asked for, but lies beyond the training data."""


class InputError(ValueError):
    """A request that cannot be drawn. `field` names the input at fault, for a message beside its control."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def slug(index: int) -> str:
    """The object's name as it stands in a link: "red-cube"."""
    return OBJECTS[index].replace(" ", "-")


def index_of(label: Any) -> int:
    """Index of one object, given by name (any case, blank, "-" or "_" between the words) or by index.

    Raises:
        InputError: for anything else; the message names the culprit and, for a name, the nearest valid one.
    """
    if isinstance(label, str):
        name = " ".join(label.lower().replace("-", " ").replace("_", " ").split())
        if name in INDEX:
            return INDEX[name]
        nearest = difflib.get_close_matches(name, OBJECTS, n=1, cutoff=0)[0]
        raise InputError("objects", f"unknown object {label!r}; did you mean {nearest!r}?")
    if isinstance(label, numbers.Integral) and not isinstance(label, bool):
        if 0 <= int(label) < len(OBJECTS):
            return int(label)
        raise InputError("objects", f"object index {label} is out of range; valid indices are 0 to {len(OBJECTS) - 1}")
    raise InputError(
        "objects", f"an object is a name or an index, not {label!r} ({type(label).__name__}); e.g. {OBJECTS[1]!r}"
    )


def parse(labels: Any) -> tuple[int, ...]:
    """Indices of a set of objects, ascending, duplicates merged.

    Args:
        labels: names ("red cube"), indices, a comma-separated string, or a 24-long multi-hot list, array or tensor.

    Raises:
        InputError: if empty or if anything in it is no object; the message names the culprit.
    """
    if isinstance(labels, str):
        labels = [part for part in labels.split(",") if part.strip()]
    elif hasattr(labels, "tolist"):
        labels = labels.tolist()
    if isinstance(labels, dict) or not isinstance(labels, Iterable):
        raise InputError("objects", f"objects must be a list of names or indices, not {labels!r}")
    labels = list(labels)
    if len(labels) == len(OBJECTS) and all(isinstance(v, (bool, numbers.Real)) and v in (0, 1) for v in labels):
        found = {index for index, value in enumerate(labels) if value}
    else:
        found = {index_of(label) for label in labels}
    if not found:
        raise InputError("objects", f"no object was asked for; name at least one, e.g. {OBJECTS[1]!r}")
    return tuple(sorted(found))


def decode(multi_hot_vector: Iterable[float]) -> list[str]:
    """Names of the objects whose entry in a 24-long vector is above 0.5."""
    return [name for name, value in zip(OBJECTS, multi_hot_vector, strict=True) if value > 0.5]


def multi_hot(label_sets: Iterable[Iterable[int]]) -> torch.Tensor:
    """(N, 24) float32: a one at the index of every object (the report's `label_vector_class`)."""
    sets = [list(indices) for indices in label_sets]
    vectors = torch.zeros(len(sets), len(OBJECTS))
    for row, indices in enumerate(sets):
        vectors[row, indices] = 1.0
    return vectors


def index_valued(vectors: torch.Tensor) -> torch.Tensor:
    """(N, 24) multi-hot to (N, 24) float32 with `index + 1` in place of every one (the report's other encoding)."""
    return vectors * torch.arange(1, len(OBJECTS) + 1, dtype=vectors.dtype, device=vectors.device)


ENCODINGS = {"multi-hot": lambda vectors: vectors, "index": index_valued}
