"""What the DDPM's stages learn from."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import DDPMScheduler

from clevr_demo.generators.ddpm import DDPMNetwork
from tests.conftest import TINY
from train.data.iclevr import load_pictures
from train.ddpm import PRESETS, PainterTask, PlannerTask, make_task, spread_timesteps
from train.learning.loop import Run


def test_timesteps_are_spread_over_the_schedule() -> None:
    for _ in range(20):
        times = spread_timesteps(64, 1200, torch.device("cpu")).sort().values
        assert all(place * 1200 / 64 - 1 <= time < (place + 1) * 1200 / 64 for place, time in enumerate(times.tolist()))


def test_the_stages_learn_v() -> None:
    """Salimans & Ho 2022: v = alpha noise - sigma x_0, of what is noised."""
    task = PlannerTask(PRESETS["tiny-where"])
    clean = torch.randn(64, 3, 2)
    torch.manual_seed(1)
    x, timesteps, v = task.noised(clean)
    alphas_cumprod = DDPMScheduler(**TINY.schedule()).alphas_cumprod[timesteps].view(-1, 1, 1)
    assert (alphas_cumprod.sqrt() * x - (1 - alphas_cumprod).sqrt() * v - clean).abs().max() < 1e-4


def test_windows_become_whole_pictures_at_the_same_cost(iclevr: Path) -> None:
    task = PainterTask(replace(PRESETS["tiny-what"], whole_from=0.5), load_pictures(iclevr).split()[0])
    batch = task.examples.batch(torch.arange(8))
    window, given = task.windows(batch, 0.4)
    assert (window.shape, given.shape) == ((8, 12, 16, 16), (8, 13, 16, 16))
    whole, given = task.windows(batch, 0.5)
    assert (whole.shape, given.shape) == ((2, 12, 32, 32), (2, 13, 32, 32))
    assert (task.painter.unpack(whole) - batch.pixels[:2]).abs().max() < 1e-6


@pytest.mark.parametrize("preset", ["tiny-where", "tiny-where-given"])
def test_given_places_are_shown_clean_and_cost_nothing(
    preset: str, iclevr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planner that always answers v of its objects, but nonsense for those that are given, loses nothing."""
    task, examples = make_task(PRESETS[preset], load_pictures(iclevr).split()[0], Namespace())
    assert isinstance(task, PlannerTask)
    run = Run(task, examples, task.preset.loop, tmp_path)
    seen: dict[str, torch.Tensor] = {}
    monkeypatch.setattr(task, "noised", lambda clean: (clean + 9, torch.full((64,), 600), torch.full_like(clean, 5)))
    monkeypatch.setattr(task, "learn", lambda loss, run: None)

    def answers(x: torch.Tensor, timesteps: torch.Tensor, objects: torch.Tensor) -> torch.Tensor:
        seen.update(x=x, objects=objects)
        seen["given"] = (timesteps == -1) if timesteps.dim() == 2 else torch.zeros_like(objects, dtype=torch.bool)
        return torch.where(seen["given"].unsqueeze(2), -99.0, 5.0).expand_as(x)

    task.networks["network"] = answers  # type: ignore[assignment]
    assert task.step(run.data.batch(torch.arange(64)), run)["loss"] == 0
    there, given = seen["objects"] >= 0, seen["given"]
    assert given.any() == (preset == "tiny-where-given")
    assert (seen["x"][given].abs() < 5).all()
    assert (seen["x"][there & ~given] > 5).all()


def test_the_default_preset_is_small_enough_for_two_cores_and_the_size_limit() -> None:
    with torch.device("meta"):
        network = DDPMNetwork(PRESETS["what"].model)
    assert 2 * sum(p.numel() for p in network.parameters()) < 15e6
