"""The newest run wins, whoever waits knows for how long, and a run tells how far it is: all without a browser."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clevr_demo.models import Contender
from clevr_demo.objects import OBJECTS
from clevr_demo.places import Places
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.downloads import contents
from clevr_demo.serve.drawing import draw, shown_steps
from clevr_demo.serve.gate import Still
from clevr_demo.serve.newest_run import NewestRun, Waiting
from clevr_demo.serve.payload import Run, since
from clevr_demo.serve.queue import Line
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.walk import FRAMES, walk_payload

PLACES = Places((1, 2), ((20.0, 30.0), (40.04, 12.0)))
PLACING = 2
"""Frames of the places, before those of the pixels."""
ME = "a visitor"


def drawn_at_once(wanted: str, stopped: Callable[[], bool]) -> Iterator[str]:
    yield f"{wanted} begins"
    yield f"{wanted} is done"


def runner(width: int = 1, linger: float = 0.1) -> NewestRun[str, str]:
    return NewestRun(Line(width), lambda wanted: 1.0, lambda drawn: 0.0, linger)


async def heard(runs: NewestRun[Any, Any], visitor: str, draw: Callable[..., Iterator[Any]]) -> list[Any]:
    return [update async for update in runs.updates(visitor, draw)]


def test_only_the_newest_of_several_requests_is_drawn() -> None:
    runs = runner()
    for wanted in ("one", "two", "three"):
        runs.ask(ME, wanted)
    assert asyncio.run(heard(runs, ME, drawn_at_once)) == ["three begins", "three is done"]


def test_a_request_that_overtook_a_later_one_on_the_way_is_not_drawn() -> None:
    runs = runner()
    assert runs.ask(ME, "the later click", moment=2000.5)
    assert not runs.ask(ME, "the earlier click", moment=1940.0)
    assert asyncio.run(heard(runs, ME, drawn_at_once)) == ["the later click begins", "the later click is done"]


def test_a_request_during_a_run_ends_it_and_is_drawn_by_the_same_runner() -> None:
    """Objects ticked while a long picture is drawn: the run carries its own request, and the last one is drawn."""
    runs = runner()

    def slow(wanted: str, stopped: Callable[[], bool]) -> Iterator[str]:
        for step in range(200):
            if stopped():
                yield f"{wanted} was ended"
                return
            if wanted == "old" and step == 3:
                for newer in ("two", "three", "four", "five"):
                    runs.ask(ME, newer)
            if step == 5:
                break
            yield f"{wanted} {step}"
            time.sleep(0.001)
        yield f"{wanted} is done"

    runs.ask(ME, "old")
    said = asyncio.run(heard(runs, ME, slow))
    assert said[0] == "old 0"
    assert "old was ended" not in said  # the browser shows something newer by now
    assert not any(word in one for one in said for word in ("two", "three", "four"))
    assert said[-1] == "five is done"


def test_of_two_runners_of_one_visitor_the_second_ends_at_once() -> None:
    runs = runner()

    async def both() -> tuple[list[Any], list[Any], list[Any]]:
        runs.ask(ME, "first")
        updates = runs.updates(ME, drawn_at_once)
        first = [await anext(updates), await anext(updates)]
        runs.ask(ME, "second")  # the runner goes on with it: it needs no other event
        second = await heard(runs, ME, drawn_at_once)
        return first, second, [update async for update in updates]

    first, second, rest = asyncio.run(both())
    assert first == ["first begins", "first is done"]
    assert second == []
    assert rest == ["second begins", "second is done"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that stands still for the line and the payload: else a busy machine's pauses would count."""
    standing: Any = SimpleNamespace(now=1000.0, monotonic=lambda: standing.now)
    for module in ("queue", "payload"):
        monkeypatch.setattr(f"clevr_demo.serve.{module}.time", standing)
    return standing


def test_whoever_waits_is_told_how_many_are_ahead_and_stop_leaves_the_line(clock: SimpleNamespace) -> None:
    runs = runner()

    async def wait() -> tuple[list[Any], int]:
        with runs.line.place(100) as busy, runs.line.place(50):
            assert runs.line.ahead(busy) == 0
            runs.line.report(busy, 0.1)
            clock.now += 8
            runs.line.report(busy, 0.2)
            runs.ask(ME, "mine")
            told: list[Any] = []
            async for update in runs.updates(ME, lambda wanted, stopped: iter(["stopped" if stopped() else "drawn"])):
                told.append(update)
                runs.stop(ME)
            return told, runs.line.ahead(busy)

    told, _ = asyncio.run(wait())
    assert isinstance(told[0], Waiting)
    assert told[0].ahead == 2
    assert told[0].seconds == pytest.approx(0.8 * (80 + 50)), "what is left of the one that draws, and the other"
    assert told[1:] == ["stopped"]


