"""The ACGAN: what generation promises, its latent path, and what its losses teach."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import clevr_demo
from clevr_demo.acgan import (
    DISCRIMINATORS,
    ACGANConfig,
    ACGANGenerator,
    GeneratorNetwork,
    LayoutGenerator,
    ReportDiscriminator,
    ReportGenerator,
    latent_path,
)
from clevr_demo.classifier import TeacherNetwork
from clevr_demo.objects import InputError, index_valued, multi_hot
from clevr_demo.places import attribute_maps
from tests.conftest import shaken, shipped
from train import acgan
from train.acgan import (
    DISCRIMINATOR_LOSSES,
    GENERATOR_LOSSES,
    PRESETS,
    ACGANPreset,
    ACGANTask,
    reconstruction_loss,
    teacher_loss,
    translate_and_cut,
)
from train.data import Pictures, load_pictures
from train.layout import layout

TINY = PRESETS["tiny"].model


def tiny_acgan(config: ACGANConfig = TINY) -> ACGANGenerator:
    torch.manual_seed(0)
    network = shaken(GeneratorNetwork(config))
    assert isinstance(network, GeneratorNetwork)
    return ACGANGenerator(network, "acgan@tiny", torch.device("cpu"))


@pytest.fixture(scope="module")
def gan() -> ACGANGenerator:
    """A tiny ACGAN with random weights."""
    return tiny_acgan()


# promises -----------------------------------------------------------------------------------------------------------


def test_the_same_request_gives_the_same_pixels(gan: ACGANGenerator) -> None:
    first = gan.generate(["red cube"], seed=7, steps=5)
    gan.generate(["blue sphere"], seed=1)
    torch.manual_seed(99)
    second = gan.generate("Red_Cube", seed=7, steps=5)
    assert [f.noisy.tobytes() for f in first.frames] == [f.noisy.tobytes() for f in second.frames]
    assert first.request == second.request


def test_a_picture_does_not_depend_on_its_batch(gan: ACGANGenerator) -> None:
    labels, seeds = [["red cube"], ["blue sphere", "gray cube"], [5]], [7, 7, 8]
    for asked, seed, result in zip(labels, seeds, gan.generate_batch(labels, seeds, steps=3), strict=True):
        assert result.image.tobytes() == gan.generate(asked, seed, steps=3).image.tobytes()


@pytest.mark.parametrize("change", [{"seed": 8}, {"labels": ["red cylinder"]}])
def test_another_request_gives_another_picture(gan: ACGANGenerator, change: dict[str, Any]) -> None:
    request: dict[str, Any] = {"labels": ["red cube"], "seed": 7, "steps": 1}
    assert gan.generate(**request).image.tobytes() != gan.generate(**request | change).image.tobytes()


@pytest.mark.parametrize("steps", [1, 2, 20])
def test_the_path_ends_in_the_picture_whatever_its_length(gan: ACGANGenerator, steps: int) -> None:
    result = gan.generate(["red cube"], seed=7, steps=steps)
    assert result.image.tobytes() == gan.generate(["red cube"], seed=7, steps=1).image.tobytes()
    assert result.frames[-1].predicted.tobytes() == result.image.tobytes()
    assert [(f.index, f.timestep) for f in result.frames] == [(i, steps - 1 - i) for i in range(steps)]
    assert len({f.predicted.tobytes() for f in result.frames}) == steps
    assert (result.image.mode, result.image.size, result.evaluations) == ("RGB", (64, 64), steps)


def test_the_path_ends_at_the_seeds_own_noise(gan: ACGANGenerator) -> None:
    seen: list[torch.Tensor] = []
    hook = gan.network.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].clone()))
    try:
        gan.generate(["red cube"], seed=11, steps=4)
    finally:
        hook.remove()
    own = torch.randn(TINY.noise, generator=torch.Generator().manual_seed(11))
    assert torch.equal(seen[-1][0], own)
    assert not torch.equal(seen[0][0], own)


def test_the_path_is_an_even_arc() -> None:
    generator = torch.Generator().manual_seed(0)
    start, end = torch.randn(2, 64, generator=generator)
    path = latent_path(start / start.norm(), end / end.norm(), 9)
    assert torch.allclose(path.norm(dim=1), torch.ones(9), atol=1e-5)
    angles = [math.acos(float(torch.dot(a, b))) for a, b in zip(path, path[1:], strict=False)]
    assert angles == pytest.approx([sum(angles) / 8] * 8, abs=1e-3)
    assert torch.allclose(path[0], start / start.norm(), atol=1e-6)


@pytest.mark.parametrize("factor", [1.0, -1.0, 2.0])
def test_the_path_between_parallel_points_is_finite(factor: float) -> None:
    end = torch.randn(8, generator=torch.Generator().manual_seed(0))
    path = latent_path(factor * end, end, 5)
    assert path.isfinite().all()
    assert torch.equal(path[-1], end)


def test_without_timeline_only_the_picture_is_drawn(gan: ACGANGenerator) -> None:
    short = gan.generate_batch([[1]], [7], steps=5, timeline=False)[0]
    full = gan.generate([1], 7, steps=5)
    assert (len(short.frames), short.evaluations) == (1, 1)
    assert short.image.tobytes() == full.image.tobytes()
    assert short.frames[-1].index == full.frames[-1].index


def test_a_stream_gives_the_frames_of_generate_and_closing_it_cancels_the_rest(gan: ACGANGenerator) -> None:
    calls: list[None] = []
    hook = gan.network.register_forward_hook(lambda *_: calls.append(None))
    try:
        stream = gan.stream([1], seed=7, steps=9.0)  # type: ignore[arg-type]
        assert calls == []
        frames = [next(stream) for _ in range(3)]
        stream.close()  # type: ignore[attr-defined]
        assert list(stream) == []
        assert len(calls) == 3
    finally:
        hook.remove()
    expected = gan.generate([1], seed=7, steps=9).frames
    assert all(torch.equal(a.noisy_pixels, b.noisy_pixels) for a, b in zip(frames, expected, strict=False))
    assert len(list(gan.stream([1], seed=7, steps=9))) == 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": []}, "no object"),
        ({"labels": ["red cone"]}, "'red cone'.*'red cube'"),
        ({"steps": 0}, "steps must be between 1 and 1200"),
        ({"steps": "5"}, "steps must be a whole number"),
        ({"seed": -1}, "seed must be between"),
        ({"seed": True}, "seed must be a whole number"),
    ],
)
def test_bad_input_is_named(gan: ACGANGenerator, change: dict[str, Any], message: str) -> None:
    request: dict[str, Any] = {"labels": ["red cube"], "seed": 7, "steps": 5}
    for draw in (gan.generate, gan.stream):
        with pytest.raises(InputError, match=message):
            draw(**request | change)
    with pytest.raises(ValueError, match="2 label sets but 1 seeds"):
        gan.generate_batch([[1], [2]], [0])


# networks -----------------------------------------------------------------------------------------------------------


def test_the_report_preset_is_the_reports_pair() -> None:
    config = PRESETS["report"].model
    generator, discriminator = ReportGenerator(config), ReportDiscriminator(config)
    assert isinstance(generator.embed[0], nn.Linear)
    assert tuple(generator.embed[0].weight.shape) == (512, 24)
    assert isinstance(generator.embed[1], nn.LeakyReLU)
    up = [layer for layer in generator.body if isinstance(layer, nn.ConvTranspose2d)]
    assert [layer.in_channels for layer in up] == [1024, 512, 256, 128, 64]
    assert up[-1].out_channels == 3
    down = [layer for layer in discriminator.body if isinstance(layer, nn.Conv2d)]
    assert len(down) == 5
    assert down[0].in_channels == 4
    labels = multi_hot([[1], [2]])
    pictures = generator(torch.randn(2, 512), labels)
    assert pictures.shape == (2, 3, 64, 64)
    assert pictures.abs().max() <= 1
    assert discriminator(pictures, labels).shape == (2,)


def test_the_report_presets_are_the_reports_recipe() -> None:
    report = PRESETS["report"]
    assert (report.loss, report.adversarial, report.betas) == ("bce", 0.8, (0.5, 0.999))
    assert (report.generator_rate, report.discriminator_rate, report.loop.batch) == (2e-4, 2e-4, 512)
    assert (report.lambda_from, report.lambda_to, report.model.noise_mean) == (0.2, 0.2, -1.0)
    assert not report.augment
    assert PRESETS["report-growing"] == replace(report, lambda_to=0.5)
    assert PRESETS["report-cut"] == replace(report, cut_teacher=True)
    assert not any(preset.cut_teacher for name, preset in PRESETS.items() if name != "report-cut")


def test_the_noise_is_shifted_as_configured() -> None:
    seen = []
    network = GeneratorNetwork(replace(TINY, noise_mean=-1.0, encoding="index"))
    network.body.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs))
    z, labels = torch.randn(2, TINY.noise), multi_hot([[1], [2, 23]])
    network(z, labels)
    assert torch.equal(seen[0][0], z - 1)
    assert torch.equal(seen[0][1], index_valued(labels))


@pytest.mark.parametrize("name", ["tiny", "weak-teacher"])
def test_the_residual_pair_has_the_right_shapes_and_sees_the_labels(name: str) -> None:
    torch.manual_seed(0)
    config = PRESETS[name].model
    generator, discriminator = GeneratorNetwork(config), DISCRIMINATORS[config.architecture](config)
    z, one, two = torch.randn(1, config.noise), multi_hot([[1]]), multi_hot([[2]])
    with torch.no_grad():
        pictures = generator(z, one)
        assert pictures.shape == (1, 3, 64, 64)
        assert pictures.abs().max() <= 1
        assert not torch.equal(pictures, generator(z, two))
        (real_one, auxiliary), (real_two, _) = discriminator(pictures, one), discriminator(pictures, two)
    assert (real_one.shape, auxiliary.shape) == ((1,), (1, 24))
    assert real_one != real_two


def test_the_default_generator_fits_the_size_limit() -> None:
    with torch.device("meta"):
        network = GeneratorNetwork(PRESETS["default"].model)
    assert 2 * sum(p.numel() for p in network.parameters()) < 30e6


# training -----------------------------------------------------------------------------------------------------------


TINY_MAPS = replace(PRESETS["tiny"], model=replace(PRESETS["tiny"].model, maps=True), loss="relativistic", penalty=0.5)


TINY_LAYOUT = replace(
    PRESETS["tiny"],
    model=replace(TINY, architecture="layout", noise=80, maps=True),
    reconstruction=40.0,
)


class Recorder:
    """Stands in for the training loop: keeps each loss instead of descending it."""

    progress = 0.0

    def __init__(self) -> None:
        self.losses: dict[str, torch.Tensor] = {}

    def autocast(self) -> Any:
        return torch.autocast("cpu", enabled=False)

    def descend(self, loss: torch.Tensor, optimizer: str, network: str, rate: float) -> None:
        assert optimizer == network
        self.losses[network] = loss


@pytest.fixture(scope="module")
def pictures(iclevr: Path) -> Pictures:
    return load_pictures(iclevr, progress=False)


def task_of(preset: ACGANPreset, pictures: Pictures) -> ACGANTask:
    torch.manual_seed(0)
    return ACGANTask(preset, pictures, TeacherNetwork())


def generator_gradient(preset: ACGANPreset, pictures: Pictures) -> dict[str, torch.Tensor]:
    """The gradient of the generator's loss, per parameter, without the adversarial and the auxiliary part."""
    preset = replace(preset, adversarial=0.0, auxiliary_drawn=0.0)
    task, run = task_of(preset, pictures), Recorder()
    labels = pictures.labels[:4]
    generator = task.networks["generator"]
    fakes = generator(torch.randn(4, preset.model.noise), labels)
    torch.manual_seed(1)
    pixels = pictures.pixels[:4].float() / 127.5 - 1
    task.generator_step(pixels, labels, fakes, run, 1.0)  # type: ignore[arg-type]
    run.losses["generator"].backward()
    return {name: p.grad for name, p in generator.named_parameters() if p.grad is not None}


