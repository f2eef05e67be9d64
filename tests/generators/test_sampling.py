"""The samplers: against diffusers' own loops, a perfect denoiser and a distribution whose end is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler

from clevr_demo.generators.sampling import ScheduleConfig, denoise, estimate, make_scheduler, set_steps
from clevr_demo.request import SAMPLERS

CONFIG = ScheduleConfig()


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_number_of_steps_is_kept(sampler: str, power: float) -> None:
    scheduler = make_scheduler(sampler, CONFIG)
    for steps in (*range(1, 60), 100, 333, 1000, 1199, 1200):
        set_steps(scheduler, steps, power)
        times = scheduler.timesteps.tolist()
        assert len(times) == steps
        assert times[0] == 1199
        assert times[-1] >= 0
        assert all(one > other for one, other in zip(times, times[1:], strict=False))
        curve = [1200 * ((steps - place) / steps) ** power - 1 for place in range(steps)]
        assert all(abs(mine - wanted) <= 0.51 or mine == steps - 1 - place
                   for place, (mine, wanted) in enumerate(zip(times, curve, strict=True)))  # fmt: skip
        if hasattr(scheduler, "sigmas"):
            assert len(scheduler.sigmas) == steps + 1
            assert scheduler.sigmas[-1] == 0
            assert (scheduler.sigmas.diff() < 0).all()


def solved(
    config: ScheduleConfig, sampler: str, steps: int, x: torch.Tensor, denoiser: Any, power: float
) -> torch.Tensor:
    scheduler = make_scheduler(sampler, config)
    set_steps(scheduler, steps, power)
    generators = [torch.Generator().manual_seed(5) for _ in x]
    return list(denoise(denoiser, scheduler, x, generators))[-1][2]


def test_ddim_is_diffusers_ddim() -> None:
    """Evenly spaced, where both can be compared: DPM-Solver++ of order 1 is DDIM with eta 0."""
    torch.manual_seed(0)
    target = torch.randn(2, 3, 8, 8)
    reference = DDIMScheduler(**CONFIG.schedule(), prediction_type="sample", clip_sample=False)
    reference.set_timesteps(12)
    start = torch.randn(2, 3, 8, 8)
    x, times = start, [1200 - 100 * place - 1 for place in range(12)]
    for t in times:
        x = reference.step(torch.tanh(x) + target, t, x).prev_sample
    scheduler = make_scheduler("ddim", CONFIG)
    set_steps(scheduler, 12, 1.0)
    scheduler.timesteps = torch.tensor(times)
    alphas_cumprod = scheduler.alphas_cumprod[scheduler.timesteps]
    scheduler.sigmas = torch.cat([((1 - alphas_cumprod) / alphas_cumprod).sqrt(), torch.zeros(1)])
    ours = list(denoise(lambda x, t: torch.tanh(x) + target, scheduler, start, []))[-1][2]
    assert (ours - x).abs().max() < 1e-3


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_a_perfect_denoiser_draws_the_very_picture(sampler: str, power: float) -> None:
    target = torch.rand(1, 3, 4, 4) - 0.5
    drawn = solved(CONFIG, sampler, 8, torch.randn(1, 3, 4, 4), lambda x, t: target, power)
    assert torch.equal(drawn, target)


@pytest.mark.parametrize("sampler", ["dpm", "unipc"])
def test_second_order_solvers_beat_the_first_order(sampler: str) -> None:
    """Gaussian data of standard deviation 0.5, whose best denoiser and exact end are known."""
    scheduler = make_scheduler("dpm", CONFIG)

    def ideal(x: torch.Tensor, timestep: int) -> torch.Tensor:
        alpha_cumprod = float(scheduler.alphas_cumprod[timestep])
        return x * alpha_cumprod**0.5 * 0.25 / (0.25 * alpha_cumprod + 1 - alpha_cumprod)

    x = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    errors = {name: (solved(CONFIG, name, 12, x, ideal, 1.0).std() - 0.5).abs().item() for name in ("ddim", sampler)}
    assert errors[sampler] < errors["ddim"] / 2


@pytest.mark.parametrize("kind", ["v_prediction", "epsilon"])
def test_the_estimate_inverts_the_forward_process(kind: str) -> None:
    x0, noise, alpha_cumprod = torch.randn(4, 3), torch.randn(4, 3), 0.3
    x = alpha_cumprod**0.5 * x0 + (1 - alpha_cumprod) ** 0.5 * noise
    v = alpha_cumprod**0.5 * noise - (1 - alpha_cumprod) ** 0.5 * x0
    output = v if kind == "v_prediction" else noise
    assert (estimate(x, output, alpha_cumprod, kind) - x0).abs().max() < 1e-5
