"""What the browser is told of a run."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from clevr_demo.serve.drawing import draw
from clevr_demo.serve.payload import since
from tests.serve.at_once import FakeStudio, request, run_of


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
    assert ["hits" in one for one in side["frames"]] == [False] * 6, "the classifier judges the finished picture alone"
    assert side["last"]["hits"] == 2
    assert side["since"] == [2, 3]
    assert side["complete"] == 3
    assert payload["pairs"][0]["acgan"]["last"]["places"] == side["last"]["places"]


def test_costs_are_told_side_by_side() -> None:
    pair = run_of(request())[0].payload()["pairs"][0]
    assert pair["acgan"]["cost"] == "1 pass, 8 ms (measured once here)"
    assert pair["ddpm"]["cost"] == "5 passes, 60 ms: 8 times as long (measured once here)"


def test_while_it_is_drawn_a_picture_has_passes_and_no_seconds_to_tell() -> None:
    run = next(draw(FakeStudio(), request(steps=5), lambda: False))
    assert [side["cost"] for side in run.payload()["pairs"][0].values() if isinstance(side, dict)] == [
        "", "1 pass, 8 ms (measured once here)"
    ]  # fmt: skip


def test_an_object_that_is_lost_again_does_not_count_as_found() -> None:
    frames = [{"step": 1, "found": [[3, 0, 0, 9]]}, {"step": 2, "found": []}, {"step": 3, "found": [[3, 0, 0, 9]]}]
    assert since(frames, [3, 4]) == [3, None]
    assert since(frames[:2], [3]) == [None]


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


def test_a_long_run_says_how_long_it_still_takes(clock: SimpleNamespace) -> None:
    run = next(draw(FakeStudio(), request(steps=1200), lambda: False))
    run.pairs[0].sides["ddpm"].evaluations = 1
    assert run.status() == "Drawing: step 1 of 1,200"
    clock.now += 2
    run.pairs[0].sides["ddpm"].evaluations = 41
    assert run.status() == "Drawing: step 41 of 1,200, about 58 s to go"