def test_a_run_that_fails_leaves_no_runner_behind() -> None:
    runs = runner()

    def broken(wanted: str, stopped: Callable[[], bool]) -> Iterator[str]:
        yield "begins"
        raise RuntimeError("lost")

    runs.ask(ME, "one")
    with pytest.raises(RuntimeError, match="lost"):
        asyncio.run(heard(runs, ME, broken))
    runs.ask(ME, "two")
    assert asyncio.run(heard(runs, ME, drawn_at_once))[-1] == "two is done"


def test_the_line_lets_in_as_many_as_it_is_wide_and_tells_what_it_measured(clock: SimpleNamespace) -> None:
    line = Line(width=2)
    with line.place(10) as a, line.place(10) as b, line.place(30) as c, line.place(10) as d:
        assert [line.ahead(one) for one in (a, b, c)] == [0, 0, 1]
        assert line.seconds(c) is None, "nothing was measured yet"
        for done in (0.1, 0.5):
            line.report(a, done)
            clock.now += 4
        assert line.seconds(c) == pytest.approx((1 + 2) / 2), "5 of a, 4 s ago, and all of b, since 8 s, at 1 s each"
        assert line.seconds(d) == pytest.approx((1 + 2 + 30) / 2)
    assert line.estimate(1200) == pytest.approx(1200)


def test_what_was_drawn_before_teaches_no_pace(clock: SimpleNamespace) -> None:
    line = Line()
    with line.place(20) as cached:
        line.ahead(cached)
        line.report(cached, 1.0)
    assert line.estimate(20) is None


@pytest.mark.parametrize(("first", "step"), [(0.1, 0.05), (5.0, 0.05), (0.0, 0.3), (60.0, 1.0)])
def test_what_is_told_to_go_is_what_it_takes(clock: SimpleNamespace, first: float, step: float) -> None:
    """However long the first step waited, for a network to be loaded or for others."""
    run, told = next(draw(FakeStudio(), request(steps=200), lambda: False)), []
    for evaluations in range(1, 200):
        run.pairs[0].sides["ddpm"].evaluations = evaluations
        clock.now += first if evaluations == 1 else step
        if (left := run.seconds_left) is not None:
            told.append((clock.now, left))
    assert len(told) > 190
    for moment, left in told:
        assert left == pytest.approx(clock.now + step - moment, rel=0.01)


class FakeGate:
    """Draws at once: the DDPM's places and steps, the ACGAN's picture or the walk to it."""

    def __init__(self, kind: str, fingerprint: str) -> None:
        self.contender, self.fingerprint = Contender(kind, kind), fingerprint

    def still(self, index: int, steps: int, last: bool) -> Still:
        pixels = np.full((64, 64, 3), index, np.uint8)
        stage, evaluations = "where" if index < PLACING else "what", max(0, index - PLACING + 1)
        return Still(index, steps - index, pixels, pixels, 0.01 * index, evaluations, last, stage, PLACES)

    def stills(self, requests: Any, timeline: bool, stopped: Any, walk: str = "both") -> Iterator[tuple[int, Still]]:
        assert walk in ("places", "looks", "both")
        for number, request in enumerate(requests):
            if not timeline:
                yield number, replace(self.still(200, request.steps, True), seconds=0.008, evaluations=1)
                continue
            first = 0 if self.contender.model.has_steps else PLACING
            for index in range(first, PLACING + request.steps):
                yield number, self.still(index, request.steps, index == PLACING + request.steps - 1)


@dataclass(frozen=True)
class FakeStudio(Studio):
    """Draws at once. The judge finds the first object from the second step on, the second one from the third on."""

    gates: Any = field(
        default_factory=lambda: {"ddpm": FakeGate("ddpm", "11111111"), "acgan": FakeGate("acgan", "22222222")}
    )
    judge: Any = None

    def verdicts(self, pictures: Any, request: GenerationRequest) -> list[Any]:
        return [self.verdict(int(pixels[0, 0, 0]) - PLACING + 1, request.names) for pixels in pictures]

    def verdict(self, step: int, names: tuple[str, ...]) -> Any:
        seen = [name for place, name in enumerate(names) if step >= place + 2]
        found = tuple(SimpleNamespace(name=name, row=20.0, column=30.5, confidence=0.987) for name in seen)
        exact = len(seen) == len(names)
        return SimpleNamespace(
            probabilities=dict.fromkeys(OBJECTS, 0.25), requested=names, found=found, exact=exact, hits=len(seen),
            accuracy=len(seen) / len(names), sentence="All drawn" if exact else f"{len(seen)} of {len(names)} drawn",
        )  # fmt: skip


def run_of(request: GenerationRequest, stop_after: int = 10_000) -> tuple[Run, list[str]]:
    """The last state of a run that is stopped after so many steps, and what it said on the way."""
    looks, said = [0], []

    def stopped() -> bool:
        looks[0] += 1
        return looks[0] > stop_after

    for run in draw(FakeStudio(), request, stopped):
        said.append(run.payload()["status"])
    return run, said


