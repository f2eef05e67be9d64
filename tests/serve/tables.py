"""Contenders whose pictures say what was asked for, and a judge that finds everything: for what is drawn in tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from clevr_demo.models import Contender
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.axes import Plan
from clevr_demo.serve.experiments import draw_grid
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.table import Table

REQUEST = GenerationRequest.of(["red cube", "blue sphere"], seed=5, steps=4)


def pixels_of(model: str, objects: tuple[int, ...], seed: int, steps: int = 0, sampler: str = "") -> np.ndarray:
    """A picture whose pixels say what was asked for."""
    key = hash((model, objects, seed, steps, sampler)) % 2**32
    return np.random.default_rng(key).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@dataclass
class Gate:
    """A contender's pictures, one after the other; `notice` says that it is not drawn as usual."""

    kind: str
    fingerprint: str
    notice: str = ""
    calls: list[int] = field(default_factory=list)
    drawn: int = 0

    @property
    def contender(self) -> Contender:
        return Contender(self.kind, self.kind)

    def stills(self, requests: list[GenerationRequest], timeline: bool, stopped: Any, borrow: bool = True) -> Any:
        assert not timeline
        assert borrow
        self.calls.append(len(requests))
        for place, one in enumerate(requests):
            if stopped():
                return
            self.drawn += 1
            steps: tuple[Any, ...] = (one.steps, one.sampler) if self.kind == "ddpm" else ()
            pixels = pixels_of(self.kind, one.objects, one.seed, *steps)
            yield place, SimpleNamespace(predicted=pixels, notice=self.notice)


def verdict(requested: tuple[str, ...], found: dict[str, tuple[float, float]], **more: Any) -> Any:
    """A verdict by what is found, each once."""
    missing = tuple(name for name in requested if name not in found)
    extra = tuple(name for name in found if name not in requested)
    told = {
        "requested": requested,
        "missing": missing,
        "extra": extra,
        "exact": not missing and not extra,
        "accuracy": 1 - len(missing) / len(requested),
        "sentence": f"{len(missing)} missing",
        "found": [SimpleNamespace(name=name, row=row, column=column) for name, (row, column) in found.items()],
        "counts": dict.fromkeys(found, 1),
    }
    return SimpleNamespace(**(told | more))


class FakeStudio(Studio):
    """The stand-ins together; the judge finds everything, always at the same place."""

    def __init__(self, notice: str = "") -> None:
        gates: Any = {"ddpm": Gate("ddpm", "11111111", notice), "acgan": Gate("acgan", "22222222")}
        judge: Any = None
        super().__init__(gates, judge)

    def verdicts(self, pictures: Any, request: GenerationRequest, course: bool = True) -> list[Any]:
        return [verdict(request.names, dict.fromkeys(request.names, (1.0, 2.0))) for _ in pictures]


def plan_of(model: str, rows: tuple[str, str], columns: tuple[str, str]) -> Plan:
    return Plan.of(REQUEST, model, rows, columns, FakeStudio().contenders)


def gates_of(studio: FakeStudio) -> tuple[Any, Any]:
    return studio.gates["ddpm"], studio.gates["acgan"]


def never() -> bool:
    return False


def drawn(studio: Any, plan: Plan, stopped: Any = never) -> tuple[list[dict[str, Any]], Table]:
    """The payload after every update, and the table at the end."""
    payloads, table = [], None
    for table in draw_grid(studio, plan, stopped):
        payloads.append(table.payload())
    assert table is not None
    return payloads, table
