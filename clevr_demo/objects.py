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
import itertools
import math
import numbers
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any

import torch

COLOURS = ("gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow")
SHAPES = ("cube", "sphere", "cylinder")
OBJECTS = tuple(f"{colour} {shape}" for shape in SHAPES for colour in COLOURS)
ATTRIBUTES = len(COLOURS) + len(SHAPES)  # planes of an attribute map: the colours, then the shapes
INDEX = {name: index for index, name in enumerate(OBJECTS)}

MAX_TRAINED = 3
"""The most objects that one training picture holds; more can be asked for, but lies beyond the training data."""
NEAR = 0.75
"""How alike, of 1, a name must be to an object's for us to suggest it."""
MOST_LABELS = 1000
"""The most entries that are read of a set of objects, the same one named again included."""
MOST_TEXT = 4096
"""The most characters that are read of a text that names objects."""


class InputError(ValueError):
    """A request that cannot be drawn. `field` names the input at fault, for a message beside its control."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


_shortener = reprlib.Repr()
_shortener.maxstring = _shortener.maxother = _shortener.maxlong = 80
_shortener.maxlevel = 3


def shown(value: Any) -> str:
    """The value as it stands in an error: its repr, at most 100 characters of it, whatever the value is."""
    try:
        text = _shortener.repr(value[:MOST_TEXT] if isinstance(value, (str, bytes)) else value)
    except Exception:  # an integer of over 4,300 digits, or a repr that fails
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 100 else f"{text[:60]}...{text[-37:]}"


def slug(index: int) -> str:
    """The object's name as it stands in a link: "red-cube"."""
    return OBJECTS[index].replace(" ", "-")


def plain(value: Any) -> Any:
    """A NumPy or tensor scalar as Python's own number; anything else as it is."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    return value


def index_of(label: Any) -> int:
    """Index of one object, given by name (any case, blank, "-" or "_" between the words) or by index.

    Raises:
        InputError: for anything else; the message names the culprit and a valid name that is near, if there is one.
    """
    if isinstance(label, str):
        name = " ".join(label[:MOST_TEXT].lower().replace("-", " ").replace("_", " ").split())
        if name in INDEX:
            return INDEX[name]
        # Names far longer than any object's have no near one, and the search takes time with their length.
        near = difflib.get_close_matches(name, OBJECTS, n=1, cutoff=NEAR) if len(name) <= 40 else []
        raise InputError("objects", f"unknown object {shown(label)}" + (f"; did you mean {near[0]!r}?" if near else ""))
    if isinstance(label, numbers.Integral) and not isinstance(label, bool):
        if 0 <= int(label) < len(OBJECTS):
            return int(label)
        last = len(OBJECTS) - 1
        raise InputError("objects", f"object index {shown(label)} is out of range; valid indices are 0 to {last}")
    kind = type(label).__name__
    raise InputError("objects", f"an object is a name or an index, not {shown(label)} ({kind}); e.g. {OBJECTS[1]!r}")


def entries(labels: Any) -> list[Any]:
    """The entries of a set of objects in any of its forms, bounded: endless and giant ones are an InputError."""
    if isinstance(labels, str):
        if len(labels) > MOST_TEXT:
            raise InputError("objects", f"the text is {len(labels)} characters long; at most {MOST_TEXT} are read")
        return [part for part in labels.split(",") if part.strip()]
    if isinstance(labels, (bytes, bytearray, Mapping)):
        raise InputError("objects", f"objects must be a list of names or indices, not {shown(labels)}")
    try:
        if hasattr(labels, "tolist"):
            labels = labels.tolist() if math.prod(labels.shape) <= MOST_LABELS else range(math.prod(labels.shape))
        found = [plain(label) for label in itertools.islice(labels, MOST_LABELS + 1)]
    except Exception as error:  # no iterable, or one that fails while it is read
        raise InputError("objects", f"objects must be a list of names or indices, not {shown(labels)}") from error
    if len(found) > MOST_LABELS:
        raise InputError("objects", f"more than {MOST_LABELS} objects are listed; there are {len(OBJECTS)}")
    return found


def parse(labels: Any) -> tuple[int, ...]:
    """Indices of a set of objects, ascending, duplicates merged.

    Args:
        labels: names ("red cube"), indices, a comma-separated string, or a 24-long multi-hot list, array or tensor.

    Raises:
        InputError: if empty or if anything in it is no object; the message names the culprit. No more than
            `MOST_LABELS` entries or `MOST_TEXT` characters are read.
    """
    listed = entries(labels)
    if len(listed) == len(OBJECTS) and all(isinstance(v, numbers.Real) and v in (0, 1) for v in listed):
        found = {index for index, value in enumerate(listed) if value}
    else:
        found = {index_of(label) for label in listed}
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
