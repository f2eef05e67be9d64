"""Objects in one's hands, without a page: requests as lists and as links, undo, the lane to the server, places."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clevr_demo.objects import OBJECTS
from clevr_demo.request import GenerationRequest, from_query, query_of
from clevr_demo.ui.controls import Controls
from tests.ui.assets.node import in_node

FILES = ("hands/request.js", "hands/undo.js", "hands/lane.js", "hands/model.js")
VALUES: list[Any] = [["red cube", "blue sphere"], 7, 20, "dpm", 1, "", "at=red-cube%3A30.5%3A12&seed-pixels=3"]
NAMES = json.dumps(OBJECTS)


def ask(expression: str) -> Any:
    return in_node(expression, *FILES)


def test_a_list_of_values_and_a_link_of_the_server_say_the_same() -> None:
    request = Controls.read(VALUES)
    link = json.dumps(request.query({"ddpm": "1a2b3c4d"}))
    assert ask(f"asksFor({link}, {json.dumps(VALUES)})")
    back = ask(f"valuesOf({link})")
    assert Controls.read(back) == request
    assert from_query(query_of(ask(f"queryOf({json.dumps(VALUES)})")))[0] == request


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, ["red cube"]), (1, 8), (2, 4), (3, "ddim"), (4, 2), (5, "acgan,ddpm"), (6, ""), (6, "at=red-cube:30.5:13")],
)
def test_any_other_value_is_another_request(place: int, value: Any) -> None:
    link = json.dumps(Controls.read(VALUES).query())
    other = [*VALUES[:place], value, *VALUES[place + 1 :]]
    assert not ask(f"asksFor({link}, {json.dumps(other)})")


def test_a_scene_takes_places_in_the_links_own_order_and_keeps_seeds() -> None:
    pins = "new Map([['blue sphere', [40, 20]], ['gray cube', [10.5, 11]], ['cyan cube', [1, 1]]])"
    ticked = json.dumps(["blue sphere", "gray cube"])
    found = ask(f"withScene({json.dumps(VALUES)}, {ticked}, {pins}, {NAMES})")
    assert found[0] == ["gray cube", "blue sphere"]
    places = {"gray cube": (10.5, 11), "blue sphere": (40, 20)}
    assert Controls.read(found) == GenerationRequest.of(found[0], 7, places=places, seeds={"pixels": 3})
    freed = ask(f"withScene({json.dumps(VALUES)}, {ticked}, new Map(), {NAMES})")
    assert freed[6] == "seed-pixels=3"


def test_undo_and_redo_walk_over_what_was_asked_for() -> None:
    program = """(() => {
        const values = (seed) => [['red cube'], seed, 20, 'dpm', 1, '', ''];
        let steps = undoFrom(values(1));
        for (const seed of [2, 2, 3]) steps = noted(steps, values(seed));
        const seen = [];
        for (const act of [undone, undone, undone, redone, (s) => noted(s, values(9)), redone, undone]) {
            steps = act(steps);
            seen.push([steps.now[1], steps.past.length, steps.future.length]);
        }
        return seen;
    })()"""
    assert ask(program) == [[2, 1, 1], [1, 0, 2], [1, 0, 2], [2, 1, 1], [9, 2, 0], [9, 2, 0], [2, 1, 1]]


def lane(script: str) -> Any:
    """What a lane asked and showed while `script` pushed and dropped; an answer takes some turns of the event loop."""
    return ask(f"""await (async () => {{
        const asked = [], shown = [], slept = [], answers = {{}};
        const later = () => new Promise((done) => setTimeout(done, 2));
        const serve = async (one) => {{
            asked.push(one);
            await later();
            if (answers[one] === 'fail') throw new Error(one);
            return answers[one]?.shift() ?? {{ run: one, rest: 0 }};
        }};
        const it = laneOf(serve, ({{ run }}) => shown.push(run ?? 'rest'), async (seconds) => slept.push(seconds));
        {script}
        for (let turn = 0; turn < 20; turn += 1) await later();
        return {{ asked, shown, slept, busy: it.busy() }};
    }})()""")


def test_of_what_is_pushed_meanwhile_the_newest_alone_is_asked_and_the_last_is_shown() -> None:
    found = lane("for (const one of ['a', 'b', 'c', 'd']) it.push(one);")
    assert found == {"asked": ["a", "d"], "shown": ["a", "d"], "slept": [], "busy": False}


def test_what_was_dropped_is_neither_asked_nor_shown() -> None:
    found = lane("it.push('a'); it.push('b'); it.drop(); it.push('c');")
    assert found["asked"] == ["a", "c"]
    assert found["shown"] == ["c"], "an answer to what was asked before is too old"
    assert lane("it.push('a'); it.push('b'); it.drop();")["asked"] == ["a"]


def test_who_has_to_rest_asks_again_and_the_newest_is_drawn() -> None:
    found = lane("answers.a = [{ rest: 0.2 }]; it.push('a');")
    assert found == {"asked": ["a", "a"], "shown": ["rest", "a"], "slept": [0.2], "busy": False}
    found = lane("answers.a = [{ rest: 0.2 }]; it.push('a'); it.push('b');")
    assert found["asked"] == ["a", "b"]


def test_a_failure_stops_nothing() -> None:
    found = lane("answers.a = 'fail'; it.push('a'); it.push('b');")
    assert found == {"asked": ["a", "b"], "shown": ["b"], "slept": [], "busy": False}


def test_places_are_in_half_pixels_within_the_picture() -> None:
    assert ask("[halved([30.26, 12.2]), halved([-3, 70])]") == [[30.5, 12], [0, 63]]
    assert ask("[moved([30.5, 12], ARROWS.ArrowUp, 4), moved([0, 63], ARROWS.ArrowRight, 1)]") == [[26.5, 12], [0, 63]]


def test_a_place_under_a_pointer_and_where_it_is_shown_agree() -> None:
    box = "{ left: 100, top: 50, width: 640, height: 640 }"
    row, column = ask(f"placeAt({box}, {{ x: 325, y: 355 }})")
    assert (row, column) == pytest.approx((30, 22))
    assert ask(f"placeAt({box}, {{ x: 90, y: 355 }})")[1] < 0, "a little outside is the edge"
    assert ask(f"placeAt({box}, {{ x: 30, y: 355 }})") is None, "well outside it is off"
    assert ask(f"shareOf([{row}, {column}])") == pytest.approx([0.4765625, 0.3515625])


def test_of_marks_within_reach_the_nearest_is_meant() -> None:
    box = "{ left: 0, top: 0, width: 640, height: 640 }"
    marks = json.dumps([{"name": "one", "place": [10, 10]}, {"name": "other", "place": [10, 12]}])
    assert ask(f"nearestMark({marks}, {box}, {{ x: 118, y: 105 }})")["name"] == "other"
    assert ask(f"nearestMark({marks}, {box}, {{ x: 100, y: 105 }})")["name"] == "one"
    assert ask(f"nearestMark({marks}, {box}, {{ x: 105, y: 130 }})") is None
    assert ask(f"nearestMark([], {box}, {{ x: 105, y: 130 }})") is None
