"""What went wrong in a picture, by its record, and which pictures are the worst of all."""

from __future__ import annotations

from collections.abc import Iterable

from clevr_demo.judge.detector import Found
from clevr_demo.judge.evaluator import MAX_JUDGED, Verdict
from clevr_demo.objects import OBJECTS
from clevr_demo.records import Record


def faults(row: Record) -> int:
    """How many objects are missing or too many."""
    return len(row.missing) + len(row.extra) + len(row.doubled)


def sentence(row: Record) -> str:
    """The judge's sentence on the picture: "2 of 3 drawn: red cube missing, also blue cube"."""
    there = [index for index in row.objects if index not in row.missing] + [*row.extra, *row.doubled]
    found = tuple(Found(OBJECTS[index], 0.0, 0.0, 0.0) for index in there)  # a record holds no places of what is found
    return Verdict({}, tuple(OBJECTS[index] for index in row.objects), found).sentence


def worst(rows: Iterable[Record]) -> list[Record]:
    """Of every set the picture with the most faults, in the order of the rows' sets; of equally bad ones that of the
    fewest objects. Of more objects than the judge learned with, it may miss some that are there: those are left out.
    """
    found: dict[str, Record] = {}
    for row in rows:
        if row.exact or len(row.objects) > MAX_JUDGED:
            continue
        held = found.get(row.prompts)
        if held is None or _badness(row) < _badness(held):
            found[row.prompts] = row
    return list(found.values())


def _badness(row: Record) -> tuple[object, ...]:
    return -faults(row), len(row.objects), row.key
