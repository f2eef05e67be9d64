"""How a diffusion model is sampled: noise schedules, timesteps, the estimate of x_0, and the loop over the steps.

Samplers are diffusers' schedulers, one name each:

    dpm     DPM-Solver++ 2M (Lu et al. 2022, arXiv:2211.01095)
    unipc   UniPC, B2(h) (Zhao et al. 2023, arXiv:2302.04867)
    ddim    DDIM, eta 0 (Song et al. 2020, arXiv:2010.02502), which is DPM-Solver++ of order 1
    ddpm    ancestral sampling (Ho et al. 2020, arXiv:2006.11239); with 1,200 steps the exact loop of the report

A graph brings its sampler's steps along as a table, see `TabledScheduler`. diffusers is imported where it steps, for it
takes 200 MB of memory. A diffusion model can also be asked for what it was not trained for: `denoise_around` holds some
of x_0 fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import torch
from pydantic import Field

from clevr_demo.request import MAX_STEPS

Denoiser = Callable[[torch.Tensor, Any], torch.Tensor]
"""(x_t, timestep) to the estimate of x_0. The timestep is a whole number or, within a graph, a tensor of one."""


@dataclass(frozen=True)
class ScheduleConfig:
    """A diffusion model's settings that decide how it is noised, and what its network predicts of that."""

    timesteps: Annotated[int, Field(ge=MAX_STEPS, le=10_000)] = 1200
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = "squaredcos_cap_v2"
    prediction_type: Literal["epsilon", "v_prediction"] = "v_prediction"

    def schedule(self) -> dict[str, Any]:
        """The noise schedule's arguments, the same for every scheduler."""
        return {"num_train_timesteps": self.timesteps, "beta_schedule": self.beta_schedule}


def make_scheduler(sampler: str, config: ScheduleConfig) -> Any:
    """diffusers' scheduler of that name, stepping with estimates of x_0."""
    from diffusers import DDPMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler

    schedule = config.schedule() | {"prediction_type": "sample"}
    if sampler in ("dpm", "ddim"):
        order = 2 if sampler == "dpm" else 1
        return DPMSolverMultistepScheduler(
            **schedule, algorithm_type="dpmsolver++", solver_order=order, final_sigmas_type="zero"
        )
    if sampler == "unipc":
        return UniPCMultistepScheduler(**schedule, solver_type="bh2", predict_x0=True, final_sigmas_type="zero")
    return DDPMScheduler(**schedule, clip_sample=False)


def spaced_timesteps(steps: int, total: int, power: float) -> torch.Tensor:
    """(steps,) whole timesteps: total (1 - i / steps)^power - 1, each at least one below the last."""
    left = torch.arange(steps, 0, -1)
    curve = (total * (left / steps).double() ** power - 1).round().long()
    return torch.maximum(curve, left - 1)


def set_steps(scheduler: Any, steps: int, power: float) -> None:
    """Sets exactly `steps` timesteps, spaced by `power`. They stay on the CPU, so that reading one never waits for a
    GPU."""
    timesteps = spaced_timesteps(steps, scheduler.config.num_train_timesteps, power)
    if is_ancestral(scheduler):
        scheduler.set_timesteps(timesteps=timesteps.tolist())
        return
    scheduler.set_timesteps(steps)
    alphas_cumprod = scheduler.alphas_cumprod[timesteps]
    scheduler.timesteps = timesteps
    scheduler.sigmas = torch.cat([((1 - alphas_cumprod) / alphas_cumprod).sqrt(), torch.zeros(1)])
    scheduler.num_inference_steps = steps


def is_ancestral(scheduler: Any) -> bool:
    """Whether each step adds noise of its own."""
    if isinstance(scheduler, TabledScheduler):
        return False
    from diffusers import DDPMScheduler

    return isinstance(scheduler, DDPMScheduler)


class Step(NamedTuple):
    """What a scheduler's step leads to, as diffusers' schedulers tell it."""

    prev_sample: torch.Tensor


