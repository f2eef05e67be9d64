"""The table of cases that Python and the page's engine answer alike: what goes in, and what Python makes of it.

It is made when the tests run, so that it never lags behind the code: an entry names an adapter (adapters.js) and has
a generator of (inputs, answer), plain values both. `within` is how far numbers may be from Python's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from tests.ui.assets.engine import drawing_cases, judge_cases, noise_cases, request_cases, word_cases


@dataclass(frozen=True)
class Entry:
    cases: Callable[[], Iterator[tuple[list[Any], Any]]]
    within: float = 0.0


# Without AVX2 torch itself rounds the angles of its blocks of noise elsewhere.
NOISE = 1e-6 if "AVX" in torch.backends.cpu.get_cpu_capability() else 3e-6

TABLE: dict[str, Entry] = {
    "draws": Entry(noise_cases.draws, NOISE),
    "path": Entry(noise_cases.paths, 1e-6),
    "walk": Entry(noise_cases.walks, NOISE),
    "pixels": Entry(noise_cases.pixels, NOISE),
    "solver": Entry(drawing_cases.solvers, 5e-6),
    "plan": Entry(drawing_cases.plans, 5e-5),
    "layout": Entry(drawing_cases.layouts, 1e-5),
    "spread": Entry(drawing_cases.spreads),
    "apart": Entry(drawing_cases.rooms, 1e-5),
    "ground": Entry(drawing_cases.grounds),
    "chosen": Entry(judge_cases.candidates),
    "verdict": Entry(judge_cases.verdicts),
    "compact": Entry(judge_cases.compacts),
    "levels": Entry(judge_cases.levels),
    "query": Entry(request_cases.queries),
    "request": Entry(request_cases.requests),
    "link": Entry(request_cases.links),
    "object": Entry(request_cases.objects),
    "read": Entry(request_cases.numbers),
    "shown": Entry(request_cases.texts),
    "number": Entry(word_cases.numbers),
    "said": Entry(word_cases.said),
}