def request(steps: int = 5, pictures: int = 1) -> GenerationRequest:
    return GenerationRequest.of(["red cube", "cyan sphere"], 7, steps, pictures=pictures)


def test_the_timeline_tells_first_where_then_what() -> None:
    run, _ = run_of(request())
    payload = run.payload()
    side = payload["pairs"][0]["ddpm"]
    assert [(one["stage"], one["step"]) for one in [*side["frames"], side["last"]]] == [
        ("where", 1), ("where", 2), ("what", 1), ("what", 2), ("what", 3), ("what", 4), ("what", 5),
    ]  # fmt: skip
    assert side["frames"][0]["places"] == [[20.0, 30.0], [40.0, 12.0]]
    assert "x0" in side["frames"][0], "the empty scene"
    assert "x0" not in side["frames"][1], "it travels once"
    assert "found" not in side["frames"][1], "an empty scene has nothing to judge"
    assert side["last"]["found"] == [[1, 20.0, 30.5, 987], [14, 20.0, 30.5, 987]]
    assert side["since"] == [2, 3]
    assert side["complete"] == 3
    assert payload["pairs"][0]["acgan"]["last"]["places"] == side["last"]["places"]


def test_costs_are_told_side_by_side() -> None:
    pair = run_of(request())[0].payload()["pairs"][0]
    assert pair["acgan"]["cost"] == "1 pass, 8 ms"
    assert pair["ddpm"]["cost"] == "5 passes, 60 ms: 8 times as long"


def test_an_object_that_is_lost_again_does_not_count_as_found() -> None:
    frames = [{"step": 1, "found": [[3, 0, 0, 9]]}, {"step": 2, "found": []}, {"step": 3, "found": [[3, 0, 0, 9]]}]
    assert since(frames, [3, 4]) == [3, None]
    assert since(frames[:2], [3]) == [None]


def test_long_runs_are_thinned_with_both_ends() -> None:
    shown = shown_steps(1200)
    assert len(shown) == 60
    assert {1, 1200} <= shown
    assert shown_steps(3) == {1, 2, 3}


def test_a_run_stopped_between_two_pictures_keeps_what_is_finished() -> None:
    run, said = run_of(request(pictures=3), stop_after=2 * (1 + 1 + 7))
    assert run.state == "stopped"
    assert said[-1] == "Stopped: 2 pictures of 3 finished and kept."
    assert len(run.finished) == len(run.payload()["pairs"]) == 2
    assert set(contents(run, run.query, "")) == {"card", "ddpm", "acgan", "pair", "strip", "webp", "gif"}


def test_a_run_stopped_within_its_second_picture_keeps_the_first_and_the_last_frame() -> None:
    run, said = run_of(request(pictures=2), stop_after=1 + 1 + 7 + 1 + 1 + 4)
    assert said[-1] == "Stopped after step 3 of 5, 1 picture of 2 finished. The last frame is kept."
    assert len(run.finished) == 1
    assert len(run.pairs) == 2


def test_the_step_that_a_stopped_run_tells_is_the_step_that_it_shows() -> None:
    run, said = run_of(request(steps=777), stop_after=1 + 1 + PLACING + 81)
    step = run.payload()["pairs"][0]["ddpm"]["frames"][-1]["step"]
    assert step not in shown_steps(777), "else the step would travel anyway"
    assert said[-1] == f"Stopped after step {step} of 777. The last frame is kept."


def test_a_run_stopped_before_it_began_draws_nothing() -> None:
    run, said = run_of(request(), stop_after=0)
    assert said == ["Stopped before the first step."]
    assert run.payload()["pairs"] == []


def test_the_acgans_walk_ends_in_its_picture() -> None:
    run, _ = run_of(request())
    walk = walk_payload(FakeStudio(), run, "looks")
    assert walk["key"] != walk_payload(FakeStudio(), run, "places")["key"]
    assert len(walk["frames"]) == FRAMES
    assert walk["objects"] == [1, 14]
    assert all(frame["places"] == [[20.0, 30.0], [40.0, 12.0]] for frame in walk["frames"])
    kinds = [base64.b64decode(frame["x0"])[:4] for frame in walk["frames"]]
    assert set(kinds[:-1]) == {b"RIFF"}
    assert kinds[-1] == b"\x89PNG", "the picture itself, exact to the pixel"


def test_a_long_run_says_how_long_it_still_takes(clock: SimpleNamespace) -> None:
    run = next(draw(FakeStudio(), request(steps=1200), lambda: False))
    run.pairs[0].sides["ddpm"].evaluations = 1
    assert run.status() == "Drawing: step 1 of 1,200"
    clock.now += 2
    run.pairs[0].sides["ddpm"].evaluations = 41
    assert run.status() == "Drawing: step 41 of 1,200, about 58 s to go"
