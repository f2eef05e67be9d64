"""Grids and the change of one object, drawn by stand-ins that say what they were asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clevr_demo.objects import InputError
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.experiments import changed, draw_change, what_moved
from tests.serve.tables import REQUEST, FakeStudio, drawn, gates_of, never, pixels_of, plan_of, verdict


def test_every_cell_holds_the_picture_of_its_own_request() -> None:
    plan = plan_of("ddpm", ("seed", "1-3"), ("steps", "4, 8"))
    _, table = drawn(FakeStudio(), plan)
    for place, cell in enumerate(plan.cells):
        one = cell.request
        wanted = pixels_of("ddpm", one.objects, one.seed, one.steps, one.sampler)
        assert np.array_equal(table.pictures[place].pixels, wanted)
        assert f"seed={one.seed}&steps={one.steps}" in table.pictures[place].query


@pytest.fixture(autouse=True)
def every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """No update is held back for coming too soon."""
    monkeypatch.setattr("clevr_demo.serve.experiments.INTERVAL", -1.0)


def test_the_models_are_asked_once_and_the_table_fills_as_pictures_come() -> None:
    studio = FakeStudio()
    ddpm, acgan = gates_of(studio)
    payloads, _ = drawn(studio, plan_of("ddpm", ("seed", "1-3"), ("model", "ddpm, acgan")))
    assert ddpm.calls == [3]
    assert acgan.calls == [3]
    assert [one["drawn"] for one in payloads] == [0, 1, 2, 3, 4, 5, 6, 6]
    assert payloads[-1]["state"] == "done"
    assert payloads[0]["cells"] == [None] * 6


def test_a_picture_that_fills_several_cells_is_drawn_once_and_said_to() -> None:
    studio = FakeStudio()
    ddpm, acgan = gates_of(studio)
    payloads, table = drawn(studio, plan_of("ddpm", ("model", "acgan"), ("steps", "4, 8, 20")))
    assert acgan.calls == [1]
    assert ddpm.calls == []
    assert len({table.pictures[place].pixels.tobytes() for place in range(3)}) == 1
    assert "one pass" in payloads[-1]["told"][0]


def test_stop_keeps_what_is_finished() -> None:
    studio = FakeStudio()
    ddpm, acgan = gates_of(studio)
    plan = plan_of("ddpm", ("seed", "1-4"), ("steps", "4, 1200"))
    payloads, table = drawn(studio, plan, stopped=lambda: ddpm.drawn >= 3)
    assert payloads[-1]["state"] == "stopped"
    assert sorted(table.pictures) == [0, 1, 2]
    assert payloads[-1]["status"] == "Stopped: 3 of 8 pictures"


def test_an_unusual_way_of_drawing_is_told_once() -> None:
    payloads, _ = drawn(FakeStudio(notice="The CPU draws."), plan_of("ddpm", ("seed", "1-3"), ("steps", "4")))
    assert payloads[-1]["told"] == ["The CPU draws."]


def test_a_change_names_what_cannot_be_changed() -> None:
    assert changed(REQUEST, "red cube", "gray cube").names == ("gray cube", "blue sphere")
    placed = GenerationRequest.of(REQUEST.objects, places={"red cube": (30, 12), "blue sphere": (20, 40)})
    assert changed(placed, "red cube", "gray cube").given == {10: (20, 40)}, "an object takes its place along"
    for out, into, told in (
        ("gray cube", "nothing", "not among the ticked"),
        ("nothing", "nothing", "choose an object"),
        ("nothing", "red cube", "choose an object"),
    ):
        with pytest.raises(InputError, match=told):
            changed(REQUEST, out, into)
    with pytest.raises(InputError, match="nothing would be left"):
        changed(GenerationRequest.of(["red cube"]), "red cube", "nothing")


def test_what_moved_is_told_by_where_the_judge_finds_it() -> None:
    names = ("red cube", "blue sphere", "gray cube")
    before = verdict(names, {"red cube": (10, 10), "blue sphere": (30, 30), "gray cube": (50, 50)})
    after = verdict(names[:2], {"red cube": (13, 14), "blue sphere": (31, 30)})
    assert what_moved(before, after) == "Moved: the red cube by 5 pixels; stood still: the blue sphere."
    lost = verdict(names[:2], {"red cube": (10, 10)})
    assert what_moved(before, lost) == "Stood still: the red cube; not found once in both: the blue sphere."
    twice = verdict(names[:2], {"red cube": (10, 10)}, counts={"red cube": 2})
    assert what_moved(before, twice).startswith("Not found once in both: the red cube, the blue sphere")
    assert what_moved(before, verdict(("cyan cube",), {})) == "No object is in both pictures."


def test_a_change_draws_both_models_twice_and_their_difference() -> None:
    studio: Any = FakeStudio()
    tables = list(draw_change(studio, REQUEST, changed(REQUEST, "red cube", "nothing"), never))
    payload = tables[-1].payload()
    assert (payload["state"], payload["drawn"]) == ("done", 6)
    assert payload["columns"] == ["red cube, blue sphere", "blue sphere", "what differs"]
    assert payload["cells"][2]["below"].endswith("% of pixels changed")
    assert payload["told"] == [f"{name}. Stood still: the blue sphere." for name in ("DDPM", "ACGAN")]
    stopped = list(draw_change(studio, REQUEST, changed(REQUEST, "red cube", "nothing"), lambda: True))
    assert stopped[-1].payload()["state"] == "stopped"
