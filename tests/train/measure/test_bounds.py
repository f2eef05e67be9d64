"""Real pictures judged for what they show, and for what others show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from clevr_demo.checkpoints import read_metrics
from clevr_demo.places import Given
from tests.train.made import squares
from tests.train.measure.made import Judge, Teacher
from train.data.scenes import material
from train.measure import anywhere, bounds
from train.measure.__main__ import job_of
from train.measure.prompts import ANYWHERE
from train.measure.records import Asked


def test_every_prompt_gets_anothers_of_as_many_objects() -> None:
    prompts = [(0, 1), (2, 3), (0, 1), (4,), (5,), (6, 7, 8)]
    found = bounds.others(prompts)
    assert [len(one) for one in found] == [len(one) for one in prompts]
    assert all(one != other for one, other in zip(found[:5], prompts[:5], strict=True))
    assert found[5] == prompts[5], "there is no other of three"
    many = [(index, index + 1) for index in range(20)]
    assert Counter(bounds.others(many)) == Counter(many)


def test_the_ceiling_and_the_floor_are_of_the_same_pictures(iclevr: Path, tmp_path: Path) -> None:
    job = job_of(["bounds", "--data", str(iclevr), "--checkpoint", str(tmp_path / "detector")])[1]
    job.judge, job.teacher = Judge(), Teacher()  # type: ignore[assignment]
    (tmp_path / "detector").mkdir()
    bounds.MEASURE.run(job)
    entry = read_metrics(tmp_path / "detector")["bounds"]
    assert entry["judge"] == Judge.name
    rows = bounds.rows(tmp_path)
    assert [row["pictures"] for row in rows.values()] == [6, 6]
    assert rows[bounds.CEILING]["number"]["mean"] == rows[bounds.FLOOR]["number"]["mean"]
    assert all(0 <= one["low"] <= one["high"] <= 1 for row in rows.values() for one in (row["exact"], row["accuracy"]))
    assert bounds.rows(tmp_path / "elsewhere") == {}


def test_real_objects_are_judged_at_the_places_of_the_scenes(
    iclevr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(["bounds", "--data", str(iclevr), "--checkpoint", str(tmp_path)])[1]
    job.judge, job.teacher = Judge(), Teacher()  # type: ignore[assignment]
    given = material(squares())
    monkeypatch.setattr(bounds, "material", lambda _: given)
    scenes = {scene_at(scene) for scene in Asked.of(job, ANYWHERE).places}
    found = bounds.put_together(job)
    assert 0 < len(found) < len(scenes), "some ask for what no picture shows"
    assert {row.at for row in found} <= scenes
    table = bounds.card(tmp_path, {"bounds": {"rows": {}, ANYWHERE: anywhere.by_number(found)}})
    assert f"| one | {len({row.at for row in found if len(row.objects) == 1})} |" in table


def scene_at(given: Given) -> tuple[tuple[int, float, float], ...]:
    return tuple(sorted((index, *place) for index, place in given.items()))
