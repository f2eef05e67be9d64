"""Is it luck? The same request from many seeds by both models, and how often it comes out right.

    for tally in draw(studio, line, Wanted(request, 100), stopped=lambda: False):
        tally.payload()          # plain values for the browser, growing

Pictures are drawn a few at a time, and each few takes a turn of its own in the line: whoever comes meanwhile waits for
one of them and not for all. As many turns go on at once as the line is wide, so two cores draw twice as fast as one.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from clevr_demo.estimates import paired, wilson
from clevr_demo.models import Contender
from clevr_demo.request import FAST_STEPS, GenerationRequest
from clevr_demo.serve.drawing import INTERVAL
from clevr_demo.serve.pace import Pace
from clevr_demo.serve.payload import webp_base64
from clevr_demo.serve.queue import TICK, WaitingLine
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.wording import duration, left

COUNTS = (32, 100)
"""How many seeds may be asked for."""
PASSES = 40
"""About how many passes of a network a turn in the line may take."""
WORKERS = 4
"""Turns that one run takes at once, at most."""
TOLD = {"drawing": "Drawing", "done": "Done", "stopped": "Stopped"}


@dataclass(frozen=True)
class Wanted:
    """A request, and from how many seeds, its own and the following."""

    request: GenerationRequest
    count: int

    @classmethod
    def of(cls, request: GenerationRequest, count: Any, quick: bool) -> Wanted:
        """`quick` asks for the steps that the distilled painter is made for."""
        single = replace(request, pictures=1, steps=FAST_STEPS if quick else request.steps)
        return cls(single, count if count in COUNTS else COUNTS[0])

    def seed(self, number: int) -> GenerationRequest:
        return self.request.single(number)


@dataclass
class Side:
    """A contender's pictures as plain values, in the order in which they were drawn."""

    contender: Contender
    pictures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def hits(self) -> int:
        return sum(one["exact"] for one in self.pictures)

    def payload(self) -> dict[str, Any]:
        found = wilson(self.hits, len(self.pictures)).plain if self.pictures else None
        return {"title": self.contender.title, "pictures": list(self.pictures), "hits": self.hits, "share": found}


@dataclass
class Tally:
    """What is drawn so far. `link` is the query of each picture, with "@" for its seed."""

    wanted: Wanted
    sides: dict[str, Side]
    link: str
    state: str = "drawing"
    notice: str = ""
    started: float = field(default_factory=time.monotonic)
    pace: Pace = field(default_factory=Pace)

    @property
    def drawn(self) -> int:
        return sum(len(side.pictures) for side in self.sides.values())

    @property
    def total(self) -> int:
        return self.wanted.count * len(self.sides)

    @property
    def progress(self) -> float:
        return self.drawn / self.total

    @property
    def status(self) -> str:
        told = f"{TOLD[self.state]}: {self.drawn} of {self.total} pictures"
        if self.state == "done":
            return f"{told} in {duration(time.monotonic() - self.started)}"
        unit = self.pace.unit
        return told + (left(unit * (self.total - self.drawn)) if unit and self.state == "drawing" else "")

    @property
    def said(self) -> str:
        """What the shares say together, over the seeds that both have drawn; nothing before there are a few."""
        first, second = self.sides.values()
        exact = [{one["seed"]: float(one["exact"]) for one in side.pictures} for side in (first, second)]
        seeds = sorted(exact[0].keys() & exact[1].keys())
        if self.state == "drawing" or len(seeds) < 2:
            return ""
        apart = paired([exact[0][seed] for seed in seeds], [exact[1][seed] for seed in seeds], seeds)
        titles = first.contender.title, second.contender.title
        if not apart.shows:
            return f"Over {len(seeds)} seeds no difference is shown between the {titles[0]} and the {titles[1]}."
        better = titles[0] if apart.mean > 0 else titles[1]
        low, high = sorted((abs(apart.low), abs(apart.high)))
        return (
            f"Over the same {len(seeds)} seeds the {better} draws {100 * abs(apart.mean):.0f} in 100 more exactly "
            f"(95 %: {100 * low:.0f} to {100 * high:.0f})."
        )

    def payload(self) -> dict[str, Any]:
        return {
            "key": f"{self.link} {self.wanted.count}",
            "state": self.state,
            "status": self.status,
            "objects": ", ".join(self.wanted.request.names),
            "drawn": self.drawn,
            "total": self.total,
            "count": self.wanted.count,
            "link": self.link,
            "said": self.said,
            "notice": self.notice,
            "sides": [side.payload() for side in self.sides.values()],
        }


