"""One draw for equal requests: the first visitor draws, those who come meanwhile watch, later ones find it done.

    runs = Shared(most=64, complete=lambda run: run.state == "done")
    for run in runs.follow(key, make=lambda: draw(studio, request, stopped), stopped=stopped):
        ...

The key says everything that decides the result: the request and the fingerprints of the weights.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")
PATIENCE = 0.5
"""Seconds after which a visitor who watches looks whether they were stopped."""


@dataclass
class Flight(Generic[Value]):
    """A draw that is going on: its newest value, the how manieth that is, and how it ended."""

    latest: Value | None = None
    version: int = 0
    over: bool = False
    landed: bool = False


class Shared(Generic[Value]):
    """The last `most` results and the draws that are going on. `complete` tells a result from one that was broken off;
    `dropped` is told of every result that has to make room."""

    def __init__(
        self, most: int, complete: Callable[[Value], bool] = lambda value: True,
        dropped: Callable[[str, Value], None] = lambda key, value: None,
    ) -> None:  # fmt: skip
        self.most, self._complete, self._dropped = most, complete, dropped
        self._done: OrderedDict[str, Value] = OrderedDict()
        self._flights: dict[str, Flight[Value]] = {}
        self._change = threading.Condition()

    def __len__(self) -> int:
        return len(self._done)

    def __contains__(self, key: str) -> bool:
        """Whether following that key costs no draw."""
        with self._change:
            return key in self._done or key in self._flights

    def follow(
        self, key: str, make: Callable[[], Iterator[Value]], stopped: Callable[[], bool] = lambda: False
    ) -> Iterator[Value]:
        """The values of the draw with that key, the last one at the latest; `make` draws if nobody else does.

        If the visitor who draws stops or leaves, the next one who watches draws anew. `make` has to heed `stopped`
        by itself.
        """
        while True:
            with self._change:
                done = self._done.get(key)
                if done is not None:
                    self._done.move_to_end(key)
                flight = self._flights.get(key)
                leads = done is None and flight is None
                if leads:
                    flight = self._flights[key] = Flight()
            if done is not None:
                yield done
                return
            assert flight is not None
            if leads:
                yield from self._lead(key, flight, make)
                return
            if (yield from self._watch(flight, stopped)):
                return

    def _lead(self, key: str, flight: Flight[Value], make: Callable[[], Iterator[Value]]) -> Iterator[Value]:
        whole = False
        try:
            for value in make():
                with self._change:
                    flight.latest, flight.version = value, flight.version + 1
                    self._change.notify_all()
                yield value
            whole = flight.latest is not None and self._complete(flight.latest)
        finally:
            self._end(key, flight, whole)

    def _end(self, key: str, flight: Flight[Value], whole: bool) -> None:
        gone: list[tuple[str, Value]] = []
        with self._change:
            del self._flights[key]
            flight.over, flight.landed = True, whole
            if whole and flight.latest is not None:
                self._done[key] = flight.latest
            while len(self._done) > self.most:
                gone.append(self._done.popitem(last=False))
            self._change.notify_all()
        for old_key, value in gone:
            self._dropped(old_key, value)

    def _watch(self, flight: Flight[Value], stopped: Callable[[], bool]) -> Generator[Value, None, bool]:
        """Another visitor's values; true once nothing is left to wait for."""
        seen = 0
        while True:
            with self._change:
                self._change.wait_for(lambda: flight.version > seen or flight.over, PATIENCE)  # noqa: B023
                version, latest, over, landed = flight.version, flight.latest, flight.over, flight.landed
            if stopped():
                return True
            if version > seen and latest is not None:
                seen = version
                yield latest
            elif over:
                return landed
