"""Draws a request with both models and tells, update by update, how far it is: what the page shows while it draws.

    for run in draw(studio, request, stopped=lambda: False):
        run.payload()       # plain values for the browser, growing: what was sent once is not sent again

The browser gets every kept frame and its verdict once, and scrubs on its own. Frames are small lossy WebP pictures;
each picture's last frame is a PNG, so what is shown at the end is exact to the pixel.
"""

from __future__ import annotations

import base64
import io
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from clevr_demo.evaluator import Verdict
from clevr_demo.objects import INDEX, OBJECTS
from clevr_demo.pictures import png
from clevr_demo.request import GenerationRequest
from clevr_demo.ui.studio import Still, Studio

INTERVAL = 0.1
"""Seconds between two updates of the page, at least."""
MOST_FRAMES = 60
"""The most frames of one picture that travel to the browser; longer runs are thinned evenly."""
QUALITIES = (75, 50, 25, 8, 1)
FRAME_BYTES = 1700
"""WebP qualities to try in turn until a frame fits: clear pictures stay sharp, and noise needs no care."""


def png_base64(pixels: np.ndarray, query: str = "") -> str:
    """A (64, 64, 3) uint8 picture as a PNG in base64, which carries the query."""
    return base64.b64encode(png(Image.fromarray(pixels), query)).decode()


def webp_base64(pixels: np.ndarray) -> str:
    """A (64, 64, 3) uint8 picture as a small lossy WebP in base64."""
    buffer = io.BytesIO()
    for quality in QUALITIES:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="WEBP", quality=quality, method=3)
        if buffer.tell() <= FRAME_BYTES:
            break
    return base64.b64encode(buffer.getvalue()).decode()


def judged(verdict: Verdict) -> dict[str, Any]:
    """A verdict as small plain values: per mille for all 24 objects, hits, exactness, indices of the objects seen."""
    return {
        "p": [round(1000 * verdict.probabilities[name]) for name in OBJECTS],
        "hits": verdict.hits,
        "exact": verdict.exact,
        "seen": [INDEX[name] for name in verdict.seen],
    }


def shown_steps(steps: int) -> set[int]:
    """Indices of the frames that travel: all of them, or evenly spaced ones with the first and the last."""
    if steps <= MOST_FRAMES:
        return set(range(steps))
    return {round(place * (steps - 1) / (MOST_FRAMES - 1)) for place in range(MOST_FRAMES)}


@dataclass
class Side:
    """One model's picture: the timeline so far, and the last frame apart, exact to the pixel."""

    steps: int
    query: str = ""
    frames: list[dict[str, Any]] = field(default_factory=list)
    last: dict[str, Any] | None = None
    picture: np.ndarray | None = None
    stills: list[Still] = field(default_factory=list)
    verdict: Verdict | None = None
    seconds: float = 0.0
    evaluations: int = 0

    def add(self, stills: list[Still], verdicts: list[Verdict], with_noisy: bool) -> None:
        """Appends frames; one with the last step's index becomes the picture."""
        for still, verdict in zip(stills, verdicts, strict=True):
            final = still.index == self.steps - 1
            frame = {"step": still.index + 1, "t": still.timestep} | judged(verdict)
            frame["x0"] = png_base64(still.predicted, self.query) if final else webp_base64(still.predicted)
            if with_noisy:
                frame["xt"] = webp_base64(still.noisy)
            if final:
                self.last, self.picture = frame, still.predicted
            else:
                self.frames.append(frame)
            self.verdict = verdict
            self.stills.append(still)

    def payload(self) -> dict[str, Any]:
        return {
            "frames": list(self.frames),
            "last": self.last,
            "seconds": round(self.seconds, 3),
            "evaluations": self.evaluations,
        }


@dataclass
class Pair:
    """One seed's two pictures."""

    request: GenerationRequest
    ddpm: Side
    acgan: Side

    def payload(self) -> dict[str, Any]:
        return {"seed": self.request.seed, "ddpm": self.ddpm.payload(), "acgan": self.acgan.payload()}


@dataclass
class Run:
    """A request being drawn. `state` is "drawing", "done" or "stopped"."""

    request: GenerationRequest
    weights: dict[str, str]
    key: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    state: str = "drawing"
    shelved: bool = False  # whether its downloads were made
    pairs: list[Pair] = field(default_factory=list)

    def payload(self) -> dict[str, Any]:
        """What the page shows, as plain values."""
        return {
            "key": self.key,
            "state": self.state,
            "objects": list(self.request.objects),
            "steps": self.request.steps,
            "seed": self.request.seed,
            "total": self.request.pictures,
            "query": self.request.query(self.weights),
            "pairs": [pair.payload() for pair in self.pairs],
        }


def _acgan_picture(studio: Studio, pair: Pair) -> None:
    """The ACGAN's picture, in one pass, judged."""
    started = time.perf_counter()
    result = studio.acgan.generate_batch(
        [pair.request.objects], [pair.request.seed], pair.request.steps, timeline=False
    )
    pair.acgan.seconds = time.perf_counter() - started
    pair.acgan.evaluations = result[0].evaluations
    pixels = np.asarray(result[0].image)
    still = Still(pair.request.steps - 1, 0, pixels, pixels, pair.acgan.seconds, 1)
    pair.acgan.add([still], studio.verdicts([pixels], pair.request), with_noisy=False)


def _acgan_path(studio: Studio, pair: Pair) -> None:
    """The rest of the ACGAN's walk through its latent space, judged in one pass."""
    kept = shown_steps(pair.request.steps) - {pair.request.steps - 1}
    path = [still for still in studio.acgan_stills(pair.request) if still.index in kept]
    if path:
        last = pair.acgan.stills.pop()
        pair.acgan.add(path, studio.verdicts([still.predicted for still in path], pair.request), with_noisy=False)
        pair.acgan.stills.append(last)


def _ddpm_updates(studio: Studio, pair: Pair, stopped: Callable[[], bool]) -> Iterator[None]:
    """Adds the DDPM's frames, yielding whenever the page is due an update."""
    kept, waiting, shown = shown_steps(pair.request.steps), list[Still](), 0.0
    frames = studio.ddpm_stills(pair.request)
    try:
        for still in frames:
            pair.ddpm.seconds, pair.ddpm.evaluations = still.seconds, still.evaluations
            if still.index in kept:
                waiting.append(still)
            halted = stopped()
            if waiting and (halted or still.index == pair.request.steps - 1 or time.monotonic() - shown >= INTERVAL):
                verdicts = studio.verdicts([entry.predicted for entry in waiting], pair.request)
                pair.ddpm.add(waiting, verdicts, with_noisy=True)
                waiting, shown = [], time.monotonic()
                yield
            if halted:
                return
    finally:
        getattr(frames, "close", lambda: None)()


def draw(studio: Studio, request: GenerationRequest, stopped: Callable[[], bool]) -> Iterator[Run]:
    """The run after every update; the last one is done or, once `stopped()` turned true, stopped."""
    run = Run(request, studio.weights)
    for number in range(request.pictures):
        single = request.single(number)
        query = single.query(run.weights)
        pair = Pair(single, Side(request.steps, query), Side(request.steps, query))
        run.pairs.append(pair)
        _acgan_picture(studio, pair)
        if not stopped():
            for _ in _ddpm_updates(studio, pair, stopped):
                yield run
        if pair.ddpm.last is None:  # stopped on the way
            run.state = "stopped"
            break
        _acgan_path(studio, pair)
    else:
        run.state = "done"
    yield run
