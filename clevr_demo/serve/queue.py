"""The waiting line before the processor: first come, first served, and whoever waits knows for how long.

How long is estimated by what was measured in this process, on this machine: every run reports how far it is. Before
anything was measured nothing is said.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from clevr_demo.serve.pace import Pace

LEARNING = 0.3
"""How much the newest report's pace counts in the estimate of the next run's."""


@dataclass(eq=False)
class Turn:
    """One run's turn to draw. `work` is in network evaluations, `began` is when the turn came, `pace` is the run's."""

    work: float
    began: float | None = None
    pace: Pace = field(default_factory=Pace)


class WaitingLine:
    """Lets `width` runs work at a time. Thread-safe; nothing here blocks, whoever waits asks again."""

    def __init__(self, width: int = 1) -> None:
        self.width = width
        self.pace: float | None = None
        self._turns: list[Turn] = []
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, work: float) -> Iterator[Turn]:
        """A turn at the end of the line, given up at the end of the block."""
        turn = Turn(work)
        with self._lock:
            self._turns.append(turn)
        try:
            yield turn
        finally:
            with self._lock:
                self._turns.remove(turn)

    def ahead(self, turn: Turn) -> int:
        """How many runs have to end before this one's turn; at 0 it has begun."""
        with self._lock:
            ahead = max(0, self._turns.index(turn) - self.width + 1)
            if not ahead and turn.began is None:
                turn.began = time.monotonic()
            return ahead

    def report(self, turn: Turn, done: float) -> None:
        """A run says which share of its work is done. One that is shown what was drawn before goes from nothing to all
        at once, and teaches nothing."""
        with self._lock:
            turn.pace.report(done * turn.work)
            if (unit := turn.pace.unit) is not None:
                self.pace = unit if self.pace is None else self.pace + LEARNING * (unit - self.pace)

    def estimate(self, work: float) -> float | None:
        """About how many seconds so much work takes once its turn has come; None before anything was measured."""
        return None if self.pace is None else work * self.pace

    def seconds(self, turn: Turn) -> float | None:
        """About how long until this turn comes; None before anything was measured."""
        with self._lock:
            left = [self._left(one) for one in self._turns[: self._turns.index(turn)]]
        known = [one for one in left if one is not None]
        return sum(known) / self.width if len(known) == len(left) else None

    def _left(self, turn: Turn) -> float | None:
        unit = turn.pace.unit or self.pace
        if unit is None:
            return None
        since, done = turn.pace.marks[-1] if turn.pace.marks else (turn.began or time.monotonic(), 0.0)
        return max(0.0, (turn.work - done) * unit - (time.monotonic() - since))
