"""The scores, against direct computation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from clevr_demo.checkpoints import read_metrics
from clevr_demo.objects import OBJECTS
from clevr_demo.records import Record, read
from tests.conftest import shipped
from tests.train.measure.made import Judge, Painter, job
from train.measure import __main__ as measure
from train.measure import drawing, prompts, records, scores


def said(folder: Path) -> dict[str, Any]:
    """The scores of a folder, without what differs from run to run."""
    entries = read_metrics(folder)["scores"]
    return {entry: found | {"command": "", "seconds": 0} for entry, found in entries.items()}


def rows(folder: Path) -> list[Record]:
    """The records of a folder, without the time that each took."""
    return [replace(row, seconds=0) for row in read(folder)]


def test_scores_are_what_direct_computation_gives(iclevr: Path, tmp_path: Path) -> None:
    run = job(iclevr, tmp_path / "model", "scores", "--prompts", "test", "--seeds", "4")
    scores.run(run)
    wanted = prompts.read_prompts("test", iclevr, lambda: run.pictures) * 4
    seeds = [10_000 * repeat + place for repeat in range(4) for place in range(2)]
    exact, number, hits = [], [], []
    pictures = [
        drawing.quantised(Painter().one(prompt, seed).frames[0].predicted_pixels)
        for prompt, seed in zip(wanted, seeds, strict=True)
    ]
    names = [sorted(one.name for one in seen) for seen in Judge().detect(torch.stack(pictures))]
    for seen, prompt, picture in zip(names, wanted, pictures, strict=True):
        exact.append(seen == sorted(OBJECTS[index] for index in prompt))
        number.append(len(seen) == len(prompt))
        hits.append(len({*picture[0, 1, :24].topk(len(prompt)).indices.tolist()} & {*prompt}))
    entry = read_metrics(tmp_path / "model")["scores"]["test"]
    assert 0 < np.mean(number) < 1
    asked = sum(map(len, wanted))
    for name, share in {"exact": np.mean(exact), "number": np.mean(number), "accuracy": sum(hits) / asked}.items():
        assert entry[name]["mean"] == pytest.approx(share, abs=1e-4)
        assert 0 <= entry[name]["low"] <= entry[name]["mean"] <= entry[name]["high"] <= 1
    passes = np.reshape(exact, (4, 2)).mean(axis=1)
    assert entry["exact"]["std"] == pytest.approx(np.std(passes, ddof=1), abs=1e-4)
    assert (entry["prompts"], entry["seeds"], entry["evaluations"], entry["seconds"]) == (2, 4, 1, 0.1)
    assert (entry["model"], entry["judge"], entry["command"]) == (Painter.name, Judge.name, run.command)
    kept = read(tmp_path / "model")
    assert [(row.seed, row.objects, row.exact, row.hits) for row in kept] == list(
        zip(seeds, wanted, exact, hits, strict=True)
    )


def test_a_stopped_run_goes_on_and_gives_the_same_rows(
    iclevr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "CHUNK", 2)
    words = ("scores", "--prompts", "test", "anywhere", "--seeds", "3")
    monkeypatch.setattr(records, "SCENES", 1)
    scores.run(job(iclevr, tmp_path / "whole", *words))
    with pytest.raises(KeyboardInterrupt):
        scores.run(job(iclevr, tmp_path / "parts", *words, model=Painter(fails_after=5)))
    assert [row.seed for row in read(tmp_path / "parts")] == [0, 1, 10_000, 10_001]
    rest = Painter()
    scores.run(job(iclevr, tmp_path / "parts", *words, model=rest))
    assert rest.drawn[:2] == [20_000, 20_001]
    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")
    assert said(tmp_path / "parts") == said(tmp_path / "whole")
    again = Painter()
    scores.run(job(iclevr, tmp_path / "parts", *words, model=again))
    assert again.drawn == [], "nothing that there is a row of"


def test_rows_of_other_judges_stay_and_of_other_weights_go(iclevr: Path, tmp_path: Path) -> None:
    words, folder = ("scores", "--prompts", "test", "--seeds", "2"), tmp_path / "model"
    for judge in ("detector@1+checkpoint@aaaaaaaa", "detector@1+checkpoint@bbbbbbbb"):
        run = job(iclevr, folder, *words)
        run.judge.name = judge
        scores.run(run)
        assert read_metrics(folder)["scores"]["test"]["judge"] == judge
    assert len(read(folder)) == 8
    other = Painter()
    other.name = "acgan@painted2"
    scores.run(job(iclevr, folder, *words, model=other))
    assert other.drawn[:4] == [0, 1, 10_000, 10_001]
    assert {row.model for row in read(folder)} == {"acgan@painted2"}
    assert read_metrics(folder)["scores"]["test"]["model"] == "acgan@painted2"


def test_prompts_that_changed_are_drawn_anew_and_set_names_mean_the_data_folder(
    iclevr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "sub" / "mine.json"
    own.parent.mkdir()
    found = []
    for asked in ([["red cube"]], [["red cube"], ["blue sphere", "gray cube"]]):
        own.write_text(json.dumps(asked))
        (tmp_path / "test.json").write_text(json.dumps([["gray cube"]] * 5))  # another's, where the command is given
        scores.run(job(iclevr, tmp_path / "model", "scores", "--prompts", "sub/mine.json", "test", "--seeds", "1"))
        found.append(read_metrics(tmp_path / "model")["scores"])
    assert [one["sub/mine.json"]["prompts"] for one in found] == [1, 2]
    assert [one["test"]["prompts"] for one in found] == [2, 2]
    assert sorted(path.name for path in own.parent.iterdir()) == ["mine.json"], "nothing beside the user's own file"
    assert len(list((tmp_path / "model").glob("mine-*.png"))) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["scores", "--model", "ddpm", "--seeds", "0"], "0 is not between 1 and inf"),
        (["scores", "--model", "ddpm", "--steps", "1201"], "1201 is not between 1 and 1200"),
        (["realism", "--model", "ddpm", "--draws", "-1"], "-1 is not between 1 and inf"),
        (["speed", "--model", "ddpm", "--rounds", "0"], "0 is not between 1 and inf"),
        (["cards", "--checkpoint", "nope"], "nope: no such folder"),
        (["scores", "--model", "ddpm", "--checkpoint", "nope"], "nope: no such folder"),
        (["speed", "--model", "ddpm", "--checkpoint", "{acgan}"], "config.json: "),
        (["scores", "--model", "acgan", "--checkpoint", "{empty}"], "model.safetensors: missing"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence_before_anything_is_drawn(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"empty": tmp_path / "empty", "acgan": shipped("acgan")}
    with pytest.raises(SystemExit) as caught:
        measure.main([word.format(**places) for word in words])
    said = caught.value.code if isinstance(caught.value.code, str) else capsys.readouterr().err.splitlines()[-1]
    assert told in said
    assert "\n" not in said


def test_a_folder_that_may_not_be_written_is_told_before_anything_is_drawn(
    iclevr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*arguments: Any, **named: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr("train.measure.job.tempfile.NamedTemporaryFile", denied)
    painter = Painter()
    with pytest.raises(PermissionError):
        job(iclevr, tmp_path, "scores", "--prompts", "test", model=painter).check()
    assert painter.drawn == []


def test_the_grid_shows_the_first_seeds_pictures(iclevr: Path, tmp_path: Path) -> None:
    scores.run(job(iclevr, tmp_path / "model", "scores", "--prompts", "test", "--seeds", "2"))
    shown_grid = np.asarray(Image.open(tmp_path / "model" / "test.png"))
    for number in range(2):
        expected = Painter().one([0], number).frames[0].predicted_pixels.add(1).mul(127.5).round()
        left = 2 + number * 66
        assert np.array_equal(shown_grid[2:66, left : left + 64], expected.movedim(0, -1).numpy())
