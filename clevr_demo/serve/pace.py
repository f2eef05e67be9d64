"""How fast something goes, by what was measured of it: the first report of how much is done, and the newest.

pace.report(3)      # and later
pace.report(13)
pace.unit           # seconds each of those ten took
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Pace:
    """`marks` are the first and the newest report: when, and how much was done. What came before the first waited for
    more than itself, and does not count."""

    marks: list[tuple[float, float]] = field(default_factory=list)

    def report(self, done: float) -> None:
        self.marks = [*self.marks[:1], (time.monotonic(), done)]

    @property
    def made(self) -> float:
        """How much was done between the two."""
        return self.marks[-1][1] - self.marks[0][1] if self.marks else 0.0

    @property
    def unit(self) -> float | None:
        """Seconds a unit between the two; None before anything was done."""
        return (self.marks[-1][0] - self.marks[0][0]) / self.made if self.made > 0 else None
