"""The change of one object."""

from __future__ import annotations

from typing import Any

import pytest

from clevr_demo.objects import InputError
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.change import changed, draw_change, what_moved
from tests.serve.tables import REQUEST, FakeStudio, never, verdict


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
