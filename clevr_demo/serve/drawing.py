"""Draws a request with both models and tells, update by update, how far it is: what the page shows while it draws.

for run in draw(studio, request, stopped=lambda: False):
    run.payload()       # plain values for the browser, growing
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from clevr_demo.request import GenerationRequest
from clevr_demo.serve.gate import Still
from clevr_demo.serve.payload import Pair, Run, Side
from clevr_demo.serve.shared import Shared
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.wording import ahead

INTERVAL = 0.1
"""Seconds between two updates of the page, at least."""
KEPT = 32
"""Runs that are kept whole, for equal requests and for downloads; of older ones the frames are dropped."""
MOST_FRAMES = 60
"""The most denoising steps of one picture that travel to the browser; longer runs are thinned evenly."""


def work(request: GenerationRequest) -> float:
    """About how many passes of the DDPM's network a request takes, counting what comes besides."""
    return request.pictures * (request.steps + 4)


def waiting(count: int, seconds: float | None) -> dict[str, Any]:
    """The payload for somebody in the line: what is shown stays, and a sentence says how long."""
    return {"state": "waiting", "status": ahead(count, seconds)}


def shown_steps(steps: int) -> set[int]:
    """The denoising steps, from 1, that travel: all of them, or evenly spaced ones with the first and the last."""
    if steps <= MOST_FRAMES:
        return set(range(1, steps + 1))
    return {1 + round(place * (steps - 1) / (MOST_FRAMES - 1)) for place in range(MOST_FRAMES)}


def _add(studio: Studio, side: Side, request: GenerationRequest, stills: list[Still]) -> None:
    """Adds a side's frames, judged."""
    for still, verdict in studio.watched(stills, request):
        side.add(still, verdict, with_noisy=side.contender.model.has_steps)


def _updates(
    studio: Studio, run: Run, side: Side, request: GenerationRequest, stopped: Callable[[], bool]
) -> Iterator[None]:
    """Adds a side's frames, yielding whenever the page is due an update."""
    contender = side.contender
    shown, unsent, sent = shown_steps(contender.passes(request)), list[Still](), 0.0
    frames = studio.draw([Cell(contender.name, request, timeline=contender.model.has_steps)])
    try:
        for _, still in frames:
            run.notice = still.notice or run.notice
            side.seconds, side.evaluations = still.seconds, still.evaluations
            if still.last:
                studio.costs.add(contender.name, still.evaluations, still.seconds)
            halted = stopped()
            if still.stage == "where" or still.last or halted or still.evaluations in shown:
                unsent.append(still)
            if unsent and (halted or still.last or time.monotonic() - sent >= INTERVAL):
                _add(studio, side, request, unsent)
                unsent, sent = [], time.monotonic()
                yield
            if halted:
                return
    finally:
        getattr(frames, "close", lambda: None)()


def draw(studio: Studio, request: GenerationRequest, stopped: Callable[[], bool]) -> Iterator[Run]:
    """The run after every update; the last one is done or, once `stopped()` turned true, stopped.

    Of each seed the picture that takes one pass comes first: the other may have to wait for a GPU.
    """
    contenders = studio.duel(request)
    run = Run(request, studio.query(request), contenders)
    for number in range(request.pictures):
        if stopped():
            run.state = "stopped"
            break
        single = request.single(number)
        query = studio.query(single)
        pair = Pair(single, {one.name: Side(one, single.objects, query) for one in contenders}, studio.costs)
        run.pairs.append(pair)
        for side in sorted(pair.sides.values(), key=lambda side: side.contender.model.has_steps):
            for _ in _updates(studio, run, side, single, stopped):
                yield run
        if not pair.finished:
            run.state = "stopped"
            break
    else:
        run.state = "done"
    yield run


class SharedRuns:
    """Runs that visitors share: equal requests are drawn once, and of older runs each picture's last frame is kept."""

    def __init__(self, studio: Studio, kept: int = KEPT) -> None:
        self.studio = studio
        self._runs = Shared[Run](kept, complete=lambda run: run.state == "done", dropped=lambda key, run: run.thin())

    def __contains__(self, wanted: GenerationRequest) -> bool:
        """Whether following the request costs no draw."""
        return self.studio.query(wanted) in self._runs

    def follow(self, wanted: GenerationRequest, stopped: Callable[[], bool]) -> Iterator[Run]:
        """The run after every update: this visitor's own, another's that draws the same, or one that is done."""
        query = self.studio.query(wanted)
        own = Run(wanted, query, self.studio.duel(wanted))
        for run in self._runs.follow(query, lambda: draw(self.studio, wanted, stopped), stopped):
            seen = replace(run, key=own.key)
            if seen.state == "stopped" and not stopped():
                continue  # the visitor who drew it has left; the next of those who watch draws on
            own = seen
            yield own
        if own.state == "drawing":  # stopped while another visitor's run goes on
            yield replace(own, state="stopped")

    def whole(self, run: Run) -> Run:
        """The run with all its frames, drawn anew where they were dropped since."""
        if not run.thinned:
            return run
        *_, again = draw(self.studio, run.request, lambda: False)
        return again
