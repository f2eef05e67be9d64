"""The line: who may draw, and how long the others wait."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from clevr_demo.serve.queue import WaitingLine


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