SMALL_REPORT = replace(PRESETS["report"], model=replace(PRESETS["report"].model, noise=8, label_width=8))


@pytest.mark.parametrize("preset", [SMALL_REPORT, PRESETS["tiny"]], ids=["report", "residual"])
def test_the_teachers_gradient_reaches_every_weight_of_the_generator(preset: ACGANPreset, pictures: Pictures) -> None:
    gradients = generator_gradient(preset, pictures)
    assert len(gradients) == len(list(GeneratorNetwork(preset.model).named_parameters()))
    assert all(gradient.abs().sum() > 0 for gradient in gradients.values())


@pytest.mark.parametrize("preset", [SMALL_REPORT, PRESETS["tiny"]], ids=["report", "residual"])
def test_a_cut_gradient_does_not_reach_the_generator(preset: ACGANPreset, pictures: Pictures) -> None:
    gradients = generator_gradient(replace(preset, cut_teacher=True), pictures)
    assert all(not gradient.any() for gradient in gradients.values())


def test_following_the_teachers_gradient_draws_what_the_teacher_wants(pictures: Pictures) -> None:
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 24)).requires_grad_(False)
    generator = GeneratorNetwork(TINY)
    labels, z = multi_hot([[0], [9], [18], [3, 12]]), torch.randn(4, TINY.noise)
    optimizer = torch.optim.Adam(generator.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        loss, _ = teacher_loss(teacher, generator(z, labels), labels, cut=False)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("preset", [SMALL_REPORT, PRESETS["tiny"]], ids=["report", "residual"])
def test_the_losses_are_the_formulas(preset: ACGANPreset, pictures: Pictures) -> None:
    preset = replace(preset, augment=False, lambda_from=0.2, lambda_to=0.6)
    task, run = task_of(preset, pictures), Recorder()
    run.progress = 0.5
    for network in task.networks.values():
        network.eval()
    pixels, labels = pictures.pixels[:4].float() / 127.5 - 1, pictures.labels[:4]
    fakes = task.networks["generator"](torch.randn(4, preset.model.noise), labels).detach()
    task.discriminator_step(pixels, labels, fakes, run, 1.0)  # type: ignore[arg-type]
    task.generator_step(pixels, labels, fakes, run, 1.0)  # type: ignore[arg-type]
    with torch.no_grad():
        real, fake = (task.networks["discriminator"](shown, labels) for shown in (pixels, fakes))
        taught = F.binary_cross_entropy(task.teacher(fakes).sigmoid(), labels)
        if preset.loss == "bce":  # the report's: binary cross-entropy on a sigmoid
            ones, zeros = torch.ones(4), torch.zeros(4)
            entropy = F.binary_cross_entropy
            d_loss = entropy(real.sigmoid(), ones) + entropy(fake.sigmoid(), zeros)
            g_loss = 0.8 * entropy(fake.sigmoid(), ones)
        else:
            d_loss = (1 - real[0]).clamp(min=0).mean() + (1 + fake[0]).clamp(min=0).mean()
            d_loss += preset.auxiliary_real * F.binary_cross_entropy(real[1].sigmoid(), labels)
            g_loss = -fake[0].mean() + preset.auxiliary_drawn * F.binary_cross_entropy(fake[1].sigmoid(), labels)
    assert run.losses["discriminator"].item() == pytest.approx(d_loss.item(), rel=1e-4)
    assert run.losses["generator"].item() == pytest.approx((g_loss + 0.4 * taught).item(), rel=1e-4)


@pytest.mark.parametrize("preset", [PRESETS["tiny"], TINY_MAPS, TINY_LAYOUT], ids=["tiny", "maps", "layout"])
def test_a_step_trains_both_and_leaves_the_teacher_alone(preset: ACGANPreset, pictures: Pictures) -> None:
    task, run = task_of(preset, pictures), Recorder()
    teacher_before = [value.clone() for value in task.teacher.state_dict().values()]
    stand_in: Any = SimpleNamespace(
        progress=0.0,
        position=0,
        chosen=torch.arange(4),
        settings=PRESETS["tiny"].loop,
        autocast=run.autocast,
        descend=run.descend,
    )
    logged = task.step(pictures.pixels[:4].float() / 127.5 - 1, pictures.labels[:4], stand_in)
    assert set(run.losses) == {"generator", "discriminator"}
    assert all(value.isfinite() for value in logged.values())
    assert all(p.requires_grad for p in task.networks["discriminator"].parameters())
    assert not task.teacher.training
    after = task.teacher.state_dict().values()
    assert all(torch.equal(a, b) for a, b in zip(teacher_before, after, strict=True))


def test_the_relativistic_loss_compares_pairs() -> None:
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 1.0])
    odds = (real - fake).sigmoid()  # that the real one is the more real
    assert DISCRIMINATOR_LOSSES["relativistic"](real, fake).item() == pytest.approx(-odds.log().mean().item())
    assert GENERATOR_LOSSES["relativistic"](real, fake).item() == pytest.approx(-(1 - odds).log().mean().item())


