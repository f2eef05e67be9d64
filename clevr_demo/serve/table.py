"""Tables of judged pictures that fill as they are drawn: what the grid and the change of one object show."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clevr_demo.judge.evaluator import Verdict
from clevr_demo.serve.pace import Pace
from clevr_demo.serve.payload import png_base64
from clevr_demo.serve.wording import duration, left, many

TOLD = {"drawing": "Drawing", "done": "Done", "stopped": "Stopped"}
LEGEND = (
    ("exact", "the judge finds every object once and nothing else"),
    ("2 of 3", "so many of the objects are found, others are missing"),
    ("+1", "so many more objects are found than asked for"),
)
"""What the words below the pictures mean."""


def score(verdict: Verdict) -> str:
    """A verdict in as few words as fit below a small picture: "exact", "2 of 3", "3 of 3 +1"."""
    if verdict.exact:
        return "exact"
    wanted = len(verdict.requested)
    more = f" +{len(verdict.extra)}" if verdict.extra else ""
    return f"{wanted - len(verdict.missing)} of {wanted}{more}"


@dataclass(frozen=True)
class TableCell:
    """One cell: (64, 64, 3) uint8 pixels, what they are in words, the query that draws them, and what stands below."""

    pixels: np.ndarray
    words: str
    query: str = ""
    verdict: Verdict | None = None
    note: str = ""

    @property
    def below(self) -> str:
        return score(self.verdict) if self.verdict else self.note

    @property
    def exact(self) -> bool:
        return bool(self.verdict and self.verdict.exact)

    def payload(self) -> dict[str, Any]:
        told = f"{self.words}. {self.verdict.sentence}" if self.verdict else self.words
        return {
            "png": png_base64(self.pixels, self.query),
            "words": told,
            "query": self.query,
            "below": self.below,
            "exact": self.exact,
            "judged": self.verdict is not None,
        }


def mean(verdicts: list[Verdict]) -> str:
    """Several verdicts in one line: "2 of 3 exact"."""
    return f"{sum(verdict.exact for verdict in verdicts)} of {len(verdicts)} exact" if verdicts else ""


@dataclass
class Table:
    """Pictures by their place in reading order, filled in any order.

    `passes` counts the network passes of the whole table, `spent` those that are done: from both and the clock comes
    how long the rest will take; none are told of where nothing is drawn. `wanted` is how many pictures there will be,
    where the last row is not full. `means` asks for a last row with each column's mean. `told` are sentences below.
    """

    title: str
    columns: list[str]
    rows: list[str]
    passes: int = 0
    wanted: int | None = None
    means: bool = False
    query: str = ""
    pictures: dict[int, TableCell] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    state: str = "drawing"
    spent: int = 0
    started: float = field(default_factory=time.monotonic)
    pace: Pace = field(default_factory=Pace)  # in passes

    @property
    def total(self) -> int:
        return self.wanted or len(self.columns) * len(self.rows)

    @property
    def foot(self) -> list[str]:
        """The last row: each column's mean so far."""
        if not self.means:
            return []
        columns = range(len(self.columns))
        drawn = [[self.pictures[p] for p in range(c, self.total, len(columns)) if p in self.pictures] for c in columns]
        return [mean([one.verdict for one in column if one.verdict]) for column in drawn]

    @property
    def left(self) -> float | None:
        """Seconds until the table is full, by its pace since the first picture; None before the second."""
        if self.spent:
            self.pace.report(self.spent)
        unit = self.pace.unit
        return None if unit is None or self.state != "drawing" else unit * (self.passes - self.spent)

    @property
    def progress(self) -> float:
        """The share of the passes that are done, in [0, 1]."""
        return self.spent / max(1, self.passes)

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """What the words below the pictures mean; nothing before the first verdict."""
        return LEGEND if any(one.verdict for one in self.pictures.values()) else ()

    @property
    def status(self) -> str:
        told = f"{TOLD[self.state]}: {len(self.pictures)} of {self.total} pictures"
        if not self.passes:
            return told
        if self.state == "done":
            return f"{told}, {many(self.passes, 'network pass')} in {duration(time.monotonic() - self.started)}"
        if self.state == "drawing" and not self.spent:
            return f"{told}, {many(self.passes, 'network pass')}"
        return told if self.left is None else f"{told}{left(self.left)}"

    def payload(self) -> dict[str, Any]:
        """What the page shows, as plain values."""
        places = range(self.total)
        return {
            "title": self.title,
            "columns": self.columns,
            "rows": self.rows,
            "cells": [self.pictures[place].payload() if place in self.pictures else None for place in places],
            "drawn": len(self.pictures),
            "foot": self.foot,
            "told": self.told,
            "legend": [list(entry) for entry in self.legend],
            "state": self.state,
            "total": self.total,
            "status": self.status,
            "query": self.query,
        }
