"""Stages that were trained apart become one checkpoint, or nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import clevr_demo
from clevr_demo.checkpoints import CheckpointError, read_config
from train import ddpm, distil
from train.join import join, main
from train.learning.start import START_LOG, start_weights


@pytest.fixture(scope="module")
def runs(iclevr: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A finished run of each stage of the tiny DDPM."""
    folders = {stage: tmp_path_factory.mktemp(stage) for stage in ("where", "what")}
    for stage, folder in folders.items():
        ddpm.main(["--data", str(iclevr), "--out", str(folder), "--preset", f"tiny-{stage}"])
    return folders


def test_the_joined_checkpoint_draws_with_both_stages_weights(runs: dict[str, Path], tmp_path: Path) -> None:
    main(["ddpm", "--where", str(runs["where"]), "--what", str(runs["what"]), "--out", str(tmp_path), "--no-graphs"])
    model = clevr_demo.load("ddpm", tmp_path, "cpu")
    assert len(model.generate(["red cube", "blue sphere"], 0, steps=2).places.centres) == 2
    for stage, name in (("where", "planner"), ("what", "painter")):
        trained = load_file(runs[stage] / "model.safetensors")
        joined = load_file(tmp_path / "model.safetensors")
        assert all(torch.equal(joined[f"{name}.{key}"], value) for key, value in trained.items())
        assert (tmp_path / f"log-{stage}.csv").exists()
        for folder in (tmp_path, runs[stage]):
            started = start_weights(folder, "ddpm", stage)
            assert all(torch.equal(started[key], value.float()) for key, value in trained.items())


def test_a_checkpoint_gives_the_stages_that_no_run_brings(runs: dict[str, Path], tmp_path: Path) -> None:
    join("ddpm", runs, tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    join("ddpm", {"where": tmp_path, "what": tmp_path}, tmp_path / "again")
    join("ddpm", {"where": tmp_path, "what": runs["what"]}, tmp_path)
    for folder in (tmp_path, tmp_path / "again"):
        assert {name: (folder / name).read_bytes() for name in before} == before
    with pytest.raises(CheckpointError, match="stage 'fast'"):
        join("ddpm", runs | {"fast": tmp_path}, tmp_path / "third")


@pytest.mark.parametrize("joined", [True, False], ids=["checkpoint", "run"])
def test_a_run_can_start_from_trained_weights_and_says_so(
    joined: bool, runs: dict[str, Path], iclevr: Path, tmp_path: Path
) -> None:
    start, run = runs["where"], tmp_path / "run"
    if joined:
        start = tmp_path / "joined"
        join("ddpm", runs, start)
    command = ["--data", str(iclevr), "--out", str(run), "--preset", "tiny-where", "--max-minutes", "0"]
    ddpm.main([*command, "--start", str(start)])
    state = torch.load(run / "state.pt", weights_only=True)["networks"]["network"]
    trained = load_file(runs["where"] / "model.safetensors")
    for key, value in trained.items():
        assert (state[key] - value.float()).abs().max() < 0.02  # one small step away
    before = read_config(runs["where"])
    assert read_config(run)["training"]["start"] == {"preset": before["preset"], **before["training"]}
    assert (run / START_LOG).read_text() == (runs["where"] / "log.csv").read_text()
    join("ddpm", runs | {"where": run}, tmp_path / "second")
    assert (tmp_path / "second" / "log-where-start.csv").exists()


def test_a_start_of_another_kind_or_size_is_named(runs: dict[str, Path], iclevr: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no stage 'where' of the ddpm"):
        start_weights(runs["what"], "ddpm", "where")
    with pytest.raises(CheckpointError, match="holds no stage 'what' of the acgan"):
        start_weights(runs["what"], "acgan", "what")
    command = ["--data", str(iclevr), "--out", str(tmp_path / "run"), "--preset", "tiny-what", "--start"]
    with pytest.raises(SystemExit, match="weights of a network of another size"):
        ddpm.main([*command, str(runs["what"]), "--set", "model.widths=[8,64]"])
    assert not (tmp_path / "run").exists()


def test_each_stage_brings_its_own_size(runs: dict[str, Path], iclevr: Path, tmp_path: Path) -> None:
    wider, out = tmp_path / "wider", tmp_path / "out"
    command = ["--data", str(iclevr), "--out", str(wider), "--preset", "tiny-where", "--max-minutes", "0"]
    ddpm.main([*command, "--set", "model.planner_width=32"])
    join("ddpm", runs | {"where": wider}, out)
    model = read_config(out)["model"]
    assert (model["planner_width"], model["widths"]) == (32, [16, 64])
    ddpm.main([*command[:-2], "--set", "model.timesteps=1300", "--out", str(tmp_path / "other")])
    with pytest.raises(CheckpointError, match=r"different settings of the network \(timesteps\)"):
        join("ddpm", runs | {"where": tmp_path / "other"}, out)


def test_a_painter_is_distilled_and_joined_to_its_teacher(runs: dict[str, Path], iclevr: Path, tmp_path: Path) -> None:
    command = ["--data", str(iclevr), "--preset", "tiny-fast", "--teacher", str(runs["what"])]
    for bad in ("0", "3"):
        with pytest.raises(SystemExit, match=f"model.fast_steps={bad}: .*20 steps are no multiple"):
            distil.main([*command, "--out", str(tmp_path / "bad"), "--set", f"model.fast_steps={bad}"])
    distil.main([*command, "--out", str(tmp_path / "fast"), "--pictures", "8"])
    stages = [f"--{stage}={folder}" for stage, folder in (runs | {"fast": tmp_path / "fast"}).items()]
    main(["ddpm", *stages, "--out", str(tmp_path / "out"), "--no-graphs"])
    model: Any = clevr_demo.load("ddpm", tmp_path / "out", "cpu")
    assert model.config.fast_steps == 4
    trained = load_file(tmp_path / "fast" / "model.safetensors")
    for key, value in trained.items():
        assert torch.equal(model.network.fast.state_dict()[key], value.float())
    drawn = {steps: model.generate(["red cube"], 0, steps) for steps in (3, 4)}
    plain = tmp_path / "plain"
    join("ddpm", runs, plain)
    taught: Any = clevr_demo.load("ddpm", plain, "cpu")
    assert taught.config.fast_steps == 0
    for steps, result in drawn.items():
        same = torch.equal(
            result.frames[-1].predicted_pixels, taught.generate(["red cube"], 0, steps).frames[-1].predicted_pixels
        )
        assert same == (steps == 3)
    assert set(read_config(tmp_path / "out")["training"]) == {"where", "what", "fast"}


def test_what_does_not_fit_is_named_and_nothing_is_written(runs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(CheckpointError, match=f"{runs['what']}: not a run of the ddpm's stage 'where'"):
        join("ddpm", {"where": runs["what"], "what": runs["what"]}, out)
    with pytest.raises(CheckpointError, match="not a run of the acgan's stage"):
        join("acgan", runs, out)
    with pytest.raises(CheckpointError, match="missing"):
        start_weights(tmp_path, "ddpm", "where")
    assert not out.exists()
