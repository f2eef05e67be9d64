"""What a run starts from: another's weights, but its own pictures' empty scene."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from clevr_demo.checkpoints import save_weights
from tests.conftest import shaken
from tests.train.made import squares
from train.acgan import PRESETS as ACGAN_PRESETS
from train.acgan import make_task
from train.data.iclevr import load_pictures
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
    begin(task, [tmp_path / "before"], tmp_path / "after")
    assert torch.equal(task.painter.empty, empty)
    theirs = dict(before.painter.named_parameters())
    for name, mine in task.painter.named_parameters():
        assert torch.allclose(mine, theirs[name], atol=1e-2), name


def test_several_starts_give_the_mean_of_their_weights_and_say_how_each_was_trained(tmp_path: Path) -> None:
    both = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        both.append(PainterTask(replace(PRESETS["tiny-what"], rate=seed / 1000), squares()))
        save_weights(shaken(both[-1].painter), both[-1].config(), tmp_path / str(seed))
    task = PainterTask(PRESETS["tiny-what"], squares())
    told = begin(task, [tmp_path / "1", tmp_path / "2"], tmp_path / "after")
    theirs = [dict(one.painter.named_parameters()) for one in both]
    for name, mine in task.painter.named_parameters():
        assert torch.allclose(mine, (theirs[0][name] + theirs[1][name]) / 2, atol=1e-2), name
    assert [one["preset"]["rate"] for one in told["mean of"]] == [0.001, 0.002]


def test_a_planner_that_is_to_take_given_places_starts_from_one_that_does_not(iclevr: Path, tmp_path: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    before, task = (
        make_task(ACGAN_PRESETS[name], pictures, Namespace())[0] for name in ("tiny-where", "tiny-where-given")
    )
    shaken(before.networks["generator"])
    save_weights(before.networks["generator"], before.config(), tmp_path / "before")
    begin(task, [tmp_path / "before"], tmp_path / "after")
    planner: Any = task.networks["generator"]
    objects, noise = torch.tensor([[3, 9]]), torch.randn(1, 2, 8)
    assert torch.allclose(planner(objects, noise), before.networks["generator"](objects, noise), atol=0.1)
    assert not planner.rough.mark.any()
