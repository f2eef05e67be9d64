"""The line and who may draw: the newest run wins, and whoever waits knows for how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from clevr_demo.serve.queue import NewestRun, Waiting, WaitingLine

ME = "a visitor"


def drawn_at_once(wanted: str, stopped: Callable[[], bool]) -> Iterator[str]:
    yield f"{wanted} begins"
    yield f"{wanted} is done"


def runner(width: int = 1, linger: float = 0.1) -> NewestRun[str, str]:
    return NewestRun(WaitingLine(width), lambda wanted: 1.0, lambda drawn: 0.0, linger)


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


def test_whoever_waits_is_told_how_many_are_ahead_and_stop_leaves_the_line(clock: SimpleNamespace) -> None:
    runs = runner()

    async def wait() -> tuple[list[Any], int]:
        with runs.line.turn(100) as busy, runs.line.turn(50):
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


def test_what_is_drawn_already_waits_for_no_turn_and_takes_none() -> None:
    runs = NewestRun[str, str](WaitingLine(1), lambda wanted: 1.0, lambda drawn: 0.0, is_drawn={"old"}.__contains__)

    async def wait() -> tuple[list[Any], bool]:
        with runs.line.turn(100):
            runs.ask(ME, "old")
            return await heard(runs, ME, drawn_at_once), runs.line.crowded

    assert asyncio.run(wait()) == (["old begins", "old is done"], False)


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
    line = WaitingLine(width=2)
    with line.turn(10) as a, line.turn(10) as b, line.turn(30) as c, line.turn(10) as d:
        assert [line.ahead(one) for one in (a, b, c)] == [0, 0, 1]
        assert line.seconds(c) is None, "nothing was measured yet"
        for done in (0.1, 0.5):
            line.report(a, done)
            clock.now += 4
        assert line.seconds(c) == pytest.approx((1 + 2) / 2), "5 of a, 4 s ago, and all of b, since 8 s, at 1 s each"
        assert line.seconds(d) == pytest.approx((1 + 2 + 30) / 2)
    assert line.estimate(1200) == pytest.approx(1200)


def test_what_was_drawn_before_teaches_no_pace(clock: SimpleNamespace) -> None:
    line = WaitingLine()
    with line.turn(20) as cached:
        line.ahead(cached)
        line.report(cached, 1.0)
    assert line.estimate(20) is None
