"""What is drawn in place of what was asked for: colours, shapes and numbers, by the records.

The judge says what it finds, not for what it stands: of the objects too many in a picture, extra or doubled, each one
stands for the missing one that it is likest to, in colour or in shape (Kuhn 1955's assignment, by scipy).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache

from clevr_demo.objects import COLOURS, OBJECTS, SHAPES
from clevr_demo.records import Record

NONE = "none"
"""Seen where nothing stands for a missing object."""
KINDS = {"colour": (COLOURS, 0), "shape": (SHAPES, 1)}
"""Each kind's values, and which word of an object's name says its own."""


def valued(kind: str, index: int | None) -> str:
    """An object's colour or shape."""
    return NONE if index is None else OBJECTS[index].split()[KINDS[kind][1]]


@cache
def _stand_ins(missing: tuple[int, ...], spare: tuple[int, ...]) -> tuple[tuple[int, int | None], ...]:
    from scipy.optimize import linear_sum_assignment  # here: a page that only draws does without its 60 MB

    unlike = [[sum(valued(kind, a) != valued(kind, b) for kind in KINDS) for b in spare] for a in missing]
    taken = dict(zip(*linear_sum_assignment(unlike), strict=True)) if missing and spare else {}
    return tuple((index, spare[taken[place]] if place in taken else None) for place, index in enumerate(missing))


def seen_as(row: Record) -> list[tuple[int, int | None]]:
    """(asked for, seen) of every requested object: itself, another, or None where nothing stands for it."""
    found = [index for index in row.objects if index not in row.missing]
    return [*((index, index) for index in found), *_stand_ins(row.missing, (*row.extra, *row.doubled))]


def number_found(row: Record) -> int:
    """How many objects the judge found in a picture."""
    return len(row.objects) - len(row.missing) + len(row.extra) + len(row.doubled)


def counted(kind: str, rows: Iterable[Record]) -> Counter[tuple[str, str]]:
    """How often each value was asked for and seen: (asked, seen) of colours or of shapes."""
    return Counter((valued(kind, asked), valued(kind, seen)) for row in rows for asked, seen in seen_as(row))


def numbers(rows: Iterable[Record]) -> Counter[tuple[int, int]]:
    """How often so many objects were asked for, and so many found."""
    return Counter((len(row.objects), number_found(row)) for row in rows)
