"""The distilled painter's task: it is taught to go where the teacher goes."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from clevr_demo.checkpoints import load_network, save_weights
from clevr_demo.generators.ddpm import DDPMConfig, DDPMNetwork, Painter, fast_scheduler, painter_denoiser
from clevr_demo.generators.sampling import denoise, estimate, make_scheduler, set_steps
from tests.conftest import TINY, shaken
from train.data.iclevr import load_pictures
from train.distil import PRESETS, DistilTask, leading
from train.learning.start import begin


def test_a_ddim_step_with_the_wanted_v_leads_to_the_teachers_next_state() -> None:
    config = replace(TINY, fast_steps=4)
    scheduler = fast_scheduler(config)
    alphas_cumprod = torch.cat([scheduler.alphas_cumprod[scheduler.timesteps], torch.ones(1)])
    torch.manual_seed(0)
    states = torch.randn(5, 2, 12, 8, 8)
    wanted = leading(states[:-1], states[1:], alphas_cumprod.view(-1, 1, 1, 1, 1))
    x = states[0]
    for number, timestep in enumerate(scheduler.timesteps):
        clean = estimate(x, wanted[number], float(alphas_cumprod[number]), "v_prediction")
        x = scheduler.step(clean, timestep, x).prev_sample
        assert (x - states[number + 1]).abs().max() < 1e-4


def test_the_student_is_taught_what_the_teacher_draws(iclevr: Path) -> None:
    preset = PRESETS["tiny-fast"]
    torch.manual_seed(0)
    teacher: Any = shaken(Painter(preset.model))
    task = DistilTask(preset, load_pictures(iclevr), teacher.state_dict())
    run: Any = SimpleNamespace(progress=0.9, autocast=nullcontext, average=task.painter)  # whole pictures
    torch.manual_seed(1)
    states, following, given = task.trajectories(task.examples.batch(torch.arange(16)), run)
    assert states.shape == following.shape == (4, 4, 12, 32, 32)  # a quarter as many pictures as windows
    assert torch.equal(following[:-1, 2:], states[1:, 2:]), "half of them stay on the teacher's way"
    scheduler = make_scheduler("dpm", preset.model)
    set_steps(scheduler, 20, preset.model.time_power)
    denoiser = painter_denoiser(teacher.eval(), given, scheduler.alphas_cumprod, teacher.black())
    with torch.no_grad():
        steps = list(denoise(denoiser, scheduler, states[0], []))
    for number, (_, x, _) in enumerate(steps[::5]):
        assert (states[number, 2:] - x[2:]).abs().max() < 1e-4
    assert (following[-1, 2:] - steps[-1][2][2:]).abs().max() < 1e-4
    student = painter_denoiser(task.painter.eval(), given[:2], scheduler.alphas_cumprod)
    with torch.no_grad():
        own = list(denoise(student, fast_scheduler(preset.model), states[0, :2], []))
    for number, (_, x, _) in enumerate(own):
        assert (states[number, :2] - x).abs().max() < 1e-4, "the others on the student's"
    run = SimpleNamespace(progress=0.0, autocast=nullcontext, average=task.painter)
    assert task.trajectories(task.examples.batch(torch.arange(3)), run)[0].shape == (4, 3, 12, 16, 16)


def test_a_student_goes_along_with_its_teacher(iclevr: Path, tmp_path: Path) -> None:
    preset = PRESETS["tiny-fast"]
    before: Any = shaken(DDPMNetwork(preset.model))
    save_weights(before, {"kind": "ddpm", "model": asdict(preset.model)}, tmp_path / "before")
    before = load_network(DDPMNetwork, DDPMConfig, tmp_path / "before")  # as rounded as they were stored
    teacher: Any = shaken(Painter(preset.model))
    task = DistilTask(preset, load_pictures(iclevr), teacher.state_dict())
    begin(task, [tmp_path / "before"], tmp_path / "run")
    old, student = before.painter.state_dict(), before.fast.state_dict()
    for name, new in teacher.named_parameters():
        assert torch.allclose(task.painter.state_dict()[name], student[name] + new - old[name], atol=1e-6), name
