"""Whose turn it is: visitors wait in a line, first come, first served, and know for how long; of all a visitor asked
for, the last request is drawn, and an older run makes way for it.

How long is estimated by what was measured in this process, on this machine: every run reports how far it is. Before
anything was measured nothing is said.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

from clevr_demo.serve.pace import Pace

LEARNING = 0.3
"""How much the newest report's pace counts in the estimate of the next run's."""
REMEMBERED = 10_000
"""The most visitors whose newest run is remembered; the longest silent one goes first."""
LINGER = 1.5
"""Seconds that a visitor's runner stays after its last run, so that a click soon after needs no new event."""
TICK = 0.02
"""Seconds between two looks of whoever waits."""
TOLD = 25
"""Looks between two messages to whoever waits."""

Wanted = TypeVar("Wanted")
Drawn = TypeVar("Drawn")


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

    @property
    def crowded(self) -> bool:
        """Whether somebody waits."""
        with self._lock:
            return len(self._turns) > self.width

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


@dataclass
class Ticket(Generic[Wanted]):
    """A request that was checked and is to be drawn; a run draws what its ticket carries and nothing else."""

    wanted: Wanted
    moment: float
    taken: bool = False
    stopped: bool = False
    over: bool = False


@dataclass(frozen=True)
class Waiting(Generic[Wanted]):
    """What somebody in the line is told: how many runs are ahead, about how many seconds they take, if known, and what
    waits."""

    ahead: int
    seconds: float | None
    wanted: Wanted


class NewestRun(Generic[Wanted, Drawn]):
    """Draws each visitor's newest request, one run at a time; a newer request or Stop ends a run at its next step.

    Why not Gradio's own `cancels=`: it cuts the event off in the browser, so the last frame that a stopped run would
    keep never arrives; it knows only the newest event of a function, so that of two overlapping runs the older one
    goes on unseen; and an event that still waits has its inputs from when it began to wait. Besides, the browser shuts
    its stream when the last event ends, and an event that joins in that moment is never heard of again. So a visitor
    has one runner, an event that goes on with the newest request as long as there is one and lingers a little; later
    events find it at work and end at once.
    """

    def __init__(
        self,
        line: WaitingLine,
        work: Callable[[Wanted], float],
        progress: Callable[[Drawn], float],
        linger: float = LINGER,
        is_drawn: Callable[[Wanted], bool] = lambda wanted: False,
    ) -> None:
        """For the line's estimates: how many network evaluations a request takes, and which share of them is done. What
        is drawn already, or by somebody else just now, waits for no turn."""
        self.line, self.work, self.progress, self.linger, self.is_drawn = line, work, progress, linger, is_drawn
        self._newest: OrderedDict[str, Ticket[Wanted]] = OrderedDict()
        self._running: set[str] = set()
        self._moments = itertools.count()
        self._lock = threading.Lock()

    def ask(self, visitor: str, wanted: Wanted, moment: float | None = None) -> bool:
        """Makes this the visitor's newest request, unless one of a later `moment` came first: whether it did."""
        with self._lock:
            newest = self._newest.get(visitor)
            if moment is not None and newest is not None and moment < newest.moment:
                return False
            self._newest[visitor] = Ticket(wanted, moment if moment is not None else next(self._moments))
            self._newest.move_to_end(visitor)
            while len(self._newest) > REMEMBERED:
                self._newest.popitem(last=False)
            return True

    def stop(self, visitor: str) -> None:
        """Ends the visitor's newest run, whether it draws or waits."""
        if ticket := self._ticket(visitor):
            ticket.stopped = True

    def _ticket(self, visitor: str) -> Ticket[Wanted] | None:
        """Of the visitor's newest request."""
        with self._lock:
            return self._newest.get(visitor)

    def latest(self, visitor: str) -> Wanted | None:
        """The newest request, drawn or not, unless it was stopped."""
        ticket = self._ticket(visitor)
        return ticket.wanted if ticket and not ticket.stopped else None

    def idle(self, visitor: str) -> bool:
        """Whether no request of the visitor waits to be taken up."""
        ticket = self._ticket(visitor)
        return ticket is None or ticket.taken

    def at_rest(self, visitor: str) -> bool:
        """Whether no request of the visitor waits or is being drawn."""
        ticket = self._ticket(visitor)
        return ticket is None or ticket.over

    def ended(self, visitor: str, ticket: Ticket[Wanted]) -> bool:
        """Whether a run has to end: it was stopped, or there is a newer one."""
        return ticket.stopped or not self.is_newest(visitor, ticket)

    def is_newest(self, visitor: str, ticket: Ticket[Wanted]) -> bool:
        return self._ticket(visitor) is ticket

    def _enter(self, visitor: str) -> bool:
        """Whether this runner may work: there is something to draw, and no other runner of the visitor."""
        with self._lock:
            ticket = self._newest.get(visitor)
            if ticket is None or ticket.taken or visitor in self._running:
                return False
            self._running.add(visitor)
            return True

    def _take(self, visitor: str, leave: bool) -> Ticket[Wanted] | None:
        """The newest request if nobody took it; else None and, with `leave`, the runner is gone in the same moment."""
        with self._lock:
            ticket = self._newest.get(visitor)
            if ticket is not None and not ticket.taken:
                ticket.taken = True
                return ticket
            if leave:
                self._running.discard(visitor)
            return None

    async def _next(self, visitor: str) -> Ticket[Wanted] | None:
        for _ in range(int(self.linger / TICK)):
            ticket = self._take(visitor, leave=False)
            if ticket is not None:
                return ticket
            await asyncio.sleep(TICK)
        return self._take(visitor, leave=True)

    async def updates(
        self, visitor: str, draw: Callable[[Wanted, Callable[[], bool]], Iterator[Drawn]]
    ) -> AsyncIterator[Waiting[Wanted] | Drawn]:
        """What `draw(wanted, stopped)` yields for the visitor's requests, and before it what those who wait are told.

        `draw` runs in a thread, and looks at `stopped()` at every step; a run that a newer one ends says nothing more.
        """
        if not self._enter(visitor):
            return
        try:
            while ticket := await self._next(visitor):
                if self.is_drawn(ticket.wanted):
                    async for drawn in self._drawn(visitor, ticket, draw):
                        yield drawn
                    ticket.over = True
                    continue
                with self.line.turn(self.work(ticket.wanted)) as turn:
                    for tick in itertools.count():
                        ahead = self.line.ahead(turn)
                        if not ahead or self.ended(visitor, ticket):
                            break
                        if tick % TOLD == 0:  # often enough to be true, and for Gradio to notice who has left
                            yield Waiting(ahead, self.line.seconds(turn), ticket.wanted)
                        await asyncio.sleep(TICK)
                    async for drawn in self._drawn(visitor, ticket, draw):
                        self.line.report(turn, self.progress(drawn))
                        yield drawn
                    ticket.over = True
        finally:
            with self._lock:
                self._running.discard(visitor)

    async def _drawn(
        self,
        visitor: str,
        ticket: Ticket[Wanted],
        draw: Callable[[Wanted, Callable[[], bool]], Iterator[Drawn]],
    ) -> AsyncIterator[Drawn]:
        steps = draw(ticket.wanted, lambda: self.ended(visitor, ticket))
        try:
            while self.is_newest(visitor, ticket):
                # A list, as a thread may not hand on the StopIteration of an iterator that has ended.
                step = await anyio.to_thread.run_sync(lambda: list(itertools.islice(steps, 1)))
                if not step or not self.is_newest(visitor, ticket):
                    return
                yield step[0]
        finally:
            getattr(steps, "close", lambda: None)()