def work(wanted: Wanted) -> float:
    """About how many passes of the DDPM's network it takes."""
    return wanted.count * (wanted.request.steps + 4)


def cost(one: Contender, request: GenerationRequest) -> int:
    """About how many passes a picture of a contender takes, counting what comes besides."""
    return one.passes(request) + 4


def parts(studio: Studio, wanted: Wanted) -> list[list[Cell]]:
    """Cells of one turn each, the contenders' by turns, so that both shares grow together."""
    found: list[tuple[float, list[Cell]]] = []
    for one in studio.duel(wanted.request):
        size = max(1, PASSES // cost(one, wanted.request))
        for start in range(0, wanted.count, size):
            numbers = range(start, min(start + size, wanted.count))
            found.append((start, [Cell(one.name, wanted.seed(number)) for number in numbers]))
    return [cells for _, cells in sorted(found, key=lambda one: one[0])]


class Crew:
    """Workers that draw parts, each in a turn of the line; what they draw comes out of `found`."""

    def __init__(self, studio: Studio, line: WaitingLine, wanted: Wanted, stopped: Callable[[], bool]) -> None:
        self.studio, self.line = studio, line
        self.parts: queue.SimpleQueue[list[Cell]] = queue.SimpleQueue()
        self.found: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.left, self._stopped = threading.Event(), stopped
        for cells in parts(studio, wanted):
            self.parts.put(cells)

    def ended(self) -> bool:
        return self.left.is_set() or self._stopped()

    def labour(self) -> None:
        """Draws part after part until none is left; the last word is None, or what went wrong."""
        try:
            with contextlib.suppress(queue.Empty):
                while not self.ended():
                    self._draw(self.parts.get_nowait())
            self.found.put(("", None))
        except Exception as error:
            self.found.put(("", error))

    def _draw(self, cells: list[Cell]) -> None:
        one = self.studio.contenders[cells[0].contender]
        with self.line.turn(len(cells) * cost(one, cells[0].request)) as turn:
            while self.line.ahead(turn):
                if self.ended():
                    return
                time.sleep(TICK)
            for number, still in self.studio.draw(cells, self.ended):
                cell = cells[number]
                verdict = self.studio.verdicts([still.predicted], cell.request, course=False)[0]
                told = {"seed": cell.request.seed, "exact": verdict.exact, "told": verdict.sentence}
                self.found.put((cell.contender, (told | {"x0": webp_base64(still.predicted)}, still.notice)))
                self.line.report(turn, (number + 1) / len(cells))


def draw(studio: Studio, line: WaitingLine, wanted: Wanted, stopped: Callable[[], bool]) -> Iterator[Tally]:
    """The tally as it grows; its state is "done" or "stopped" at the end."""
    crew = Crew(studio, line, wanted, stopped)
    link = studio.query(wanted.request).replace(f"seed={wanted.request.seed}", "seed=@", 1)
    tally = Tally(wanted, {one.name: Side(one) for one in studio.duel(wanted.request)}, link)
    yield tally
    workers = max(1, min(line.width, WORKERS))
    with ThreadPoolExecutor(workers) as pool:
        try:
            for _ in range(workers):
                pool.submit(copy_context().run, crew.labour)
            yield from gathered(tally, crew, workers)
        finally:
            crew.left.set()
    tally.state = "done" if tally.drawn == tally.total else "stopped"
    yield tally


def gathered(tally: Tally, crew: Crew, workers: int) -> Iterator[Tally]:
    """The tally whenever it has grown and the page is due an update, until every worker has said its last word."""
    sent = 0.0
    while workers:
        name, value = crew.found.get()
        if isinstance(value, Exception):
            raise value
        if value is None:
            workers -= 1
            continue
        picture, notice = value
        tally.sides[name].pictures.append(picture)
        tally.notice = notice or tally.notice
        tally.pace.report(tally.drawn)
        if time.monotonic() - sent >= INTERVAL:
            sent = time.monotonic()
            yield tally


def drawer(studio: Studio, line: WaitingLine) -> Callable[[Wanted, Callable[[], bool]], Iterator[Tally]]:
    """What draws the tally of what is wanted."""
    return partial(draw, studio, line)
