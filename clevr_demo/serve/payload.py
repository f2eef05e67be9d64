"""What the page shows of a run, as plain values that grow: what was sent once is not sent again.

    run.payload()            # {"key", "state", "status", "objects", "steps", "seed", "total", "query", "pairs"}
    ["pairs"][0]["ddpm"]     # {"frames", "last", "seconds", "evaluations", "since", "complete", "cost"}: see `costs`
    ["frames"][0]            # {"stage", "step", "t", "ms", "places", "x0", "xt"}, and of judged ones the verdict

The browser gets every shown frame and its verdict once, and scrubs on its own. Frames are small lossy WebP pictures;
each picture's last frame is a PNG, so what is shown at the end is exact to the pixel. Frames of the stage "where" have
places on the same empty scene, which only the first one carries.
"""

from __future__ import annotations

import base64
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from clevr_demo.judge.evaluator import Verdict
from clevr_demo.models import Contender
from clevr_demo.pictures import png
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.costs import Costs
from clevr_demo.serve.gate import Still
from clevr_demo.serve.pace import Pace
from clevr_demo.serve.verdicts import compact, compact_places
from clevr_demo.serve.wording import beyond, cost, done, drawing, stopped, unusual

QUALITIES = (75, 50, 25, 8, 1)
ENOUGH = 5
"""Steps by which it is judged how long the others take."""
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
    """One contender's picture: the timeline so far, and the last frame apart, exact to the pixel."""

    contender: Contender
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
        frame["places"] = compact_places(still.places)
        if verdict is None:
            self.where += 1
            frame["step"] = self.where
            if self.where == 1:
                frame["x0"] = webp_base64(still.predicted)
        else:
            frame["step"] = self.step(still)
            frame |= compact(verdict)
            frame["x0"] = png_base64(still.predicted, self.query) if still.last else webp_base64(still.predicted)
            if with_noisy:
                frame["xt"] = webp_base64(still.noisy)
            self.verdict = verdict
            self.stills.append(still)
        if still.last:
            self.last = frame
        else:
            self.frames.append(frame)

    def step(self, still: Still) -> int:
        """Which step, from 1, a still of the stage "what" is of."""
        return still.index - self.where + 1

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
    """One seed's two pictures, by their contenders' names, and what such pictures cost here."""

    request: GenerationRequest
    sides: dict[str, Side]
    costs: Costs = field(default_factory=Costs)

    @property
    def lead(self) -> Side:
        """Whose timeline is scrubbed: the first that has steps, else the first."""
        sides = list(self.sides.values())
        return next((side for side in sides if side.contender.model.has_steps), sides[0])

    @property
    def finished(self) -> bool:
        return all(side.last is not None for side in self.sides.values())

    def payload(self) -> dict[str, Any]:
        sides: dict[str, Any] = {name: side.payload() for name, side in self.sides.items()}
        for (name, side), (other, beside) in zip(self.sides.items(), reversed(self.sides.items()), strict=True):
            passes = side.evaluations
            if side.last:
                sides[name]["cost"] = self.costs.words(name, passes, other, beside.evaluations)
                sides[name]["seconds"] = round(self.costs.typical(name, passes)[0] or side.seconds, 4)
            else:
                sides[name]["cost"] = cost(passes, 0.0)
        return {"seed": self.request.seed, **sides}


@dataclass
class Run:
    """A request being drawn by two contenders. `state` is "drawing", "done" or "stopped"; `query` is its link's."""

    request: GenerationRequest
    query: str
    contenders: tuple[Contender, ...]
    key: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    state: str = "drawing"
    notice: str = ""  # how it was drawn, where that is not as usual
    pairs: list[Pair] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)  # in steps; shared with the runs of those who watch

    @property
    def finished(self) -> list[Pair]:
        """The pairs of which both pictures are finished."""
        return [pair for pair in self.pairs if pair.finished]

    def thin(self) -> None:
        """Drops all frames but each picture's last: they are most of what a run weighs."""
        for pair in self.pairs:
            for side in pair.sides.values():
                del side.stills[:-1]

    @property
    def steps(self) -> int:
        """Of the one whose timeline is scrubbed."""
        return self.pairs[-1].lead.contender.request(self.request).steps if self.pairs else self.request.steps

    @property
    def thinned(self) -> bool:
        """Whether frames were dropped, so that a film of them has to be drawn anew."""
        if not self.finished:
            return False
        lead = self.finished[0].lead
        return len(lead.stills) < min(lead.contender.passes(self.request), 2)

    @property
    def step(self) -> int:
        """The denoising steps that the picture being drawn has behind it."""
        return self.pairs[-1].lead.evaluations if self.pairs else 0

    @property
    def total(self) -> int:
        """The steps of all its pictures."""
        return self.request.pictures * self.steps

    @property
    def behind(self) -> int:
        """How many of them are made."""
        return max(0, len(self.pairs) - 1) * self.steps + self.step

    @property
    def progress(self) -> float:
        """The share of the work that is done, in [0, 1]."""
        return self.behind / self.total

    @property
    def seconds_left(self) -> float | None:
        """About how long it still takes, by its steps but the first ones, which wait for more than themselves; None
        before there are `ENOUGH` of those."""
        if self.behind:
            self.pace.report(self.behind)
        unit = self.pace.unit
        return None if unit is None or self.pace.made < ENOUGH else unit * (self.total - self.behind)

    def status(self) -> str:
        """The state in words."""
        if self.state == "drawing":
            count = (len(self.pairs), self.request.pictures)
            return drawing(self.step, self.steps, *count, self.seconds_left)
        if self.state == "stopped":
            return stopped(self.step, self.steps, len(self.finished), self.request.pictures)
        return done({one.title: [pair.sides[one.name].verdict for pair in self.pairs] for one in self.contenders})

    def payload(self) -> dict[str, Any]:
        """What the page shows, as plain values; `contenders` where the request names them, `unusual` where it is."""
        told = unusual(self.request)
        return {
            "key": self.key,
            "state": self.state,
            "status": " ".join(filter(None, (self.status(), self.notice, beyond(self.request)))),
            "objects": list(self.request.objects),
            "steps": self.steps,
            "seed": self.request.seed,
            "total": self.request.pictures,
            "query": self.query,
            "pairs": [pair.payload() for pair in self.pairs],
            **({"contenders": list(self.request.duel)} if self.request.duel else {}),
            **({"unusual": told} if told else {}),
        }
