"""How a run is read in the browser."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clevr_demo.generators.acgan import load_acgan, noise_told
from clevr_demo.request import GenerationRequest
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
    shown = in_node("timeline(side).map((frame) => noisyOf(timeline(side), frame) ?? null)")
    assert shown == ["more noise", "more noise", "more noise", None, None]
    assert in_node("trailOf(timeline(side), side.frames[1], 0)") == [[1, 2], [3, 4]]


def test_a_die_shows_its_own_seed_or_that_of_the_picture() -> None:
    shown = in_node("[seedOf('seed=7&seed-looks=3', 'looks', 2), seedOf('seed=7&seed-looks=3', 'light', 2)]", *DICE)
    assert shown == [{"seed": "3", "own": True}, {"seed": "9", "own": False}]


NOISE = ("engine/mersenne.js", "engine/noise.js", "engine/walk.js", "duel/dice.js", "duel/start.js")


def test_what_one_pass_starts_from_is_what_the_generator_draws() -> None:
    generator = load_acgan(device="cpu")
    told = noise_told()
    request = GenerationRequest.of(["red cube"], seed=9, seeds={"looks": 3})
    theirs = generator._noise(request, 1, "both")[0]
    args = f"{json.dumps(told)}, "
    drawn = f"sourcesOf({args}'seed=7&seed-looks=3', 2)"
    mine, start = in_node(f"[{drawn}, startOf({args}{drawn}, {request.objects[0]})]", *NOISE)
    for name, values in theirs.items():
        assert list(mine[name].values()) == pytest.approx(values.flatten().tolist(), abs=1e-5), name
    planner, index = generator.network.planner, request.objects[0]
    meant = planner.mean + planner.scale * theirs["places"][index, :2]
    assert start == pytest.approx(meant.tolist(), abs=1e-4)


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
    slower = in_node("raceOf({ ddpm: { ...side, seconds: 0.08 } }, [{ name: 'ddpm', steps: true }])")
    assert slower["bars"][0]["complete"] == {"step": 3, "at": 0.06}, "at its share of the median"
    assert ddpm["complete"] == {"step": 3, "at": 0.03}
    assert acgan["complete"] is None, "a single pass has no step to tell"


WORDS = ("engine/numbers.js", "engine/words.js", "duel/model.js")
NAMES = json.dumps(["gray cube", "red cube", "blue cube"])


def conclusion(objects: list[int], since: list[int | None], steps: int = 20, exact: bool = True, seen: int = 0) -> str:
    """Of a finished timeline; on the way one frame saw the object `seen`."""
    way = [{"stage": "what", "step": 2, "found": [[seen, 1, 1, 900]] if seen else []}]
    last = {"step": steps, "found": [], "exact": exact}
    side = json.dumps({"frames": way, "last": last, "since": since})
    return in_node(f"conclusionOf({side}, {json.dumps({'steps': steps, 'objects': objects})}, {NAMES})", *WORDS)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([1, 2], [3, 1]), "Every object was recognised after step 3; steps 4 to 20 change only how it looks."),
        (([1, 2], [1, 19]), "Every object was recognised after step 19; step 20 changes only how it looks."),
        (([1, 2], [20, 1]), "Every object was recognised only in the last step, 20."),
        (([1], [1], 1), "The red cube was recognised in its only step."),
        (([1], [4], 20, False), "The red cube was recognised after step 4, more is seen than was asked for."),
        (([1, 2], [2, None], 20, False), "The red cube was recognised after step 2, the blue cube never."),
        (([1, 2], [2, None], 20, False, 2), "The red cube was recognised after step 2, the blue cube only on the way."),
        (([1, 2], [None, None], 20, False), "No object is recognised in the end."),
        (
            ([1, 2], [None, None], 20, False, 1),
            "No object is recognised in the end, the red cube only on the way, the blue cube never.",
        ),
        (
            ([0, 1, 2, 3], [2, 5, None, None], 20, False, 3),
            "2 of 4 objects were recognised after step 5, 1 only on the way, 1 never.",
        ),
    ],
    ids=str,
)
def test_the_chart_says_what_it_shows(arguments: tuple[Any, ...], told: str) -> None:
    assert conclusion(*arguments) == told


def test_the_chart_says_nothing_before_the_end_or_without_a_timeline() -> None:
    for side in ("{ frames: [], last: null }", "{ frames: [], last: { found: [], exact: false } }"):
        assert in_node(f"conclusionOf({side}, {{ steps: 4, objects: [1] }}, {NAMES})", *WORDS) == ""


def test_a_walk_says_in_how_many_frames_all_is_right() -> None:
    frames = [{"exact": number not in (3, 7)} for number in range(1, 21)]
    said = in_node(f"walkWords({json.dumps(frames)})", *WORDS)
    assert said == "18 of 20 frames show what was asked for, and nothing else, all but 3 and 7."
    assert in_node("walkWords([{ exact: true }])", *WORDS).startswith("Each of the 1 frames")
