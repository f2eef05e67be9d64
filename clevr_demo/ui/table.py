"""Tables of judged pictures that fill as they are drawn: what the grid and the change of one object show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clevr_demo.evaluator import Verdict
from clevr_demo.ui.component import Html, asset
from clevr_demo.ui.runs import png_base64


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
    """Cells in reading order, filled from the start; `foot` are the last row's texts."""

    title: str
    columns: list[str]
    rows: list[str]
    cells: list[dict[str, Any]] = field(default_factory=list)
    foot: list[str] = field(default_factory=list)
    state: str = "drawing"

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
        return {
            "title": self.title,
            "columns": self.columns,
            "rows": self.rows,
            "cells": list(self.cells),
            "foot": self.foot,
            "state": self.state,
            "total": self.total,
            "status": f"{told}: {len(self.cells)} of {self.total} pictures",
        }


class Pictures(Html):
    """Shows a table's payload."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(asset("table.html"), **arguments)
