"""Which run of a visitor is the newest: a newer one, or Stop, ends the one before at its next step."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass

REMEMBERED = 10_000
"""The most visitors whose newest run is remembered; the longest silent one goes first."""


@dataclass
class Ticket:
    """One press of Generate."""

    number: int
    claimed: bool = False
    stopped: bool = False
    over: bool = False


class NewestRun:
    """Hands out tickets; each visitor's newest one counts."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, Ticket] = OrderedDict()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def issue(self, visitor: str) -> int:
        """A new ticket's number; the visitor's older runs end."""
        with self._lock:
            ticket = Ticket(next(self._numbers))
            self._newest[visitor] = ticket
            self._newest.move_to_end(visitor)
            while len(self._newest) > REMEMBERED:
                self._newest.popitem(last=False)
            return ticket.number

    def claim(self, visitor: str, number: int) -> bool:
        """Whether a run may start: its ticket is the newest, and no other run took it."""
        with self._lock:
            ticket = self._newest.get(visitor)
            if ticket is None or ticket.number != number or ticket.claimed:
                return False
            ticket.claimed = True
            return True

    def stop(self, visitor: str) -> None:
        """Ends the visitor's newest run."""
        with self._lock:
            if visitor in self._newest:
                self._newest[visitor].stopped = True

    def ended(self, visitor: str, number: int) -> bool:
        """Whether a run has to end: it was stopped, or a newer one began."""
        with self._lock:
            ticket = self._newest.get(visitor)
            return ticket is None or ticket.number != number or ticket.stopped

    def close(self, visitor: str, number: int) -> None:
        """Notes that a run has ended."""
        with self._lock:
            ticket = self._newest.get(visitor)
            if ticket is not None and ticket.number == number:
                ticket.over = True

    def idle(self, visitor: str) -> bool:
        """Whether none of the visitor's runs is waiting or going on."""
        with self._lock:
            ticket = self._newest.get(visitor)
            return ticket is None or ticket.over

    def newest(self, visitor: str, number: int) -> bool:
        """Whether no newer run began."""
        with self._lock:
            ticket = self._newest.get(visitor)
            return ticket is not None and ticket.number == number
