"""Tables of judged pictures that fill as they are drawn: what the grid and the change of one object show."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clevr_demo.evaluator import Verdict
from clevr_demo.ui.component import Html, asset
from clevr_demo.ui.payload import png_base64
from clevr_demo.ui.wording import left


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def cell(pixels: np.ndarray, query: str, verdict: Verdict | None, words: str) -> dict[str, Any]:
    """One picture with what it is (for those who cannot see it) and its verdict."""
    shown = {"png": png_base64(pixels, query), "words": words, "score": "", "exact": False, "accuracy": None}
    if verdict is not None:
        score = percent(verdict.accuracy) + (", exact" if verdict.exact else "")
        shown |= {"score": score, "exact": verdict.exact, "accuracy": verdict.accuracy}
    return shown


@dataclass
class Table:
    """Cells in reading order, filled from the start; `foot` are the last row's texts, `weights` each cell's work."""

    title: str
    columns: list[str]
    rows: list[str]
    cells: list[dict[str, Any]] = field(default_factory=list)
    foot: list[str] = field(default_factory=list)
    state: str = "drawing"
    weights: list[float] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float:
        """About how long the rest takes, each cell weighed by its work."""
        weights = self.weights or [1.0] * self.total
        behind = sum(weights[: len(self.cells)])
        return (time.monotonic() - self.began) * (sum(weights) - behind) / behind if behind else 0.0

    @property
    def total(self) -> int:
        return len(self.columns) * len(self.rows)

    def mean_of_columns(self) -> None:
        """Sets the last row to each column's mean accuracy and count of exact matches."""
        self.foot = []
        for place in range(len(self.columns)):
            column = self.cells[place :: len(self.columns)]
            if column:
                mean = sum(one["accuracy"] for one in column) / len(column)
                self.foot.append(f"{percent(mean)}, {sum(one['exact'] for one in column)} of {len(column)} exact")

    def payload(self) -> dict[str, Any]:
        told = {"drawing": "Drawing", "done": "Done", "stopped": "Stopped"}[self.state]
        rest = left(self.seconds_left) if self.state == "drawing" else ""
        return {
            "title": self.title,
            "columns": self.columns,
            "rows": self.rows,
            "cells": list(self.cells),
            "foot": self.foot,
            "state": self.state,
            "total": self.total,
            "status": f"{told}: {len(self.cells)} of {self.total} pictures{rest}",
        }


class Pictures(Html):
    """Shows a table's payload."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(asset("table.html"), **arguments)
