"""The course report's models as they are trained: its settings, its losses, and the teacher's gradient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import clevr_demo
from clevr_demo.generators.course import ReportGAN
from clevr_demo.judge.classifier import ClassifierNetwork
from clevr_demo.objects import multi_hot
from tests.conftest import shipped
from train.data.iclevr import Pictures
from train.learning.course import DDPM_PRESETS, PRESETS, ReportTask, load_teacher, teacher_loss

TINY = PRESETS["tiny-report"]


def test_the_report_preset_is_the_reports_recipe() -> None:
    preset = DDPM_PRESETS["report"]
    assert (preset.model.timesteps, preset.model.beta_schedule) == (1200, "linear")
    assert preset.model.prediction_type == "epsilon"
    assert (preset.rate, preset.loop.batch, preset.loop.pictures, preset.loop.ema) == (5e-5, 20, 100 * 18009, 0)


def test_the_report_presets_are_the_reports_recipe() -> None:
    report = PRESETS["report"]
    assert (report.rate, report.adversarial, report.betas, report.loop.batch) == (2e-4, 0.8, (0.5, 0.999), 512)
    assert (report.lambda_from, report.lambda_to, report.model.noise_mean) == (0.2, 0.2, -1.0)
    assert PRESETS["report-growing"] == replace(report, lambda_to=0.5)
    assert PRESETS["report-cut"] == replace(report, cut_teacher=True)
    assert not any(
        preset.cut_teacher for name, preset in PRESETS.items() if name.startswith("report") and name != "report-cut"
    )


def report_task(pictures: Pictures, **change: Any) -> ReportTask:
    torch.manual_seed(0)
    return ReportTask(replace(TINY, **change), pictures, ClassifierNetwork())


class Recorder:
    """Stands in for the training loop: keeps each loss instead of descending it."""

    progress, position, settings = 0.0, 0, SimpleNamespace(steps=1)

    def __init__(self) -> None:
        self.losses: dict[str, torch.Tensor] = {}

    def autocast(self) -> Any:
        return torch.autocast("cpu", enabled=False)

    def descend(self, loss: torch.Tensor, optimizers: list[str], network: str, rate: float) -> None:
        assert optimizers == [network]
        self.losses[network] = loss


@pytest.mark.parametrize("cut", [False, True])
def test_the_teachers_gradient_reaches_every_weight_of_the_generator_unless_cut(pictures: Pictures, cut: bool) -> None:
    task, run = report_task(pictures, adversarial=0.0, cut_teacher=cut), Recorder()
    generator, labels = task.networks["generator"], pictures.labels[:4]
    task.generator_step(labels, generator(torch.randn(4, 8), labels), run)  # type: ignore[arg-type]
    run.losses["generator"].backward()
    moved = [p.grad is not None and bool(p.grad.any()) for p in generator.parameters()]
    assert not any(moved) if cut else all(moved)


def test_following_the_teachers_gradient_draws_what_the_teacher_wants() -> None:
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 24)).requires_grad_(False)
    generator = ReportGAN(TINY.model)
    labels, z = multi_hot([[0], [9], [18], [3, 12]]), torch.randn(4, 8)
    optimizer = torch.optim.Adam(generator.parameters(), 1e-2)
    losses = []
    for _ in range(20):
        loss, _ = teacher_loss(teacher, generator(z, labels), labels, cut=False)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_the_reports_losses_are_the_formulas(pictures: Pictures) -> None:
    task, run = report_task(pictures, lambda_from=0.2, lambda_to=0.6), Recorder()
    run.progress = 0.5
    for network in task.networks.values():
        network.eval()
    pixels, labels = pictures.pixels[:4].float() / 127.5 - 1, pictures.labels[:4]
    drawn = task.networks["generator"](torch.randn(4, 8), labels).detach()
    task.discriminator_step(pixels, labels, drawn, run)  # type: ignore[arg-type]
    task.generator_step(labels, drawn, run)  # type: ignore[arg-type]
    with torch.no_grad():
        real, fake = (task.networks["discriminator"](shown, labels).sigmoid() for shown in (pixels, drawn))
        taught = F.binary_cross_entropy(task.teacher(drawn).sigmoid(), labels)
    entropy, ones, zeros = F.binary_cross_entropy, torch.ones(4), torch.zeros(4)
    assert run.losses["discriminator"].item() == pytest.approx(
        (entropy(real, ones) + entropy(fake, zeros)).item(), rel=1e-4
    )
    assert run.losses["generator"].item() == pytest.approx((0.8 * entropy(fake, ones) + 0.4 * taught).item(), rel=1e-4)


def test_the_teacher_is_not_the_judge(tmp_path: Path) -> None:
    with pytest.raises(clevr_demo.CheckpointError, match=str(tmp_path)):
        load_teacher(tmp_path)
    judge = shipped("classifier")
    with pytest.raises(clevr_demo.CheckpointError, match="does not fit"):
        load_teacher(judge)
