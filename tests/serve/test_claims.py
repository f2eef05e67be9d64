"""The report's tab says what the committed files say, and leaves out what they do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clevr_demo.serve.claims import CLAIMS, facts, markup, number, read, written

CLAIM = {claim.name: claim for claim in CLAIMS}


def scored(exact: float, spread: float) -> dict[str, Any]:
    return {"exact": {"mean": exact, "std": spread}, "evaluations": 20, "seconds": {"mean": 0.31, "std": 0.01}}


def test_figures_come_from_the_folders_files(tmp_path: Path) -> None:
    for model, exact in (("ddpm", 0.953), ("acgan", 0.9716)):
        (tmp_path / model).mkdir()
        (tmp_path / model / "metrics.json").write_text(json.dumps({"scores": {"test": scored(exact, 0.0134)}}))
    known = facts(tmp_path)
    quality = written(CLAIM["quality"], known)
    assert [line.label for line in quality] == ["counted exact, test.json"]
    assert quality[0].values == {"ddpm": "95.3 %", "acgan": "97.2 %"}
    assert quality[0].shares == {"ddpm": 0.953, "acgan": 0.9716}
    assert written(CLAIM["stability"], known)[0].values == {"ddpm": "± 1.3", "acgan": "± 1.3"}
    assert [line.values["ddpm"] for line in written(CLAIM["cost"], known)] == ["20", "310 ms"]


def test_a_figure_that_one_model_lacks_is_a_dash(tmp_path: Path) -> None:
    (tmp_path / "ddpm").mkdir()
    (tmp_path / "ddpm" / "metrics.json").write_text(json.dumps({"scores": {"test": scored(0.9, 0.1)}}))
    assert "&ndash;" in markup(CLAIM["quality"], facts(tmp_path))


def test_missing_and_broken_files_leave_lines_out(tmp_path: Path) -> None:
    (tmp_path / "ddpm").mkdir()
    (tmp_path / "ddpm" / "metrics.json").write_text("{broken")
    assert read(tmp_path / "ddpm") == {"metrics": {}, "config": {}, "weights": None}
    for claim in CLAIMS:
        assert written(claim, facts(tmp_path)) == []
        assert "Not measured yet" in markup(claim, facts(tmp_path))


def test_a_number_is_read_wherever_it_stands() -> None:
    known = {"metrics": {"a": {"mean": 0.5, "std": 0.1}, "b": True, "c": "1", "d": {"x": 1}}}
    assert number(known, "metrics", "a") == 0.5
    assert number(known, "metrics", "a", "std") == 0.1
    for path in (("metrics", "b"), ("metrics", "c"), ("metrics", "d"), ("metrics", "a", "mean", "more"), ("none",)):
        assert number(known, *path) is None


def test_the_reports_own_scores_stand_beside_ours() -> None:
    told = {"scores": {"test": {"accuracy": {"mean": 0.98, "std": 0.01}}}}
    known = {model: {"metrics": told} for model in ("ddpm", "acgan")}
    page = markup(CLAIM["quality"], known)
    assert "report 84.7 %" in page
    assert "report 61.1 %" in page


def test_every_claim_has_a_request_of_its_own_that_shows_it() -> None:
    assert [claim.name for claim in CLAIMS] == ["quality", "cost", "stability", "variety"]
    assert len({claim.request for claim in CLAIMS}) == len(CLAIMS)
