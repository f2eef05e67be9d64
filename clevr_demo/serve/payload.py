"""What the page shows of a run, as plain values that grow: what was sent once is not sent again.

    run.payload()            # {"key", "state", "status", "objects", "steps", "seed", "total", "query", "pairs"}
    ["pairs"][0]["ddpm"]     # {"frames", "last", "seconds", "evaluations", "since", "complete", "cost"}
    ["frames"][0]            # {"stage", "step", "t", "ms", "places", "x0", "xt"}, and of judged ones the verdict

The browser gets every shown frame and its verdict once, and scrubs on its own. Frames are small lossy WebP pictures;
each picture's last frame is a PNG, so what is shown at the end is exact to the pixel. Frames of the stage "where" have
places on the same empty scene, which only the first one carries.
"""

from __future__ import annotations

import base64
import io
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from clevr_demo.judge.evaluator import Verdict
from clevr_demo.objects import INDEX
from clevr_demo.pictures import png
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.gate import Still
from clevr_demo.serve.wording import cost, done, drawing, stopped

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
    """A verdict as small plain values.

    `p` is per mille for each requested object, by the classifier; `found` is [object's index, row, column in pixels,
    per mille of confidence] for everything that the detector sees; `told` is the verdict in a sentence.
    """
    return {
        "p": [round(1000 * verdict.probabilities[name]) for name in verdict.requested],
        "hits": verdict.hits,
        "exact": verdict.exact,
        "found": [
            [INDEX[one.name], round(one.row, 1), round(one.column, 1), round(1000 * one.confidence)]
            for one in verdict.found
        ],
        "told": verdict.sentence,
    }


def places_of(still: Still) -> list[list[float]]:
    """[row, column] in pixels of where the model means each object to stand, in the request's order."""
    centres = still.places.centres if still.places else ()
    return [[round(value, 1) for value in centre] for centre in centres]


def since(frames: Sequence[dict[str, Any]], objects: Sequence[int]) -> list[int | None]:
    """For each object the step from which on every judged frame finds it; None if the last one does not."""
    steps: list[int | None] = []
    for index in objects:
        first = None
        for frame in reversed(frames):
            if "found" not in frame or index not in [one[0] for one in frame["found"]]:
                break
            first = frame["step"]
        steps.append(first)
    return steps


@dataclass
class Side:
    """One model's picture: the timeline so far, and the last frame apart, exact to the pixel."""

    objects: tuple[int, ...]
    query: str = ""
    frames: list[dict[str, Any]] = field(default_factory=list)
    last: dict[str, Any] | None = None
    stills: list[Still] = field(default_factory=list)
    verdict: Verdict | None = None
    seconds: float = 0.0
    evaluations: int = 0
    where: int = 0  # frames of the stage "where"

    def add(self, still: Still, verdict: Verdict | None = None, with_noisy: bool = False) -> None:
        """Appends a frame; those of the stage "what" come with their verdict, and the last one becomes the picture."""
        frame: dict[str, Any] = {"stage": still.stage, "t": still.timestep, "ms": round(1000 * still.seconds)}
        frame["places"] = places_of(still)
        if verdict is None:
            self.where += 1
            frame["step"] = self.where
            if self.where == 1:
                frame["x0"] = webp_base64(still.predicted)
        else:
            frame["step"] = still.index - self.where + 1
            frame |= judged(verdict)
            frame["x0"] = png_base64(still.predicted, self.query) if still.last else webp_base64(still.predicted)
            if with_noisy:
                frame["xt"] = webp_base64(still.noisy)
            self.verdict = verdict
            self.stills.append(still)
        if still.last:
            self.last = frame
        else:
            self.frames.append(frame)

    @property
    def picture(self) -> np.ndarray | None:
        """The finished picture, (64, 64, 3) uint8."""
        return self.stills[-1].predicted if self.last else None

    def payload(self) -> dict[str, Any]:
        steps = since([*self.frames, *([self.last] if self.last else [])], self.objects)
        found = [step for step in steps if step is not None]
        return {
            "frames": list(self.frames),
            "last": self.last,
            "seconds": round(self.seconds, 4),
            "evaluations": self.evaluations,
            "since": steps,
            "complete": max(found) if len(found) == len(steps) else None,
        }


@dataclass
class Pair:
    """One seed's two pictures."""

    request: GenerationRequest
    ddpm: Side
    acgan: Side

    @property
    def finished(self) -> bool:
        return self.ddpm.last is not None and self.acgan.last is not None

    def payload(self) -> dict[str, Any]:
        base = self.acgan.seconds if self.acgan.last else 0.0
        return {
            "seed": self.request.seed,
            "ddpm": self.ddpm.payload() | {"cost": cost(self.ddpm.evaluations, self.ddpm.seconds, base)},
            "acgan": self.acgan.payload() | {"cost": cost(self.acgan.evaluations, self.acgan.seconds)},
        }


@dataclass
class Run:
    """A request being drawn. `state` is "drawing", "done" or "stopped"."""

    request: GenerationRequest
    weights: dict[str, str]
    key: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    state: str = "drawing"
    notice: str = ""  # how it was drawn, where that is not as usual
    pairs: list[Pair] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def finished(self) -> list[Pair]:
        """The pairs of which both pictures are finished."""
        return [pair for pair in self.pairs if pair.finished]

    def thin(self) -> None:
        """Drops all frames but each picture's last: they are most of what a run weighs."""
        for pair in self.pairs:
            for side in (pair.ddpm, pair.acgan):
                del side.stills[:-1]

    @property
    def thinned(self) -> bool:
        """Whether frames were dropped, so that a film of them has to be drawn anew."""
        return bool(self.finished) and len(self.finished[0].ddpm.stills) < min(self.request.steps, 2)

    @property
    def step(self) -> int:
        """The denoising steps that the picture being drawn has behind it."""
        return self.pairs[-1].ddpm.evaluations if self.pairs else 0

    @property
    def seconds_left(self) -> float:
        """About how long it still takes, judged by what is drawn."""
        total = self.request.pictures * self.request.steps
        behind = max(0, len(self.pairs) - 1) * self.request.steps + self.step
        return (time.monotonic() - self.began) * (total - behind) / behind if behind else 0.0

    def status(self) -> str:
        """The state in words."""
        if self.state == "drawing":
            count = (len(self.pairs), self.request.pictures)
            return drawing(self.step, self.request.steps, *count, self.seconds_left)
        if self.state == "stopped":
            return stopped(self.step, self.request.steps, len(self.finished), self.request.pictures)
        by_ddpm, by_acgan = zip(*((pair.ddpm.verdict, pair.acgan.verdict) for pair in self.pairs), strict=True)
        return done({"DDPM": by_ddpm, "ACGAN": by_acgan})

    def payload(self) -> dict[str, Any]:
        """What the page shows, as plain values."""
        return {
            "key": self.key,
            "state": self.state,
            "status": f"{self.status()} {self.notice}".strip(),
            "objects": list(self.request.objects),
            "steps": self.request.steps,
            "seed": self.request.seed,
            "total": self.request.pictures,
            "query": self.request.query(self.weights),
            "pairs": [pair.payload() for pair in self.pairs],
        }