def test_the_penalty_is_the_squared_gradient(pictures: Pictures) -> None:
    """For a linear discriminator the expected squared change is the noise's variance times the gradient's square."""
    task, weight = task_of(replace(TINY_MAPS, penalty_noise=0.5), pictures), torch.randn(14 * 64 * 64)
    task.networks["discriminator"] = Linear(weight)
    torch.manual_seed(0)
    found = task.penalty(torch.zeros(512, 14, 64, 64), torch.zeros(512, 24), Recorder())  # type: ignore[arg-type]
    assert found.item() == pytest.approx(0.25 * weight.square().sum().item(), rel=0.2)


class Linear(nn.Module):
    """A discriminator whose logit is linear in the pixels."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, pixels: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return pixels.flatten(1) @ self.weight, labels


def test_maps_are_learnt_beside_the_pixels_and_never_shown(pictures: Pictures) -> None:
    task = task_of(TINY_MAPS, pictures)
    pixels = pictures.pixels[:4].float() / 127.5 - 1
    scene = task.scene(pixels, torch.arange(4))
    assert torch.equal(scene[:, :3], pixels)
    assert torch.equal(F.avg_pool2d(scene[:, 3:], 2), layout(pictures).take(torch.arange(4)).maps(32))
    drawn = task.networks["generator"](torch.randn(4, 8), pictures.labels[:4])
    assert drawn.shape == scene.shape
    assert task.sample(task.networks["generator"]).shape == (32, 3, 64, 64)
    network: Any = task.networks["generator"]
    result = ACGANGenerator(network, "acgan@maps", torch.device("cpu")).generate([1], seed=0, steps=2)
    assert result.frames[-1].predicted_pixels.shape == (3, 64, 64)


def test_the_layout_generator_draws_where_the_noise_says() -> None:
    torch.manual_seed(0)
    network = GeneratorNetwork(TINY_LAYOUT.model).eval()
    z, labels = torch.randn(2, 80), multi_hot([[1, 9], [4]])
    with torch.no_grad():
        drawn = network(z, labels)
        assert isinstance(network.body, LayoutGenerator)
        centres = network.body.places(z[:, :72].view(2, 24, 3), labels)
        assert torch.equal(drawn, network(z, labels, centres))
        assert torch.equal(F.avg_pool2d(drawn[:, 3:], 2), attribute_maps(centres, labels, 32))
        assert not torch.equal(drawn, network(z, labels, centres + 5))  # other places, another picture
        style = torch.cat([z[:, :72], torch.randn(2, 8)], dim=1)
        assert torch.equal(network(style, labels)[:, 3:], drawn[:, 3:])  # the rest of the noise leaves the places
        assert not torch.equal(network(style, labels)[:, :3], drawn[:, :3])
    result = ACGANGenerator(network, "acgan@layout", torch.device("cpu")).generate([1, 9], seed=0, steps=3)
    assert result.frames[-1].predicted_pixels.shape == (3, 64, 64)


def test_reconstruction_draws_the_training_pictures_objects_in_their_places(pictures: Pictures) -> None:
    task = task_of(TINY_LAYOUT, pictures)
    chosen = torch.arange(6)
    scene = task.scene(pictures.pixels[:6].float() / 127.5 - 1, chosen)
    fakes = task.networks["generator"](torch.randn(6, 80), pictures.labels[:6], *task.placed(chosen))
    assert torch.equal(fakes[:, 3:], scene[:, 3:])
    assert reconstruction_loss(scene, scene) == 0
    wrong = scene.clone()
    wrong[:, :3] += 0.5
    assert float(reconstruction_loss(wrong, scene)) == pytest.approx(0.5, abs=1e-5)
    on_object, off_object = scene.clone(), scene.clone()
    row, column = map(int, layout(pictures).centres[0, 0])
    on_object[0, :3, row, column] += 0.5
    off_object[0, :3, 0, 0] += 0.5
    ratio = reconstruction_loss(on_object, scene) / reconstruction_loss(off_object, scene)
    assert 8 < float(ratio) <= 10.1


def test_reconstruction_fades_over_the_run(pictures: Pictures) -> None:
    task, run = task_of(replace(TINY_LAYOUT, augment=False), pictures), Recorder()
    for network in task.networks.values():
        network.eval()
    labels, losses = pictures.labels[:4], []
    scene = task.scene(pictures.pixels[:4].float() / 127.5 - 1, torch.arange(4))
    fakes = task.networks["generator"](torch.randn(4, 80), labels, *task.placed(torch.arange(4))).detach()
    for run.progress in (0.0, 0.75, 1.0):
        task.generator_step(scene, labels, fakes, run, 1.0)  # type: ignore[arg-type]
        losses.append(run.losses["generator"].item())
    expected = 40 * reconstruction_loss(fakes, scene).item()
    assert losses[0] - losses[2] == pytest.approx(expected, rel=1e-3)
    assert losses[1] - losses[2] == pytest.approx(expected / 4, rel=1e-3)


def test_augmentation_moves_and_cuts_but_keeps_colours() -> None:
    torch.manual_seed(0)
    pixels = torch.tensor([0.5, -0.25, 0.75]).view(1, 3, 1, 1).expand(16, 3, 64, 64)
    seen = translate_and_cut(pixels)
    cut = (seen == 0).all(dim=1)
    assert torch.equal(seen.masked_select(~cut.unsqueeze(1)), pixels.masked_select(~cut.unsqueeze(1)))
    shares = cut.float().mean(dim=(1, 2))
    assert (shares > 0).all()
    assert shares.max() <= 17 * 17 / 64**2


def test_the_teacher_is_not_the_judge(tmp_path: Path) -> None:
    with pytest.raises(clevr_demo.CheckpointError, match=str(tmp_path)):
        acgan.load_teacher(tmp_path)
    judge = shipped("evaluator")
    with pytest.raises(clevr_demo.CheckpointError, match="does not fit"):
        acgan.load_teacher(judge)


# the shipped weights ------------------------------------------------------------------------------------------------


def test_the_shipped_weights_draw_what_the_judge_sees() -> None:
    shipped("acgan")
    shipped("evaluator")
    model, judge = clevr_demo.load("acgan", device="cpu"), clevr_demo.load_evaluator(device="cpu")
    requests = [["red cube"], ["blue sphere"], ["yellow cylinder"], ["green cube", "purple sphere"]] * 4
    results = model.generate_batch(requests, seeds=range(16), steps=1)
    verdicts = [judge(result.image, labels) for result, labels in zip(results, requests, strict=True)]
    assert sum(verdict.hits for verdict in verdicts) >= 6, [verdict.seen for verdict in verdicts]
