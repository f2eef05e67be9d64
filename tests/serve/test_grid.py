"""Grids and the change of one object, drawn by stand-ins that say what they were asked for."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clevr_demo.models import Contender
from clevr_demo.objects import InputError
from clevr_demo.pictures import query_in
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.axes import Plan
from clevr_demo.serve.change import changed, draw_change, what_moved
from clevr_demo.serve.grid import draw_grid
from clevr_demo.serve.sheet import sheet_png
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.table import Table, score

REQUEST = GenerationRequest.of(["red cube", "blue sphere"], seed=5, steps=4)


def pixels_of(model: str, objects: tuple[int, ...], seed: int, steps: int = 0, sampler: str = "") -> np.ndarray:
    """A picture whose pixels say what was asked for."""
    key = hash((model, objects, seed, steps, sampler)) % 2**32
    return np.random.default_rng(key).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@dataclass
class Gate:
    """A contender's pictures, one after the other; `notice` says that it is not drawn as usual."""

    kind: str
    fingerprint: str
    notice: str = ""
    calls: list[int] = field(default_factory=list)
    drawn: int = 0

    @property
    def contender(self) -> Contender:
        return Contender(self.kind, self.kind)

    def stills(self, requests: list[GenerationRequest], timeline: bool, stopped: Any) -> Any:
        assert not timeline
        self.calls.append(len(requests))
        for place, one in enumerate(requests):
            if stopped():
                return
            self.drawn += 1
            steps: tuple[Any, ...] = (one.steps, one.sampler) if self.kind == "ddpm" else ()
            pixels = pixels_of(self.kind, one.objects, one.seed, *steps)
            yield place, SimpleNamespace(predicted=pixels, notice=self.notice)


def verdict(requested: tuple[str, ...], found: dict[str, tuple[float, float]], **more: Any) -> Any:
    """A verdict by what is found, each once."""
    missing = tuple(name for name in requested if name not in found)
    extra = tuple(name for name in found if name not in requested)
    told = {
        "requested": requested,
        "missing": missing,
        "extra": extra,
        "exact": not missing and not extra,
        "accuracy": 1 - len(missing) / len(requested),
        "sentence": f"{len(missing)} missing",
        "found": [SimpleNamespace(name=name, row=row, column=column) for name, (row, column) in found.items()],
        "counts": dict.fromkeys(found, 1),
    }
    return SimpleNamespace(**(told | more))


class FakeStudio(Studio):
    """The stand-ins together; the judge finds everything, always at the same place."""

    def __init__(self, notice: str = "") -> None:
        gates: Any = {"ddpm": Gate("ddpm", "11111111", notice), "acgan": Gate("acgan", "22222222")}
        judge: Any = None
        super().__init__(gates, judge)

    def verdicts(self, pictures: Any, request: GenerationRequest) -> list[Any]:
        return [verdict(request.names, dict.fromkeys(request.names, (1.0, 2.0))) for _ in pictures]


def plan_of(model: str, rows: tuple[str, str], columns: tuple[str, str]) -> Plan:
    return Plan.of(REQUEST, model, rows, columns, FakeStudio().contenders)


def gates_of(studio: FakeStudio) -> tuple[Any, Any]:
    return studio.gates["ddpm"], studio.gates["acgan"]


def never() -> bool:
    return False


def drawn(studio: Any, plan: Plan, stopped: Any = never) -> tuple[list[dict[str, Any]], Table]:
    """The payload after every update, and the table at the end."""
    payloads, table = [], None
    for table in draw_grid(studio, plan, stopped):
        payloads.append(table.payload())
    assert table is not None
    return payloads, table


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


def test_each_column_has_its_mean_and_the_legend_says_what_words_mean() -> None:
    payloads, _ = drawn(FakeStudio(), plan_of("ddpm", ("seed", "1-3"), ("steps", "4, 8")))
    assert payloads[-1]["foot"] == ["3 of 3 exact"] * 2
    assert payloads[-1]["legend"][0] == ["exact", "the judge finds every object once and nothing else"]
    assert payloads[0]["legend"] == []


def test_the_table_says_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table("t", ["a", "b"], ["c"], passes=300)
    assert table.status == "Drawing: 0 of 2 pictures, 300 network passes"
    clock = [table.started + 90]
    monkeypatch.setattr("clevr_demo.serve.table.time.monotonic", lambda: clock[0])
    table.spent = 50
    assert table.status == "Drawing: 0 of 2 pictures", "the first picture waits for more than itself"
    clock[0] += 10
    table.spent = 100
    assert table.status == "Drawing: 0 of 2 pictures, about 40 s to go"


def test_the_words_below_a_picture() -> None:
    names = ("red cube", "blue sphere")
    place = (0.0, 0.0)
    assert score(verdict(names, dict.fromkeys(names, place))) == "exact"
    assert score(verdict(names, {"red cube": place})) == "1 of 2"
    assert score(verdict(names, dict.fromkeys((*names, "gray cube"), place))) == "2 of 2 +1"


def test_the_sheet_is_a_picture_that_knows_its_grid(tmp_path: Any) -> None:
    _, table = drawn(FakeStudio(), plan_of("ddpm", ("seed", "1, 2"), ("steps", "4, 8")))
    path = tmp_path / "sheet.png"
    path.write_bytes(sheet_png(table, "https://duel.example/"))
    query = query_in(path)
    assert query is not None
    assert query.endswith("&grid=ddpm&rows=seed:1,2&columns=steps:4,8")
    shown = np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))
    small = table.pictures[3].pixels
    doubled = small.repeat(2, 0).repeat(2, 1)
    windows = np.lib.stride_tricks.sliding_window_view(shown[..., 0], (1, 128))[:, :, 0]
    assert (
        (windows == doubled[0, :, 0]).all(axis=-1).any()
    )  # the last picture's first line stands in it, pixel by pixel


def test_the_largest_sheet_and_the_longest_names_fit() -> None:
    table = Table("title " * 30, ["a very long head of a column"] * 8, ["row " * 20] * 8, passes=1, query="x" * 2000)
    shown = np.asarray(Image.open(io.BytesIO(sheet_png(table, "https://duel.example/"))).convert("RGB"))
    assert (shown[:, -20:] == 255).all()
    assert (shown[-20:] == 255).all()


def test_a_change_names_what_cannot_be_changed() -> None:
    assert changed(REQUEST, "red cube", "gray cube").names == ("gray cube", "blue sphere")
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
