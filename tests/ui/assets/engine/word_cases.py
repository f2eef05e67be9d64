"""Words and numbers as Python writes them: cases of (inputs, answer) for the table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from clevr_demo.judge.detector import Found
from clevr_demo.judge.evaluator import Verdict, listed
from clevr_demo.objects import OBJECTS
from clevr_demo.serve import wording
from tests.ui.assets.engine.drawing_cases import some_requests
from tests.ui.assets.engine.request_cases import well_formed

Case = tuple[list[Any], Any]


def numbers() -> Iterator[Case]:
    pick = random.Random(15)
    ties = [number / 4 for number in range(-40, 260)] + [number / 20 for number in range(400)]
    for value in [*ties, *(pick.uniform(-5, 1200) for _ in range(300))]:
        yield ["halfEven", value], round(value)
        yield ["tenths", value], round(value, 1)
    for count in (0, 7, 999, 1000, 1200, 123456, 1234567):
        yield ["thousands", count], f"{count:,}"


def said() -> Iterator[Case]:
    pick = random.Random(16)
    for count in (0, 1, 2, 20, 1200):
        for thing in ("step", "pass", "picture"):
            yield ["many", count, thing], wording.many(count, thing)
    for length in range(1, 6):
        yield ["listed", list(OBJECTS[:length])], listed(OBJECTS[:length])
    seconds = [
        0.0005,
        0.0015,
        0.0025,
        0.994,
        0.995,
        0.25,
        1.25,
        1.35,
        9.94,
        9.95,
        10.5,
        11.5,
        99.4,
        99.5,
        90.0,
        150.0,
        3600.0,
    ]
    for value in [*seconds, *(10 ** pick.uniform(-4, 4) for _ in range(200))]:
        yield ["duration", value], wording.duration(value)
        passes, base = pick.choice([0, 1, 20, 1200]), pick.choice([0.0, value / 2.5, value / pick.uniform(1, 60)])
        yield ["cost", passes, value, base], wording.cost(passes, value, base)
        asked = (pick.choice([0, 1, 7, 1100]), 1200, 2, pick.choice([1, 3]), pick.choice([None, 10 * value]))
        yield ["drawing", *asked], wording.drawing(*asked)
    for request in [*well_formed(60, 17), *some_requests(200, 18)]:
        yield ["asked", asdict(request)], wording.asked(request)
        yield ["beyond", asdict(request)], wording.beyond(request)
    verdicts = [Verdict({}, ("red cube",), (Found(name, 1.0, 2.0, 0.9),)) for name in ("red cube", "blue cube")]
    for count in range(4):
        seen = {"DDPM": pick.choices(verdicts, k=count), "ACGAN": pick.choices(verdicts, k=max(0, count - 1))}
        told = {name: [{"sentence": one.sentence, "exact": one.exact} for one in some] for name, some in seen.items()}
        yield ["done", told], wording.done(seen)
