"""Grids, drawn by stand-ins that say what they were asked for."""

from __future__ import annotations

import numpy as np
import pytest

from tests.serve.tables import FakeStudio, drawn, gates_of, pixels_of, plan_of


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
    monkeypatch.setattr("clevr_demo.serve.grid.INTERVAL", -1.0)


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
