"""The ACGAN's training: what its players see, what their losses teach, and that a run resumes."""

from __future__ import annotations

import copy
import csv
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import clevr_demo
from clevr_demo.generators.acgan import ACGANConfig, ACGANNetwork
from tests.conftest import shaken
from train.acgan import PRESETS, WhatTask, WhereTask, main, make_task
from train.data.batches import Examples
from train.data.iclevr import Pictures
from train.data.layout import Layout, find_layout, teaching_layouts
from train.join import join
from train.learning.discriminators import distance, windows_of
from train.learning.loop import LoopSettings, Run
from train.learning.task import Players


def what_run(pictures: Pictures, folder: Path, **change: Any) -> tuple[WhatTask, Run]:
    torch.manual_seed(0)
    task = WhatTask(replace(PRESETS["tiny-what"], **change), pictures)
    return task, Run(task, task.examples, task.preset.loop, folder)


def test_the_nearest_of_several_drawings_is_taken(pictures: Pictures, tmp_path: Path) -> None:
    task, run = what_run(pictures, tmp_path, drawings=5)
    shaken(task.painter, 1)
    seen = windows_of(run.data.batch(torch.arange(8)), task.painter, 24)
    torch.manual_seed(5)
    noise, logged = task.nearest(seen, 4, run)
    torch.manual_seed(5)
    every = task.noise(20, seen.canvas[:4])
    with torch.no_grad(), run.autocast():
        drawn = task.painter(seen.canvas[:4].repeat_interleave(5, dim=0), *every).float()
        taken = task.painter(seen.canvas[:4], *noise).float()
    apart = distance(drawn, *(x[:4].repeat_interleave(5, dim=0) for x in (seen.pixels, seen.weight))).view(4, 5)
    near = distance(taken, seen.pixels[:4], seen.weight[:4])
    assert torch.allclose(near, apart.amin(dim=1), rtol=2e-2)
    assert float(logged["spread"]) == pytest.approx((apart.amax(dim=1) / apart.amin(dim=1)).mean().item(), rel=1e-3)
    assert logged["spread"] > 1


@pytest.mark.parametrize("whole", [False, True])
def test_a_step_trains_both_players(pictures: Pictures, tmp_path: Path, whole: bool) -> None:
    task, run = what_run(pictures, tmp_path, whole_from=0.0 if whole else 1.0)
    before = {}
    for name, network in task.networks.items():
        shaken(network)
        before[name] = {key: parameter.clone() for key, parameter in network.named_parameters()}
    logged = task.step(run.data.batch(torch.arange(8)), run)
    assert all(value.isfinite() for value in logged.values())
    for name, network in task.networks.items():
        still = {key for key, parameter in network.named_parameters() if torch.equal(before[name][key], parameter)}
        # Only the difference of two logits counts, so what is added to both learns nothing.
        assert still <= ({"patch.bias", "window.bias"} if name == "discriminator" else set())
        assert all(p.requires_grad for p in network.parameters())


def test_without_the_adversary_the_generator_does_not_hear_it(pictures: Pictures, tmp_path: Path) -> None:
    gradients = []
    for weight in (0.0, 0.5):
        task, run = what_run(
            pictures, tmp_path, adversary=weight, classifier=0.0, matching=0.0, pull_from=0.0, pull_to=0.0
        )
        shaken(task.painter)
        seen = windows_of(run.data.batch(torch.arange(8)), task.painter, 24)
        drawn = task.painter(seen.canvas, *task.noise(8, seen.canvas)).requires_grad_()
        drawn.retain_grad()
        real = task.discriminator_step(seen, drawn, run)[0]
        task.generator_step(seen, drawn, 4, real, run)
        assert drawn.grad is not None
        gradients.append(drawn.grad.abs().sum().item())
    assert gradients[0] == 0
    assert gradients[1] > 0


