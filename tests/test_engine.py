"""ONNX Runtime against torch, and what becomes of graphs that do not fit."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import clevr_demo
from clevr_demo.checkpoints import ROOT, fingerprint, save_weights, write_json
from clevr_demo.engine import ENGINE, graph_file, read_graph, sealed
from tests.conftest import TINY, draw, tiny_ddpm
from tests.graphs import copied, written
from train.graphs import write_graphs

GIVEN = {"red cube": (30.5, 12.0)}
ASKED = [(["red cube"], 4), (["red cube", "blue sphere", "gray cylinder"], 9), ([0, 1, 5, 9, 14, 23], 77)]
pytestmark = pytest.mark.timeout(900)  # on a busy machine exporting takes minutes


def loaded(kind: str, engine: str, monkeypatch: pytest.MonkeyPatch, folder: Path | None = None) -> Any:
    monkeypatch.setenv(ENGINE, engine)
    return clevr_demo.load(kind, folder or written(kind), "cpu")


@pytest.mark.parametrize("planner_given", [False, True])
@pytest.mark.parametrize("kind", ["ddpm", "acgan"])
def test_both_engines_draw_the_same_pictures(kind: str, planner_given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    models = [loaded(kind, engine, monkeypatch) for engine in ("torch", "onnxruntime")]
    assert [bool(model.network.graphs if kind == "acgan" else model.graphs) for model in models] == [False, True]
    for model in models:
        model.config = dataclasses.replace(model.config, planner_given=planner_given)
        model.network.config = model.config
    differences = []
    for labels, seed in ASKED:
        for steps in (2, 5):  # 2 by the distilled painter
            for places in (None, GIVEN) if 1 in clevr_demo.GenerationRequest.of(labels).objects else (None,):
                one, other = (model.generate(labels, seed, steps, places=places) for model in models)
                assert (other.request, other.model, len(other.frames)) == (one.request, one.model, len(one.frames))
                assert other.places.given == one.places.given
                assert np.abs(np.array(other.places.centres) - np.array(one.places.centres)).max() < 1e-3
                for mine, theirs in zip(one.frames, other.frames, strict=True):
                    pair = [np.asarray(frame.predicted, dtype=int) for frame in (mine, theirs)]
                    differences.append(np.abs(pair[0] - pair[1]))
    assert np.max(differences) <= 1
    assert np.mean(np.array(differences) > 0) <= 1 / 2000


@pytest.mark.parametrize("kind", ["ddpm", "acgan"])
def test_a_picture_depends_on_neither_batch_nor_thread(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = loaded(kind, "onnxruntime", monkeypatch)
    alone = [model.generate(labels, seed, 3) for labels, seed in ASKED]
    model.chunk = 16
    together = model.generate_batch([labels for labels, _ in ASKED], [seed for _, seed in ASKED], 3)
    assert [one.image.tobytes() for one in together] == [one.image.tobytes() for one in alone]
    assert [one.places for one in together] == [one.places for one in alone]
    found: dict[int, bytes] = {}

    def again(place: int) -> None:
        found[place] = model.generate(*ASKED[place % 3], 3).image.tobytes()

    threads = [threading.Thread(target=again, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(6)] == 2 * [one.image.tobytes() for one in alone]


def test_both_engines_judge_alike_and_each_picture_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    judges = []
    for engine in ("torch", "onnxruntime"):
        monkeypatch.setenv(ENGINE, engine)
        judges.append(clevr_demo.load_evaluator(written("classifier"), "cpu", written("detector")))
    assert [(bool(one.graphs), bool(one.detector.graphs)) for one in judges] == [(False, False), (True, True)]
    pictures = [draw(names) for names in (["red cube"], ["blue sphere", "gray cylinder"], [])]
    theirs, ours = (judge.judge(pictures, ["red cube"]) for judge in judges)
    for one, other in zip(theirs, ours, strict=True):
        assert [found.name for found in other.found] == [found.name for found in one.found] != []
        assert other.sentence == one.sentence
        for mine, wanted in zip(other.found, one.found, strict=True):
            told = (wanted.row, wanted.column, wanted.confidence)
            assert (mine.row, mine.column, mine.confidence) == pytest.approx(told, abs=1e-3)
        assert other.probabilities == pytest.approx(one.probabilities, abs=1e-4)
    assert [judges[1](picture, ["red cube"]) for picture in pictures] == ours


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def of_other_weights(path: Path) -> None:
    torch.manual_seed(1)
    network = tiny_ddpm(dataclasses.replace(TINY, fast_steps=2)).network
    with torch.no_grad():
        network.planner.mean += 1
    save_weights(network, json.loads((path.parent / "config.json").read_text()), path.parent)


def of_other_settings(path: Path) -> None:
    config = json.loads((path.parent / "config.json").read_text())
    config["model"]["time_power"] = 1.0
    write_json(path.parent / "config.json", config)


FAULTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (Path.unlink, "missing"),
    "cut": (cut, "damaged"),
    "a bit": (changed, "damaged"),
    "empty": (lambda path: path.write_bytes(b""), "damaged"),
    "foreign": (lambda path: path.write_bytes(b"onnx" * 100), "damaged, or no graph of this project's"),
    "sealed nonsense": (lambda path: path.write_bytes(sealed(b"onnx" * 100)), "not to be run"),
    "another's": (lambda path: path.write_bytes(graph_file(path.parent, "fast").read_bytes()), "made for another"),
    "another kind's": (
        lambda path: path.write_bytes(graph_file(written("acgan"), "painter").read_bytes()),
        "other weig",
    ),
    "other weights": (of_other_weights, "made of other weights"),
    "other settings": (of_other_settings, "other settings"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_graph_that_does_not_fit_is_told_and_torch_draws(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied("ddpm", tmp_path)
    broken, says = FAULTS[fault]
    broken(graph_file(folder, "painter"))
    model = loaded("ddpm", "onnxruntime", monkeypatch, folder)
    told = capsys.readouterr().err
    assert told.count("\n") == 1, "one sentence"
    assert says in told
    assert ".onnx" in told
    assert told.endswith(f"; torch computes instead. Mend it with: python -m train.graphs {folder}\n")
    reference = loaded("ddpm", "torch", monkeypatch, folder)
    assert model.generate(["red cube"], 3, 2).image.tobytes() == reference.generate(["red cube"], 3, 2).image.tobytes()


def test_a_checkpoint_without_graphs_draws_by_torch_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied("ddpm", tmp_path)
    for path in folder.glob("*.onnx"):
        path.unlink()
    assert not loaded("ddpm", "onnxruntime", monkeypatch, folder).graphs
    assert capsys.readouterr().err == ""


def test_an_unknown_engine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="CLEVR_ENGINE: unknown engine 'tensorflow'; choose one of onnxruntime, torch"):
        loaded("ddpm", "tensorflow", monkeypatch)


def test_weights_that_the_graphs_hold_are_held_once(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [sum(one.numel() for one in loaded("ddpm", engine, monkeypatch).network.parameters())
            for engine in ("onnxruntime", "torch")]  # fmt: skip
    assert held[0] == 0 < held[1]


HEAVY = """
import sys
import clevr_demo.ui.page
model = clevr_demo.load("ddpm", sys.argv[1], "cpu")
clevr_demo.load_evaluator(device="cpu")
for steps, places in ((2, None), (5, {"red cube": (30, 12)})):
    model.generate(["red cube", "blue sphere"], 3, steps, places=places)
print(*sorted({"diffusers", "torch._dynamo", "torchvision", "scipy"} & set(sys.modules)))
"""


def test_a_server_that_draws_by_graphs_loads_nothing_heavy(tmp_path: Path) -> None:
    folder = copied("ddpm", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["model"]["planner_given"] = True
    write_json(folder / "config.json", config)
    write_graphs(folder)
    run = subprocess.run([sys.executable, "-c", HEAVY, str(folder)], cwd=ROOT.parent, capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr


def test_graphs_that_ship_fit_their_weights() -> None:
    paths = sorted(ROOT.glob("*/*.onnx"))
    if not paths:
        pytest.skip("no graphs ship")
    for path in paths:
        read_graph(path.parent, path.stem, fingerprint(path.parent))
    assert sum(path.stat().st_size for path in paths) < 30e6
