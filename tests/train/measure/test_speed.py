"""The times of a race."""

from __future__ import annotations

from pathlib import Path

import pytest

from clevr_demo.engine import ENGINE, ENGINES
from tests.graphs import written
from train.measure import speed
from train.measure.__main__ import job_of


def test_a_race_is_told_by_its_medians() -> None:
    timings = {
        "ours": [(0.4, 99.0, 20), (0.9, 99.5, 20), (0.5, 100.4, 20)],
        "theirs": [(9.0, 900.0, 100), (10.0, 900.0, 100), (20.0, 900.0, 100)],
    }
    found = speed.facts_of(timings)
    assert found["ours"] == {"seconds": 0.5, "ratio": 1.0, "evaluations": 20, "memory": 100}
    assert found["theirs"]["ratio"] == 20.0
    table = speed.table({"drawing": found, "device": "cpu", "threads": 1})
    assert "| theirs | 10.000 | 20.000 | 100 | 900 |" in table


@pytest.mark.parametrize(("kind", "ours", "others"), [("ddpm", 3, 1), ("acgan", 3, 0)])
@pytest.mark.parametrize("engines", [ENGINES, ("torch",)])
def test_the_pages_own_request_runs_first_and_beside_it_torch(
    kind: str, ours: int, others: int, engines: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "engines", lambda folder, device: engines)
    found = speed.runners(job_of(["speed", "--model", kind])[1], "cpu")
    assert len(found) == ours * len(engines) + others
    assert next(iter(found)).startswith(f"{kind.upper()}, 20 frames")
    assert [runner[-1] for runner in found.values()][:ours] == [engines[0]] * ours
    assert sum(name.endswith(", by torch") for name in found) == ours * (len(engines) - 1)


def test_engines_are_compared_where_there_are_graphs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert speed.engines(tmp_path, "cpu") == ("torch",)
    (tmp_path / "planner.onnx").touch()
    assert speed.engines(tmp_path, "cpu") == ENGINES
    assert speed.engines(tmp_path, "cuda") == ("torch",)
    monkeypatch.setenv(ENGINE, "torch")
    assert speed.engines(tmp_path, "cpu") == ("torch",)


@pytest.mark.timeout(900)  # on a busy machine exporting takes minutes
def test_every_network_is_timed_by_both_engines() -> None:
    found = speed.passes_of(written("classifier"), 1)
    assert list(found) == ["classifier: classifier"]
    facts = found["classifier: classifier"]
    assert facts["ratio"] == pytest.approx(facts["torch"] / facts["onnxruntime"], rel=0.05)
    table = speed.table({"drawing": {}, "networks": found, "device": "cpu", "threads": 1})
    assert "| one pass | ONNX Runtime, ms | torch, ms | times as fast |" in table