@pytest.mark.parametrize("preset", ["tiny-where", "tiny-where-given", "tiny-what"])
def test_a_resumed_run_ends_in_the_very_same_weights(preset: str, iclevr: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    def train(folder: str, *more: str) -> dict[str, torch.Tensor]:
        main(["--data", str(iclevr), "--preset", preset, "--out", str(tmp_path / folder), *more])
        return load_file(tmp_path / folder / "model.safetensors")

    whole = train("whole")
    train("parts", "--max-minutes", "0")  # one step
    with (tmp_path / "parts" / "log.csv").open() as file:
        assert len(list(csv.reader(file))) == 2
    parts = train("parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    columns = (tmp_path / "whole" / "log.csv").read_text().splitlines()[0]
    assert ("gap_patch,gap_window" if preset == "tiny-what" else "g_loss,gap") in columns


def test_the_stages_are_joined_into_one_checkpoint(iclevr: Path, tmp_path: Path) -> None:
    for stage in ("where", "what"):
        main(["--data", str(iclevr), "--preset", f"tiny-{stage}", "--out", str(tmp_path / stage), "--pictures", "8"])
    join("acgan", {stage: tmp_path / stage for stage in ("where", "what")}, tmp_path / "both")
    model = clevr_demo.load("acgan", tmp_path / "both", "cpu")
    result = model.generate([1, 9], seed=0, steps=2)
    assert len(result.places.centres) == 2
    assert result.frames[-1].predicted_pixels.abs().max() <= 1


def test_made_up_layouts_teach_the_planner_more_objects(pictures: Pictures) -> None:
    counts = (teaching_layouts(find_layout(pictures)).objects >= 0).sum(dim=1)
    assert set(counts.unique().tolist()) <= {1, 2, 3, 4, 5}
    assert {1, 2, 3} <= set(counts.unique().tolist())


def test_an_adversary_teaches_the_planner_to_keep_objects_apart(tmp_path: Path) -> None:
    """Two objects that never stand within 16 pixels: after a few steps fewer than half as many do."""
    torch.manual_seed(0)
    places = 32 + 12 * torch.randn(4000, 2, 2)
    places = places[(places[:, 0] - places[:, 1]).norm(dim=1) > 16]
    objects = torch.rand(len(places), 24).argsort(dim=1)[:, :2]
    given = Layout(places, objects)
    preset = replace(
        PRESETS["where"],
        model=ACGANConfig(planner_width=16, planner_layers=1, planner_heads=2),
        loop=LoopSettings(pictures=32 * 90, batch=32, ema=0.9, clip=0.0, log_every=1000, sample_every=10**9),
        players=Players(4e-3, 4e-3, betas=(0.0, 0.99), warmup=0, gamma=0.03, penalty_every=4),
        critic_width=16,
        critic_layers=1,
    )
    task = WhereTask(preset, given)
    planner = task.networks["generator"]

    def near() -> float:
        with torch.no_grad():
            drawn = planner(objects[:1000], torch.randn(1000, 2, 8, generator=torch.Generator().manual_seed(3)))
        return float(((drawn[:, 0] - drawn[:, 1]).norm(dim=1) < 14).float().mean())

    before = near()
    Run(task, Examples(None, given), preset.loop, tmp_path).train()
    assert before > 0.1
    assert near() < 0.5 * before


def test_a_new_discriminator_learns_alone_at_first(pictures: Pictures, tmp_path: Path) -> None:
    preset = replace(PRESETS["tiny-where-given"], players=Players(generator_from=0.3))
    task, examples = make_task(preset, pictures, Namespace())
    run = Run(task, examples, preset.loop, tmp_path)
    before = {name: copy.deepcopy(network.state_dict()) for name, network in task.networks.items()}

    def changed(name: str) -> bool:
        after = task.networks[name].state_dict()
        return any(not torch.equal(value, after[key]) for key, value in before[name].items())

    task.step(run.data.batch(torch.arange(4)), run)
    assert (changed("discriminator"), changed("generator")) == (True, False)
    run.position = run.settings.steps // 2
    task.step(run.data.batch(torch.arange(4)), run)
    assert changed("generator")


def test_the_default_fits_the_size_limit() -> None:
    with torch.device("meta"):
        network = ACGANNetwork(PRESETS["what"].model)
    assert PRESETS["what"].model == PRESETS["where"].model
    assert 2 * sum(value.numel() for value in network.state_dict().values()) < 12e6
