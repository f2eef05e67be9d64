"""Many seeds of one request: all are drawn once, and whoever comes meanwhile waits for a few of them alone."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from clevr_demo.estimates import wilson
from clevr_demo.judge.evaluator import Verdict
from clevr_demo.request import FAST_STEPS, MAX_SEED, GenerationRequest
from clevr_demo.serve.luck import PASSES, Wanted, cost, draw, parts
from clevr_demo.serve.queue import WaitingLine
from tests.fakes import FakeJudge, fake_gate, fake_studio

REQUEST = GenerationRequest.of(["red cube", "blue sphere"], MAX_SEED - 3, 20, pictures=4)


class Doubting(FakeJudge):
    """Sees nothing in pictures that are darker than others."""

    def judge(self, images: Any, labels: Any, course: bool = True) -> list[Verdict]:
        found = super().judge(images, labels, course)
        dark = [image.getpixel((0, 0))[0] < 90 for image in images]
        return [replace(one, found=()) if black else one for one, black in zip(found, dark, strict=True)]


@pytest.mark.parametrize("width", [1, 2])
def test_every_seed_is_drawn_once_by_both_and_shares_grow(width: int) -> None:
    studio = replace(fake_studio(), judge=Doubting())  # type: ignore[arg-type]
    wanted = Wanted.of(REQUEST, 32, quick=True)
    assert (wanted.request.steps, wanted.request.pictures) == (FAST_STEPS, 1)
    drawn = [tally.payload() for tally in draw(studio, WaitingLine(width), wanted, lambda: False)]
    first, last = drawn[0], drawn[-1]
    assert (first["drawn"], first["sides"][0]["share"]) == (0, None)
    assert (last["state"], last["drawn"], last["total"]) == ("done", 64, 64)
    for side in last["sides"]:
        seeds = {one["seed"] for one in side["pictures"]}
        assert seeds == {(REQUEST.seed + number) % (MAX_SEED + 1) for number in range(32)}
        assert 0 < side["hits"] < 32, "some pictures are dark"
        assert side["hits"] == sum(one["exact"] for one in side["pictures"])
        assert side["share"] == wilson(side["hits"], 32).plain
    assert "32 seeds" in last["said"]
    assert last["link"].startswith("v=1&objects=red-cube,blue-sphere&seed=@&steps=4&")


def test_the_counts_are_those_that_are_offered() -> None:
    assert Wanted.of(REQUEST, 100, quick=False) == Wanted(replace(REQUEST, pictures=1), 100)
    assert Wanted.of(REQUEST, 10**9, quick=False).count == 32


def test_somebody_else_has_a_turn_in_between() -> None:
    studio = replace(fake_studio(), gates={"ddpm": fake_gate(pause=0.002), "acgan": fake_gate("acgan")})
    line, wanted = WaitingLine(1), Wanted.of(REQUEST, 32, quick=False)
    for cells in parts(studio, wanted):
        assert len(cells) * cost(studio.contenders[cells[0].contender], wanted.request) <= PASSES
    drawn, seen = [0], list[int]()

    def other() -> None:
        with line.turn(1) as turn:
            while line.ahead(turn):
                time.sleep(0.001)
            seen.append(drawn[0])

    visitor = threading.Thread(target=other)
    for tally in draw(studio, line, wanted, lambda: False):
        drawn[0] = tally.drawn
        if tally.drawn and not visitor.ident:
            visitor.start()
    visitor.join()
    assert seen[0] < 64, "whoever came was drawn for before the last"


def test_stop_keeps_what_is_drawn_and_a_fault_is_raised() -> None:
    enough = [False]
    studio = replace(fake_studio(), gates={"ddpm": fake_gate(pause=0.01), "acgan": fake_gate("acgan")})
    for tally in draw(studio, WaitingLine(1), Wanted.of(REQUEST, 32, quick=False), lambda: enough[0]):
        enough[0] = tally.drawn > 0
    assert tally.state == "stopped"
    assert 0 < tally.drawn < 64
    broken = fake_studio(breaks_after=1)
    with pytest.raises(RuntimeError, match="the GPU is gone"):
        list(draw(broken, WaitingLine(1), Wanted.of(REQUEST, 32, quick=False), lambda: False))


def test_whoever_leaves_is_drawn_for_no_further() -> None:
    gate = fake_gate(pause=0.005)
    studio = replace(fake_studio(), gates={"ddpm": gate, "acgan": fake_gate("acgan")})
    tallies = draw(studio, WaitingLine(2), Wanted.of(REQUEST, 100, quick=False), lambda: False)
    next(tallies)
    next(tallies)
    tallies.close()  # type: ignore[attr-defined]
    drawn = gate.model.frames_drawn  # type: ignore[attr-defined]
    time.sleep(0.05)
    assert gate.model.frames_drawn == drawn < 100 * 22  # type: ignore[attr-defined]
