"""Trains the DDPM's distilled painter, which draws in four steps what the painter draws in twenty.

    python -m train.distil --data DIR --teacher checkpoints/ddpm --compile
    python -m train.distil --data DIR --preset fast-anywhere --teacher runs/ddpm-anywhere --start checkpoints/ddpm
    python -m train.join ddpm --where ... --what ... --fast runs/ddpm-fast --out checkpoints/ddpm

The teacher's solver is deterministic, so each of its trajectories goes from one noise to one picture. The student,
which begins as a copy of the teacher, learns to go five of the teacher's twenty steps at once: its times are every
fifth of the teacher's, and from a state at one of them a DDIM step with its estimate of x_0 has to lead to where the
teacher goes by the next (progressive distillation, Salimans & Ho 2022, arXiv:2202.00512, in one go). The states are the
teacher's own and, on half of the windows, those to which the student itself comes. Of the training pictures it takes
their places alone.

With `--start CHECKPOINT`, which holds a student and its own teacher, the new student begins as that one, moved by as
much as the new teacher lies from the old one (task arithmetic, Ilharco et al. 2023, arXiv:2212.04089): a teacher that
went on learning takes its student along.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from clevr_demo.generators.ddpm import TEACHER_STEPS, Painter, fast_scheduler, painter_denoiser
from clevr_demo.generators.sampling import make_scheduler, set_steps
from clevr_demo.request import FAST_STEPS
from train.data.batches import Batch, Examples
from train.data.iclevr import Pictures
from train.ddpm import PRESETS as DDPM_PRESETS
from train.ddpm import DDPMPreset, PainterTask
from train.learning.loop import LoopSettings, Run
from train.learning.options import SettingError, arguments, clear_errors, train
from train.learning.start import is_run, start_weights

OWN = 0.5  # of the windows on which the student goes its own way


@dataclass(frozen=True)
class DistilPreset(DDPMPreset):
    """The painter's own, but for a number of steps, `model.fast_steps`, that divides the teacher's."""

    def __post_init__(self) -> None:
        steps = self.model.fast_steps
        if not steps or TEACHER_STEPS % steps:
            raise SettingError(f"model.fast_steps={steps}: the teacher's {TEACHER_STEPS} steps are no multiple of it")


def distilled(preset: DDPMPreset, **changes: Any) -> DistilPreset:
    """A painter's preset with its distillation's settings in place of its own."""
    model = replace(preset.model, fast_steps=FAST_STEPS)
    return DistilPreset(**vars(preset) | {"stage": "fast", "model": model} | changes)


LOOP = LoopSettings(pictures=60_000, batch=32, ema=0.998, log_every=20, sample_every=500)
FAST: dict[str, Any] = {
    "loop": LOOP,
    "rate": 5e-4,
    "warmup": 50,
    "decay_from": 0.3,
}
PRESETS = {
    "fast": distilled(DDPM_PRESETS["what"], **FAST),
    "fast-anywhere": distilled(DDPM_PRESETS["anywhere"], **FAST),  # of the painter that draws objects anywhere
    "tiny-fast": distilled(DDPM_PRESETS["tiny-what"]),
}


class DistilTask(PainterTask):
    """Weighted squared error of the v that would lead to the teacher's next state, over all of the student's times."""

    def __init__(self, preset: DistilPreset, data: Pictures, teacher: dict[str, torch.Tensor]) -> None:
        super().__init__(preset, data)
        self.painter.load_state_dict(teacher)
        self.teacher = Painter(preset.model).eval().requires_grad_(False)
        self.teacher.load_state_dict(teacher)
        self.times = fast_scheduler(preset.model).timesteps
        self.alphas_cumprod = torch.cat([self.schedule.alphas_cumprod[self.times], torch.ones(1)])

    def begun(self, start: Path) -> None:
        if is_run(start, self.stage):
            return
        old, new = start_weights(start, self.kind, "what"), self.teacher.state_dict()
        with torch.no_grad():
            for name, parameter in self.painter.named_parameters():
                parameter.add_(new[name] - old[name])

    def trajectories(self, batch: Batch, run: Run) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(states at the student's times, where the teacher goes from each by the next time, both (steps, B, 12, S, S),
        conditions (B, 13, S, S)) of new noise, on windows of the batch's scenes.

        The first `OWN` of the windows go on from where the student goes, so that it learns to mend its own errors; the
        others from where the teacher goes.
        """
        black, condition = self.windows(replace(batch, pixels=torch.full_like(batch.pixels, -1.0)), run.progress)
        self.teacher.to(black.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        scheduler = make_scheduler("dpm", self.preset.model)
        set_steps(scheduler, TEACHER_STEPS, self.preset.model.time_power)
        teacher = painter_denoiser(self.teacher, condition, scheduler.alphas_cumprod, black)
        own = round(OWN * len(black))
        student = painter_denoiser(run.average, condition[:own], scheduler.alphas_cumprod)  # type: ignore[arg-type]
        walker = fast_scheduler(self.preset.model)
        stride = TEACHER_STEPS // self.preset.model.fast_steps
        x = torch.randn_like(black)
        states, following = [], []
        with torch.no_grad(), run.autocast():
            for number, timestep in enumerate(scheduler.timesteps):
                if number % stride == 0:
                    states.append(x)
                    if own:
                        ahead = walker.step(student(x[:own], int(timestep)), timestep, x[:own]).prev_sample
                x = scheduler.step(teacher(x, int(timestep)), timestep, x).prev_sample
                if number % stride == stride - 1:
                    following.append(x)
                    if own:
                        x = torch.cat([ahead, x[own:]])
        return torch.stack(states), torch.stack(following), condition

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        x, following, condition = self.trajectories(batch, run)
        times, number = x.shape[:2]
        alphas_cumprod = self.alphas_cumprod.to(x.device).view(-1, 1, 1, 1, 1)
        target = leading(x, following, alphas_cumprod).flatten(0, 1)
        timesteps = self.times.to(x.device).repeat_interleave(number)
        with run.autocast():
            output = self.networks["network"](x.flatten(0, 1), timesteps, condition.repeat(times, 1, 1, 1))
        square = (output.float() - target).square().unflatten(0, (times, number))
        error = (square * self.weight(condition)).mean(dim=(1, 2, 3, 4))
        loss = error.mean()
        self.learn(loss, run)
        return {"loss": loss} | {f"mse_{place + 1}": one for place, one in enumerate(error.detach())}


def leading(x: torch.Tensor, following: torch.Tensor, alphas_cumprod: torch.Tensor) -> torch.Tensor:
    """The v at states x (T, ...) with which a DDIM step leads to `following` (T, ...); `alphas_cumprod` (T + 1, ...)
    are those of the states' times and of the end."""
    signal, spread = alphas_cumprod.sqrt(), (1 - alphas_cumprod).sqrt()
    ratio = spread[1:] / spread[:-1]
    clean = (following - ratio * x) / (signal[1:] - ratio * signal[:-1])
    return (signal[:-1] * x - clean) / spread[:-1]


def make_task(preset: DistilPreset, data: Pictures, options: argparse.Namespace) -> tuple[DistilTask, Examples]:
    task = DistilTask(preset, data, start_weights(options.teacher, "ddpm", "what"))
    if options.compile:
        task.teacher.compile(dynamic=False)
    return task, task.examples


@clear_errors
def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__ or "", PRESETS, "fast")
    parser.add_argument("--teacher", required=True, type=Path, help="run or checkpoint with the painter to distil")
    train("ddpm", PRESETS, make_task, parser.parse_args(argv))


if __name__ == "__main__":
    main()