class TabledScheduler:
    """The steps of a deterministic scheduler out of a table, a row (timestep, a, b, c) a step: the next state is a x +
    b x_0 + c times the x_0 of the step before."""

    def __init__(self, rows: Sequence[Sequence[float]]) -> None:
        self.timesteps = torch.tensor([int(row[0]) for row in rows])
        self._weights = {int(row[0]): row[1:] for row in rows}
        self._before: torch.Tensor | None = None

    def step(self, predicted: torch.Tensor, timestep: Any, x: torch.Tensor) -> Step:
        """From x (N, ...) and the estimate of x_0 at one of `timesteps`, each of which comes once, in their order."""
        a, b, c = self._weights[int(timestep)]
        following = a * x + b * predicted
        if self._before is not None:
            following = following + c * self._before
        self._before = predicted
        return Step(following)


def level(alphas_cumprod: torch.Tensor, timestep: Any) -> torch.Tensor:
    """The cumulative alpha at a timestep, () in double precision, in which its roots are taken."""
    return alphas_cumprod[timestep].squeeze().double()


def estimate(x: torch.Tensor, output: torch.Tensor, alpha_cumprod: Any, prediction_type: str) -> torch.Tensor:
    """x_0 from x_t, its cumulative alpha, and the network's output: v (Salimans & Ho 2022, arXiv:2202.00512) or
    noise."""
    signal, spread = alpha_cumprod**0.5, (1 - alpha_cumprod) ** 0.5
    if prediction_type == "v_prediction":
        return signal * x - spread * output
    return (x - spread * output) / signal


def half_precision(device: torch.device) -> Any:
    """bf16 or fp16 on a GPU; full precision on a CPU, where a link's pixels should not depend on the processor."""
    if device.type != "cuda":
        return nullcontext()
    bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast("cuda", torch.bfloat16 if bf16 else torch.float16)


def times_of(timestep: Any, x: torch.Tensor) -> torch.Tensor:
    """The timestep (N,) of every row of x (N, ...)."""
    return torch.as_tensor(timestep, device=x.device).expand(len(x))


def denoiser_of(
    network: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], alphas_cumprod: torch.Tensor, prediction_type: str
) -> Denoiser:
    """The estimate of x_0 by a network, which gets x_t (N, ...) and timesteps (N,), in half precision on a GPU."""

    def denoiser(x: torch.Tensor, timestep: Any) -> torch.Tensor:
        with half_precision(x.device):
            output = network(x, times_of(timestep, x)).float()
        return estimate(x, output, level(alphas_cumprod, timestep), prediction_type)

    return denoiser


def denoise(
    denoiser: Denoiser, scheduler: Any, x: torch.Tensor, generators: Sequence[torch.Generator]
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
    """(timestep, x_t, the estimate of x_0 at it) of every step of a scheduler whose steps are set."""
    ancestral: dict[str, Any] = {"generator": list(generators)} if is_ancestral(scheduler) else {}
    for timestep in scheduler.timesteps:
        predicted = denoiser(x, int(timestep))
        yield int(timestep), x, predicted
        x = scheduler.step(predicted, timestep, x, **ancestral).prev_sample


def denoise_around(
    denoiser: Denoiser, scheduler: Any, x: torch.Tensor, known: torch.Tensor, fixed: torch.Tensor,
    noise: Callable[[], torch.Tensor], resamplings: int,
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:  # fmt: skip
    """What `denoise` gives, around what is `known` of x_0 where `fixed` is true: RePaint (Lugmayr et al. 2022,
    arXiv:2201.09865). At each step the known part is set to its noised value, and an ancestral step of all is taken,
    `resamplings` times with the noise put back in between, so that the rest comes to agree with the known part.
    `noise()` draws fresh noise of x's shape.
    """
    levels = [*scheduler.alphas_cumprod[scheduler.timesteps].tolist(), 1.0]
    for timestep, here, there in zip(scheduler.timesteps, levels, levels[1:], strict=False):
        for left in reversed(range(resamplings)):
            x = torch.where(fixed, here**0.5 * known + (1 - here) ** 0.5 * noise(), x)
            predicted = torch.where(fixed, known, denoiser(x, int(timestep)))
            if not left:
                yield int(timestep), x, predicted
            spread = (1 - there) / (1 - here) * (1 - here / there)
            direction = (x - here**0.5 * predicted) / (1 - here) ** 0.5
            x = there**0.5 * predicted + (1 - there - spread) ** 0.5 * direction + spread**0.5 * noise()
            if left:
                kept = here / there
                x = kept**0.5 * x + (1 - kept) ** 0.5 * noise()
