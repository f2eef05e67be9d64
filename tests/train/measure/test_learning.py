"""Two runs' moments become sheets and figures that the page can show."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from clevr_demo.checkpoints import CheckpointError, read_config
from clevr_demo.serve.learning import FILE, learned, there
from tests.train.measure.made import Judge
from train import acgan, ddpm
from train.learning import loop
from train.measure import learning
from train.measure.__main__ import job_of

MOMENTS = [4, 16]


@pytest.fixture(scope="module")
def runs(iclevr: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Finished runs of the tiny painters that kept two moments, and of their planners after a single step."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "FIRST_MOMENT", MOMENTS[0])
        for name, train in (("ddpm", ddpm), ("acgan", acgan)):
            for stage, much in (("where", ["--max-minutes", "0"]), ("what", ["--pictures", "16", "--moments", "2"])):
                words = ["--data", str(iclevr), "--preset", f"tiny-{stage}", "--out", str(folder / f"{name}-{stage}")]
                train.main([*words, *much, "--set", "loop.batch=4"])
    return {path.name: path for path in folder.iterdir()}


def test_sheets_and_figures_of_two_runs(runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "REQUESTS", learning.REQUESTS[:2])
    assert not there(tmp_path)
    assert learned(tmp_path) is None
    words = ["learning", str(runs["ddpm-what"]), str(runs["acgan-what"]), "--out", str(tmp_path), "--pictures", "3"]
    where = ["--where", str(runs["ddpm-where"]), str(runs["acgan-where"])]
    measure, job = job_of([*words, *where, "--steps", "2", "--device", "cpu"])
    job.judge = Judge()  # type: ignore[assignment]
    measure.run(job)
    assert there(tmp_path)
    found = learned(tmp_path)
    assert found is not None
    assert f" {runs['ddpm-what']} {runs['acgan-what']} --out" in found["command"]
    assert found["pictures"] == 3
    for name, one in found["models"].items():
        assert one["moments"] == MOMENTS
        assert len(one["shares"]) == len(MOMENTS)
        assert all(0 <= share["exact"] <= 1 for share in one["shares"])
        assert {read_config(path)["kind"] for path in learning.moments(runs[f"{name}-what"]).values()} == {name}
        with Image.open(tmp_path / one["sheet"]) as sheet:
            assert sheet.size == (64 * 2, 64 * len(MOMENTS))
    assert found["models"]["ddpm"]["curves"]["loss"][-1][0] == 16
    assert "adversary's gap" in found["models"]["acgan"]["curves"]
    assert found["looks"][0]["at"] == 4
    assert found["looks"][-1]["at"] == 16
    before = json.loads((tmp_path / FILE).read_text())
    words = ["learning", str(runs["acgan-what"]), "--out", str(tmp_path), "--where", str(runs["acgan-where"])]
    for how in (["--pictures", "6", "--steps", "2"], ["--pictures", "3", "--steps", "3"]):
        measure, job = job_of([*words, *how, "--device", "cpu"])
        job.judge = Judge()  # type: ignore[assignment]
        with pytest.raises(CheckpointError, match="the DDPM was measured with other (pictures|steps); name its run"):
            measure.run(job)
        assert json.loads((tmp_path / FILE).read_text()) == before
    measure, job = job_of([*words, "--pictures", "3", "--steps", "2", "--device", "cpu"])
    job.judge = Judge()  # type: ignore[assignment]
    measure.run(job)
    after = json.loads((tmp_path / FILE).read_text())["models"]
    assert after["ddpm"] == {"command": before["command"]} | before["models"]["ddpm"]
    assert "command" not in after["acgan"]


def test_the_committed_figures_are_of_the_weights_that_ship() -> None:
    found = learned()
    if found is None:
        pytest.skip("checkpoints/ holds no sheets of learning")
    assert {kind: one["ships"] for kind, one in found["models"].items()} == {
        kind: learning.ships(kind) for kind in found["models"]
    }
    assert found["looks"] == learning.looks(found["models"])


def test_a_run_without_moments_is_named(runs: dict[str, Path]) -> None:
    with pytest.raises(CheckpointError, match="no moments; train with --moments"):
        learning.moments(runs["ddpm-what"] / "moments")


def test_a_broken_folder_shows_nothing(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, format="WEBP")
    for text in ("{broken", json.dumps({"models": {"ddpm": {"sheet": "missing.webp"}}}), json.dumps([])):
        (tmp_path / FILE).write_text(text)
        assert learned(tmp_path) is None


def test_looks_say_when_each_is_halfway() -> None:
    def model(title: str, *exact: float) -> dict[str, object]:
        shares = [{"exact": one} for one in exact]
        return {"title": title, "moments": [10, 100, 1000], "shares": shares, "ships": 2_400_000}

    found = learning.looks({"ddpm": model("DDPM", 0.0, 0.2, 0.9), "acgan": model("ACGAN", 0.0, 0.5, 0.8)})
    assert [one["at"] for one in found] == [10, 100, 100, 1000]
    assert found[1]["text"].startswith("After 100 windows the ACGAN is halfway")
    assert found[2]["text"].startswith("After 100 windows the DDPM draws 20 % exactly"), (
        "it is halfway at its end alone"
    )
    assert "DDPM 90 % after 1,000 windows, ACGAN 80 % after 1,000 windows" in found[-1]["text"]
    assert "DDPM 2.4 million windows" in found[-1]["text"]


def test_what_weights_saw_counts_the_runs_they_started_from() -> None:
    first = {"pictures_seen": 1000}
    second = {"pictures_seen": 300, "start": first}
    assert learning.windows_seen({"pictures_seen": 10, "start": {"mean of": [first, second]}}) == 1310
    assert learning.windows_seen({}) == 0


def test_a_curve_is_thinned_evenly_in_the_logarithm() -> None:
    rows = [{"pictures": str(at), "loss": str(1 / at)} for at in range(1, 5001)]
    found = learning.curve(rows, "loss")
    assert len(found) <= learning.POINTS
    assert found[0] == [1, 1.0]
    assert found[-1][0] > 4500
    assert learning.curve(rows, "other") == []
