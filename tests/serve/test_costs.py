"""What pictures cost here: medians, and of how many; an old draw is no new measurement."""

from __future__ import annotations

from clevr_demo.serve.costs import KEPT, Costs
from clevr_demo.serve.drawing import SharedRuns
from tests.serve.at_once import FakeStudio, request


def test_seconds_are_the_median_of_what_was_measured_and_say_of_how_many() -> None:
    costs = Costs()
    assert costs.words("ddpm", 20, "acgan", 1) == "20 passes", "nothing was measured"
    for seconds in (0.3, 9.0, 0.32):
        costs.add("ddpm", 20, seconds)
    costs.add("ddpm", 4, 0.06)
    costs.add("acgan", 1, 0.008)
    assert costs.words("ddpm", 20, "acgan", 1) == "20 passes, 320 ms: 40 times as long (median of 3 draws here)"
    assert costs.words("ddpm", 4, "acgan", 1) == "4 passes, 60 ms: 8 times as long (measured once here)"
    assert costs.words("acgan", 1, "ddpm", 20) == "1 pass, 8 ms (measured once here)"


def test_old_measurements_make_room_for_new_ones() -> None:
    costs = Costs()
    for seconds in [5.0] * KEPT + [1.0] * KEPT:
        costs.add("ddpm", 20, seconds)
    assert costs.typical("ddpm", 20) == (1.0, KEPT)


def test_who_asks_for_what_was_drawn_is_told_of_no_new_draw() -> None:
    studio = FakeStudio()
    runs = SharedRuns(studio)
    for steps, draws in ((5, 1), (5, 1), (5, 1)):
        *_, run = runs.follow(request(steps), lambda: False)
        assert studio.costs.typical("ddpm", steps)[1] == draws
        assert run.payload()["pairs"][0]["ddpm"]["cost"].endswith("(measured once here)")
    *_, other = runs.follow(request(5, pictures=2), lambda: False)
    assert other.payload()["pairs"][1]["acgan"]["cost"] == "1 pass, 8 ms (median of 3 draws here)"
    *_, again = runs.follow(request(5), lambda: False)
    assert again.payload()["pairs"][0]["acgan"]["cost"] == "1 pass, 8 ms (median of 3 draws here)"
