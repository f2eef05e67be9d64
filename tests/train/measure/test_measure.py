"""The command of the measures, their tables and prompt sets, and the scores against direct computation."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from clevr_demo.objects import OBJECTS
from tests.measuring import Judge, Painter, job
from train.data.iclevr import VALIDATION, label_sets, load_pictures
from train.measure import drawing, prompts, scores
from train.measure.__main__ import MEASURES, job_of
from train.measure.job import read_metrics
from train.measure.tables import add_rows, markdown, read_csv, shown, spread

# the command ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_the_command_that_is_printed_is_the_command_that_was_run(measure: Any) -> None:
    words = [measure.name] + (["--model", "ddpm"] if "model" in measure.needs else [])
    words += ["--checkpoint", "a folder/x"] if "model" in measure.needs else []
    _, first = job_of(words)
    again = shlex.split(first.command)
    assert again[:4] == ["python", "-m", "train.measure", measure.name]
    _, second = job_of(again[3:])
    assert second.options == first.options
    assert second.command == first.command
    assert all(f"--{name}" in first.command for name in ("data", "device") if hasattr(first.options, name))


def test_a_command_of_several_processes_names_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    command = job_of(["scores", "--model", "acgan"])[1].command
    assert command.startswith("accelerate launch --num_processes 2 -m train.measure scores")


def test_common_options_mean_the_same_everywhere() -> None:
    from train.measure.__main__ import parsers

    meanings: dict[str, set[Any]] = {}
    for parser in parsers()[1].values():
        for action in parser._actions:
            if action.dest in ("data", "model", "checkpoint", "device", "evaluator"):
                choices = tuple(action.choices) if action.choices else None
                meanings.setdefault(action.dest, set()).add((action.default, action.help, choices))
    assert {name: len(found) for name, found in meanings.items()} == dict.fromkeys(meanings, 1)
    assert {"data", "model", "checkpoint", "device"} <= set(meanings)


def test_every_measure_says_what_it_is_and_where_it_comes_from() -> None:
    for measure in MEASURES:
        assert all((measure.what, measure.how, measure.source))
        assert set(measure.needs) <= {"data", "model", "judge", "teacher"}


# tables ---------------------------------------------------------------------------------------------------------------


def test_rows_of_a_csv_come_back_and_replace_their_like(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    add_rows(
        path,
        [{"model": "a, b", "seed": 0, "exact": 0.5}, {"model": "a, b", "seed": 1, "exact": 0.25}],
        ("model", "seed"),
    )
    add_rows(path, [{"model": "a, b", "seed": 1, "exact": 0.75}], ("model", "seed"))
    assert read_csv(path) == [
        {"model": "a, b", "seed": "0", "exact": "0.5"},
        {"model": "a, b", "seed": "1", "exact": "0.75"},
    ]
    assert read_csv(tmp_path / "none.csv") == []


def test_a_markdown_table_shows_spreads_numbers_and_gaps() -> None:
    lines = markdown(["a", "b"], [[spread([0.5, 0.7, 0.9]), 0.12345], [None, 3]]).splitlines()
    assert lines == ["| a | b |", "| --- | --- |", "| 0.700 ± 0.200 | 0.123 |", "| - | 3 |"]
    assert spread([0.5]) == {"mean": 0.5, "std": 0.0}
    assert shown("") == "-"


# prompts --------------------------------------------------------------------------------------------------------------


def test_prompt_sets_are_read_by_name(iclevr: Path) -> None:
    def pictures() -> Any:
        return load_pictures(iclevr, progress=False)

    assert prompts.read_prompts("test", iclevr, pictures) == prompts.read_prompts("test.json", iclevr, pictures)
    for name, count in prompts.BEYOND.items():
        found = prompts.read_prompts(name, iclevr, pictures)
        assert len(found) == prompts.RANDOM_SETS
        assert all(len(set(prompt)) == count and prompt == tuple(sorted(prompt)) for prompt in found)
        assert found == prompts.read_prompts(name, iclevr, pictures)
        assert len({index for prompt in found for index in prompt}) == len(OBJECTS)
    with pytest.raises(Exception, match=r"nothing.json.*unseen-triples"):
        prompts.read_prompts("nothing.json", iclevr, pictures)


# scores ---------------------------------------------------------------------------------------------------------------


def test_counting_sees_doubles_missing_and_extra_objects() -> None:
    def seen(*names: int) -> list[Any]:
        return [SimpleNamespace(name=OBJECTS[name]) for name in names]

    found = [seen(1, 2), seen(2, 1), seen(1, 1), seen(1), seen(1, 2, 3), seen(1, 3)]
    assert scores.counted(found, [(1, 2)] * 6) == (2 / 6, 4 / 6)


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
from tests.measuring import job
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


def test_what_is_measured_is_what_a_picture_file_holds() -> None:
    pixels = torch.rand(3, 8, 8) * 2.4 - 1.2
    levels = drawing.quantised(pixels).add(1).mul(127.5)
    assert torch.allclose(levels, levels.round(), atol=1e-3)
    assert levels.amin() >= 0
    assert levels.amax() <= 255


def test_no_two_pictures_of_a_set_share_their_seed() -> None:
    runs = [drawing.seeds_of(run, 136) for run in range(20)]
    assert len({seed for seeds in runs for seed in seeds}) == 20 * 136


def test_validation_prompts_are_of_held_out_or_unseen_sets(iclevr: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    found = {name: prompts.read_prompts(name, iclevr, lambda: pictures) for name in VALIDATION}
    assert all(found.values())
    training, held_out = pictures.split()
    shown = {name: set(label_sets(part.labels)) for name, part in (("training", training), ("held-out", held_out))}
    assert set(found["held-out"]) <= shown["held-out"]
    assert all(len(triple) == 3 and triple not in label_sets(pictures.labels) for triple in found["unseen-triples"])
    seen = found["seen-triples"]
    assert len(set(seen)) == len(seen) <= len(found["unseen-triples"])
    assert all(len(triple) == 3 and triple in shown["training"] for triple in seen)
