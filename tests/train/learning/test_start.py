"""What a run starts from: another's weights, but its own pictures' empty scene."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from clevr_demo.checkpoints import save_weights
from tests.conftest import shaken
from tests.train.made import squares
from train.ddpm import PRESETS, PainterTask
from train.learning.start import begin


def test_a_run_takes_the_weights_of_its_start_and_the_empty_scene_of_its_own_pictures(tmp_path: Path) -> None:
    preset = PRESETS["tiny-what"]
    before = PainterTask(preset, squares())
    shaken(before.painter)
    before.painter.empty.fill_(0.25)
    save_weights(before.painter, before.config(), tmp_path / "before")
    task = PainterTask(replace(preset, anywhere=True), squares())
    empty = task.painter.empty.clone()
    begin(task, tmp_path / "before", tmp_path / "after")
    assert torch.equal(task.painter.empty, empty)
    theirs = dict(before.painter.named_parameters())
    for name, mine in task.painter.named_parameters():
        assert torch.allclose(mine, theirs[name], atol=1e-2), name
