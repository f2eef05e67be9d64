"""How fast something goes."""

from __future__ import annotations

from types import SimpleNamespace

from clevr_demo.serve.pace import Pace


def test_the_pace_is_that_between_the_first_report_and_the_newest(clock: SimpleNamespace) -> None:
    pace = Pace()
    assert (pace.made, pace.unit) == (0, None)
    for seconds, done in ((50, 3), (1, 5), (3, 13)):
        clock.now += seconds
        pace.report(done)
    assert (pace.made, pace.unit) == (10, 0.4)


def test_nothing_done_teaches_nothing(clock: SimpleNamespace) -> None:
    pace = Pace()
    pace.report(3)
    assert pace.unit is None
    clock.now += 5
    pace.report(3)
    assert pace.unit is None
