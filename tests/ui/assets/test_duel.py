"""How a run is read in the browser."""

from __future__ import annotations

import json

import pytest

from tests.ui.assets.node import in_node

DICE = ("duel/dice.js",)


def test_a_position_shows_the_newest_frame_that_is_not_later() -> None:
    shown = in_node("[0, 1, 2, 3, 4, 5].map((position) => frameAt(timeline(side), position).x0 ?? 'places')")
    assert shown == ["empty", "places", "noise", "noise", "scene", "picture"]
    assert in_node("[0, 1, 2, 5].map((position) => named(position, 2, 4))") == [
        "Places 1 of 2", "Places 2 of 2", "Step 1 of 4", "Step 4 of 4",
    ]  # fmt: skip


def test_places_are_shown_on_the_empty_scene_that_travelled_once() -> None:
    shown = in_node("timeline(side).map((frame) => pictureOf(timeline(side), frame))")
    assert shown == ["empty", "empty", "noise", "scene", "picture"]


def test_the_noise_beside_it_is_the_steps_own_and_waits_while_the_places_are_chosen() -> None:
    shown = in_node("timeline(side).map((frame) => noiseOf(timeline(side), frame) ?? null)")
    assert shown == ["more noise", "more noise", "more noise", None, None]
    assert in_node("trailOf(timeline(side), side.frames[1], 0)") == [[1, 2], [3, 4]]


def test_a_die_shows_its_own_seed_or_that_of_the_picture() -> None:
    shown = in_node("[seedOf('seed=7&seed-looks=3', 'looks', 2), seedOf('seed=7&seed-looks=3', 'light', 2)]", *DICE)
    assert shown == [{"seed": "3", "own": True}, {"seed": "9", "own": False}]


def test_the_axis_and_a_press_on_it_agree() -> None:
    for where, steps in ((8, 20), (0, 20), (8, 1), (0, 1), (8, 1200), (1, 4)):
        positions = range(where + steps)
        back = in_node(
            f"{json.dumps(list(positions))}.map((p) => positionAt(axisOf(p, {where}, {steps}), {where}, {steps}))"
        )
        assert back == list(positions), (where, steps)
    shares = in_node("[0, 7, 8, 27].map((position) => axisOf(position, 8, 20))")
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1


def test_axis_numbers_are_round_with_both_ends() -> None:
    assert in_node("axisSteps(20)") == [1, 5, 10, 15, 20]
    assert in_node("axisSteps(4)") == [1, 2, 3, 4]
    assert in_node("axisSteps(1)") == [1]
    assert in_node("axisSteps(1200)") == [1, 200, 400, 600, 800, 1000, 1200]


def test_a_chip_says_found_missing_twice_or_extra() -> None:
    frame = {"found": [[1, 5, 6, 990], [2, 7, 8, 700], [2, 9, 9, 810], [9, 1, 1, 600]]}
    chips = in_node(f"chipsOf({json.dumps(frame)}, [1, 2, 3])")
    assert [(one["object"], one["mark"], one["ok"]) for one in chips] == [
        (1, "found", True), (2, "twice", False), (3, "missing", False), (9, "extra", False),
    ]  # fmt: skip
    assert chips[1]["sure"] == 0.81
    unjudged = in_node("chipsOf(side.frames[0], [1])")
    assert [(one["mark"], one["ok"]) for one in unjudged] == [("", False)]


def test_chips_never_contradict_exactness() -> None:
    """What is found is what was asked for, each once, just when every chip is right."""
    for found in ([], [1], [1, 2], [1, 2, 2], [1, 2, 5], [5]):
        frame = {"found": [[index, 0, 0, 900] for index in found]}
        chips = in_node(f"chipsOf({json.dumps(frame)}, [1, 2])")
        assert all(one["ok"] for one in chips) == (sorted(found) == [1, 2]), found


def test_the_race_marks_when_all_was_found() -> None:
    pair = "{ ddpm: side, acgan: { frames: [], last: side.last, seconds: 0.008, complete: 1 } }"
    race = in_node(f"raceOf({pair}, [{{ name: 'ddpm', steps: true }}, {{ name: 'acgan', steps: false }}])")
    ddpm, acgan = race["bars"]
    assert race["most"] == ddpm["seconds"] == 0.04
    assert ddpm["complete"] == {"step": 3, "at": 0.03}
    assert acgan["complete"] is None, "a single pass has no step to tell"


@pytest.mark.parametrize("places", [[0.5, 0.52, 0.9, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0.7, 0.1]])
def test_labels_of_ticks_do_not_touch(places: list[float]) -> None:
    labels = json.dumps([{"at": at} for at in places])
    found = in_node(f"sideBySide({labels}, 0.15)", "duel/model.js", "duel/parts.js", "duel/chart.js")
    lefts = [one["left"] for one in found]
    assert [one["at"] for one in found] == sorted(places)
    assert all(later - left >= 0.15 - 1e-9 for left, later in zip(lefts, lefts[1:], strict=False))
    assert lefts[0] >= 0
    assert lefts[-1] + 0.15 <= 1 + 1e-9
