"""The scores, against direct computation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from clevr_demo.checkpoints import read_metrics
from clevr_demo.objects import OBJECTS
from tests.conftest import shipped
from tests.train.measure.made import Judge, Painter, job
from train.measure import __main__ as measure
from train.measure import drawing, prompts, scores
from train.measure.tables import read_csv


def test_scores_are_what_direct_computation_gives(iclevr: Path, tmp_path: Path) -> None:
    run = job(iclevr, tmp_path / "model", "scores", "--prompts", "test", "--seeds", "4")
    scores.run(run)
    wanted = prompts.read_prompts("test", iclevr, lambda: run.pictures)
    exact, number, hits = [], [], []
    for seed in range(4):
        pictures = [
            drawing.quantised(Painter().one(p, 10_000 * seed + n).frames[0].predicted_pixels)
            for n, p in enumerate(wanted)
        ]
        found = Judge().detect(torch.stack(pictures))
        names = [sorted(one.name for one in seen) for seen in found]
        exact.append(np.mean([seen == sorted(OBJECTS[i] for i in p) for seen, p in zip(names, wanted, strict=True)]))
        number.append(np.mean([len(seen) == len(p) for seen, p in zip(names, wanted, strict=True)]))
        rows = [picture[0, 1, :24] for picture in pictures]
        top = [set(row.topk(len(p)).indices.tolist()) & set(p) for row, p in zip(rows, wanted, strict=True)]
        hits.append(sum(map(len, top)) / sum(map(len, wanted)))
    entry = read_metrics(tmp_path / "model")["scores"]["test"]
    assert 0 < np.mean(number) < 1
    columns: dict[str, Any] = {"exact": exact, "number": number, "accuracy": hits}
    for name, values in columns.items():
        assert entry[name]["mean"] == pytest.approx(np.mean(values), abs=1e-4)
        assert entry[name]["std"] == pytest.approx(np.std(values, ddof=1), abs=1e-4)
    assert (entry["prompts"], entry["seeds"], entry["evaluations"]) == (2, 4, 1)
    assert (entry["model"], entry["judge"], entry["command"]) == (Painter.name, Judge.name, run.command)


def test_a_stopped_run_goes_on_and_gives_the_same_table(iclevr: Path, tmp_path: Path) -> None:
    words = ("scores", "--prompts", "test", "four", "--seeds", "3")
    scores.run(job(iclevr, tmp_path / "whole", *words))
    with pytest.raises(KeyboardInterrupt):
        scores.run(job(iclevr, tmp_path / "parts", *words, model=Painter(fails_after=4)))
    assert len(read_csv(tmp_path / "parts" / "scores.csv")) == 2
    rest = Painter()
    scores.run(job(iclevr, tmp_path / "parts", *words, model=rest))
    assert rest.drawn[:2] == [20_000, 20_001]
    whole, parts = (read_metrics(tmp_path / name)["scores"] for name in ("whole", "parts"))
    for entry in whole:
        assert all(whole[entry][name] == parts[entry][name] for name in (*scores.COLUMNS, "prompts", "seeds"))


def test_rows_of_other_weights_or_judges_do_not_count(iclevr: Path, tmp_path: Path) -> None:
    words = ("scores", "--prompts", "test", "--seeds", "2")
    scores.run(job(iclevr, tmp_path / "model", *words))
    other = Painter()
    other.name = "acgan@painted2"
    scores.run(job(iclevr, tmp_path / "model", *words, model=other))
    assert len(other.drawn) == 4
    assert len(read_csv(tmp_path / "model" / "scores.csv")) == 4
    assert read_metrics(tmp_path / "model")["scores"]["test"]["model"] == "acgan@painted2"


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


def test_judges_of_one_file_name_are_told_apart(iclevr: Path, tmp_path: Path) -> None:
    words = ("scores", "--prompts", "test", "--seeds", "1")
    for name in ("detector@1+checkpoint@aaaaaaaa", "detector@1+checkpoint@bbbbbbbb"):
        run = job(iclevr, tmp_path / "model", *words)
        run.judge.name = name
        scores.run(run)
        assert read_metrics(tmp_path / "model")["scores"]["test"]["judge"] == name
    assert len(read_csv(tmp_path / "model" / "scores.csv")) == 2


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


PROCESSES = """
import sys
from pathlib import Path
from tests.train.measure.made import job
from train.measure import scores

words = ("--prompts", "test", "four", "--seeds", "5", "--device", "cpu")
scores.run(job(Path(sys.argv[1]), Path(sys.argv[2]), "scores", *words))
"""


def test_two_processes_give_the_table_of_one(iclevr: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(PROCESSES)
    (tmp_path / "two").mkdir()
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(script)]
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launch, str(iclevr), str(tmp_path / "two")], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    scores.run(job(iclevr, tmp_path / "one", "scores", "--prompts", "test", "four", "--seeds", "5"))
    one, two = (read_metrics(tmp_path / name)["scores"] for name in ("one", "two"))
    for entry in ("test", "four"):
        assert all(one[entry][name] == two[entry][name] for name in (*scores.COLUMNS, "prompts", "seeds"))
    assert two["test"]["command"].startswith("accelerate launch --num_processes 2")
    assert len(read_csv(tmp_path / "two" / "scores.csv")) == 10
