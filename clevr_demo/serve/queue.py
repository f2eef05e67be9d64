"""The waiting line before the processor: first come, first served, and whoever waits knows for how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

LEARNING = 0.3
"""How much the newest run's pace counts in the estimate of the next one's."""


@dataclass(eq=False)
class Place:
    """One run's place in the line. `work` is in network evaluations, `began` is when its turn came."""

    work: float
    began: float | None = None


class Line:
    """Lets `width` runs work at a time. Thread-safe; nothing here blocks, whoever waits asks again."""

    def __init__(self, width: int = 1, pace: float = 0.02) -> None:
        """`pace` is the first guess of seconds per unit of work; every finished run corrects it."""
        self.width, self.pace = width, pace
        self._places: list[Place] = []
        self._lock = threading.Lock()

    @contextmanager
    def place(self, work: float) -> Iterator[Place]:
        """A place at the end of the line, given up at the end of the block."""
        place = Place(work)
        with self._lock:
            self._places.append(place)
        try:
            yield place
        finally:
            with self._lock:
                self._places.remove(place)

    def ahead(self, place: Place) -> int:
        """How many runs have to end before this one's turn; at 0 it has begun."""
        with self._lock:
            ahead = max(0, self._places.index(place) - self.width + 1)
            if not ahead and place.began is None:
                place.began = time.monotonic()
            return ahead

    def seconds(self, place: Place) -> float:
        """About how long until this place's turn."""
        with self._lock:
            before = self._places[: self._places.index(place)]
            now = time.monotonic()
            left = [max(0.0, one.work * self.pace - (now - one.began if one.began else 0.0)) for one in before]
            return sum(left) / self.width

    def learn(self, place: Place) -> None:
        """Corrects the pace by a run that was drawn to its end."""
        if place.began is not None and place.work > 0:
            pace = (time.monotonic() - place.began) / place.work
            self.pace += LEARNING * (pace - self.pace)
