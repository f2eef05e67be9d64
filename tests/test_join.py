"""Stages that were trained apart become one checkpoint, or nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import clevr_demo
from clevr_demo.checkpoints import CheckpointError
from train import ddpm
from train.join import join, main, stage_weights


@pytest.fixture(scope="module")
def runs(iclevr: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A finished run of each stage of the tiny DDPM."""
    folders = {stage: tmp_path_factory.mktemp(stage) for stage in ("where", "what")}
    for stage, folder in folders.items():
        ddpm.main(["--data", str(iclevr), "--out", str(folder), "--preset", f"tiny-{stage}"])
    return folders


def test_the_joined_checkpoint_draws_with_both_stages_weights(runs: dict[str, Path], tmp_path: Path) -> None:
    main(["ddpm", "--where", str(runs["where"]), "--what", str(runs["what"]), "--out", str(tmp_path)])
    model = clevr_demo.load("ddpm", tmp_path, "cpu")
    assert len(model.generate(["red cube", "blue sphere"], 0, steps=2).places.centres) == 2
    for stage, name in (("where", "planner"), ("what", "painter")):
        trained = load_file(runs[stage] / "model.safetensors")
        joined = load_file(tmp_path / "model.safetensors")
        assert all(torch.equal(joined[f"{name}.{key}"], value) for key, value in trained.items())
        assert (tmp_path / f"log-{stage}.csv").exists()
        started = stage_weights("ddpm", stage, tmp_path)
        assert all(torch.equal(started[key], value.float()) for key, value in trained.items())


def test_a_run_can_start_from_a_checkpoints_weights(runs: dict[str, Path], iclevr: Path, tmp_path: Path) -> None:
    join("ddpm", runs, tmp_path / "joined")
    command = ["--data", str(iclevr), "--out", str(tmp_path / "run"), "--preset", "tiny-where", "--max-minutes", "0"]
    ddpm.main([*command, "--start", str(tmp_path / "joined")])
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["networks"]["network"]
    trained = load_file(runs["where"] / "model.safetensors")
    for key, value in trained.items():
        assert (state[key] - value.float()).abs().max() < 0.02  # one small step away


def test_what_does_not_fit_is_named_and_nothing_is_written(runs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(CheckpointError, match=f"{runs['what']}: not a run of the ddpm's stage 'where'"):
        join("ddpm", {"where": runs["what"], "what": runs["what"]}, out)
    with pytest.raises(CheckpointError, match="not a run of the acgan's stage"):
        join("acgan", runs, out)
    with pytest.raises(CheckpointError, match="missing"):
        stage_weights("ddpm", "where", tmp_path)
    assert not out.exists()
