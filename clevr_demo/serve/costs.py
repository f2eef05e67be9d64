"""What pictures cost on this machine: seconds by the median of what was measured, and of how many.

    costs = Costs()
    costs.add("ddpm", 20, 0.31)
    costs.words("ddpm", 20, "acgan", 1)      # "20 passes, 310 ms: 39 times as long (median of 12 draws here)"

Who asks again for what was drawn before is thus told no old seconds as if they were new.
"""

from __future__ import annotations

import statistics
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from clevr_demo.serve.wording import cost

KEPT = 101
"""Draws of a kind that the median is of, the newest ones."""
KINDS = 256
"""Kinds of draws that are kept, by contender and passes."""
Kind = tuple[str, int]


def basis(count: int) -> str:
    """What a figure rests on."""
    return "measured once here" if count == 1 else f"median of {count} draws here"


@dataclass
class Costs:
    """Seconds of whole pictures by contender and passes. `told` stands in for the number of draws, where they were not
    made here."""

    told: str = ""
    _seconds: OrderedDict[Kind, deque[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, passes: int, seconds: float) -> None:
        """Notes what a picture took."""
        with self._lock:
            self._seconds.setdefault((name, passes), deque(maxlen=KEPT)).append(seconds)
            self._seconds.move_to_end((name, passes))
            while len(self._seconds) > KINDS:
                self._seconds.popitem(last=False)

    def typical(self, name: str, passes: int) -> tuple[float, int]:
        """(median of the seconds, how many were measured); (0.0, 0) before the first."""
        with self._lock:
            found = list(self._seconds.get((name, passes), ()))
        return (statistics.median(found), len(found)) if found else (0.0, 0)

    def words(self, name: str, passes: int, other: str, others: int) -> str:
        """A finished picture's cost beside another's; the passes alone where nothing was measured."""
        seconds, count = self.typical(name, passes)
        told = cost(passes, seconds, self.typical(other, others)[0])
        return f"{told} ({self.told or basis(count)})" if count else told
