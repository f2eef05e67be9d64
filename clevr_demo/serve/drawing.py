"""Draws a request with both models and tells, update by update, how far it is: what the page shows while it draws.

for run in draw(studio, request, stopped=lambda: False):
    run.payload()       # plain values for the browser, growing
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from clevr_demo.request import GenerationRequest
from clevr_demo.serve.gate import Still
from clevr_demo.serve.payload import Pair, Run, Side
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.wording import ahead

INTERVAL = 0.1
"""Seconds between two updates of the page, at least."""
MOST_FRAMES = 60
"""The most denoising steps of one picture that travel to the browser; longer runs are thinned evenly."""


def work(request: GenerationRequest) -> float:
    """About how many passes of the DDPM's network a request takes, counting what comes besides."""
    return request.pictures * (request.steps + 4)


def waiting(count: int, seconds: float) -> dict[str, Any]:
    """The payload for somebody in the line: what is shown stays, and a sentence says how long."""
    return {"state": "waiting", "status": ahead(count, seconds)}


def shown_steps(steps: int) -> set[int]:
    """The denoising steps, from 1, that travel: all of them, or evenly spaced ones with the first and the last."""
    if steps <= MOST_FRAMES:
        return set(range(1, steps + 1))
    return {1 + round(place * (steps - 1) / (MOST_FRAMES - 1)) for place in range(MOST_FRAMES)}


def _acgan_picture(studio: Studio, pair: Pair) -> None:
    """The ACGAN's picture, in one pass, judged."""
    still = studio.acgan_still(pair.request)
    pair.acgan.seconds, pair.acgan.evaluations = still.seconds, still.evaluations
    pair.acgan.add(still, studio.verdicts([still.predicted], pair.request)[0])


def _add(studio: Studio, pair: Pair, stills: list[Still]) -> None:
    """Adds the DDPM's frames; those that show something are judged, in one pass."""
    drawn = [still for still in stills if still.stage == "what"]
    verdicts = iter(studio.verdicts([still.predicted for still in drawn], pair.request) if drawn else [])
    for still in stills:
        pair.ddpm.add(still, next(verdicts) if still.stage == "what" else None, with_noisy=still.stage == "what")


def _ddpm_updates(studio: Studio, run: Run, pair: Pair, stopped: Callable[[], bool]) -> Iterator[None]:
    """Adds the DDPM's frames, yielding whenever the page is due an update."""
    shown, unsent, sent = shown_steps(pair.request.steps), list[Still](), 0.0
    frames = studio.ddpm_stills(pair.request)
    try:
        for still in frames:
            run.notice = still.notice
            pair.ddpm.seconds, pair.ddpm.evaluations = still.seconds, still.evaluations
            if still.stage == "where" or still.evaluations in shown:
                unsent.append(still)
            halted = stopped()
            if unsent and (halted or still.last or time.monotonic() - sent >= INTERVAL):
                _add(studio, pair, unsent)
                unsent, sent = [], time.monotonic()
                yield
            if halted:
                return
    finally:
        getattr(frames, "close", lambda: None)()


def draw(studio: Studio, request: GenerationRequest, stopped: Callable[[], bool]) -> Iterator[Run]:
    """The run after every update; the last one is done or, once `stopped()` turned true, stopped."""
    run = Run(request, studio.weights)
    for number in range(request.pictures):
        if stopped():
            run.state = "stopped"
            break
        single = request.single(number)
        query = single.query(run.weights)
        pair = Pair(single, Side(single.objects, query), Side(single.objects, query))
        run.pairs.append(pair)
        _acgan_picture(studio, pair)
        yield run  # at once: the DDPM may have to wait for a GPU
        for _ in _ddpm_updates(studio, run, pair, stopped):
            yield run
        if not pair.finished:
            run.state = "stopped"
            break
    else:
        run.state = "done"
    yield run
