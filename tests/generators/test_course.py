"""The course report's networks: their layers, what they are told, and that both draw, without places."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import clevr_demo
from clevr_demo.checkpoints import CheckpointError, save_weights
from clevr_demo.generators.course import CourseGenerator, ReportDDPM, ReportDiscriminator, ReportGAN
from clevr_demo.objects import InputError, index_valued, multi_hot
from clevr_demo.places import Places
from tests.conftest import shaken
from train.learning.course import DDPM_PRESETS, PRESETS

TINY_DDPM, TINY_GAN = DDPM_PRESETS["tiny-report"].model, PRESETS["tiny-report"].model


def tiny(kind: str, chunk: int = 1, **settings: Any) -> CourseGenerator:
    torch.manual_seed(0)
    network = ReportDDPM(replace(TINY_DDPM, **settings)) if kind == "ddpm" else ReportGAN(replace(TINY_GAN, **settings))
    return CourseGenerator(shaken(network), f"{kind}@tiny", torch.device("cpu"), chunk)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["ddpm", "acgan"])
def test_a_folder_is_loaded_by_its_architecture_and_draws_without_places(kind: str, tmp_path: Path) -> None:
    made = tiny(kind)
    save_weights(made.network.half().float(), {"kind": kind, "model": asdict(made.config)}, tmp_path)
    model = clevr_demo.load(kind, tmp_path, "cpu")
    assert (type(model), model.kind) == (CourseGenerator, kind)
    frames = model.generate([1, 9], seed=0, steps=4).frames
    assert [(frame.index, frame.stage, frame.places) for frame in frames] == [(i, "what", Places()) for i in range(4)]
    assert len({frame.predicted.tobytes() for frame in frames}) == 4
    assert model.places([[1]], [0]) == [Places()]
    wanted = made.generate([1, 9], seed=0, steps=4).frames
    assert torch.equal(frames[-1].predicted_pixels, wanted[-1].predicted_pixels)


@pytest.mark.parametrize("kind", ["ddpm", "acgan"])
def test_places_and_seeds_of_sources_are_refused_as_it_places_nothing(kind: str) -> None:
    model = tiny(kind)
    for draw in (model.generate, model.stream):
        with pytest.raises(InputError, match="places nothing"):
            draw([1], 0, 2, places={1: (30, 30)})
        with pytest.raises(InputError, match="no source of noise 'places'; all of its noise has one seed"):
            draw([1], 0, 2, seeds={"places": 3})
    with pytest.raises(InputError, match="places nothing"):
        model.places([[1]], [0], places=[{1: (30, 30)}])
    assert model.places([[1]], [0], places=[None]) == [Places()]


def test_an_unknown_architecture_is_refused(tmp_path: Path) -> None:
    network = tiny("ddpm").network
    save_weights(network, {"kind": "ddpm", "model": asdict(network.config)}, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["model"]["architecture"] = "pixels"
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="config.json.*architecture.*pixels"):
        clevr_demo.load("ddpm", tmp_path)


@pytest.mark.parametrize("kind", ["ddpm", "acgan"])
def test_a_picture_is_the_same_alone_in_a_batch_and_in_a_stream(kind: str) -> None:
    model = tiny(kind)
    labels, seeds = [[1], [2, 3], [4, 5, 6]], [7, 7, 8]
    batch = model.generate_batch(labels, seeds, steps=3)
    last = model.generate_batch(labels, seeds, steps=3, timeline=False)
    chunks = tiny(kind, chunk=2).generate_batch(labels, seeds, steps=3)
    for asked, seed, *results in zip(labels, seeds, batch, last, chunks, strict=True):
        streamed = list(model.stream(asked, seed, steps=3))
        whole, short, chunked = results
        assert torch.equal(streamed[-1].predicted_pixels, whole.frames[-1].predicted_pixels)
        assert torch.equal(short.frames[-1].predicted_pixels, whole.frames[-1].predicted_pixels)
        assert (chunked.frames[-1].predicted_pixels - whole.frames[-1].predicted_pixels).abs().max() < 1e-3
        assert (len(whole.frames), len(short.frames), short.frames[0].index) == (3, 1, 2)
        assert (whole.evaluations, short.evaluations) == (3, 3 if kind == "ddpm" else 1)


def test_settings_of_either_are_checked() -> None:
    with pytest.raises(InputError, match="unknown sampler 'euler'"):
        tiny("ddpm").stream([1], sampler="euler")
    with pytest.raises(InputError, match="unknown walk 'far'"):
        tiny("acgan").stream([1], walk="far")


def test_ancestral_sampling_is_the_papers_algorithm() -> None:
    """Ho et al. 2020, algorithm 2, with equation 7's variance, all T steps, written out."""
    model = tiny("ddpm", timesteps=30)
    labels = multi_hot([[4]])
    betas = torch.linspace(1e-4, 0.02, 30)
    alphas = 1 - betas
    alphas_cumprod = alphas.cumprod(0)
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(1, 3, 64, 64, generator=generator)
    for t in range(29, -1, -1):
        with torch.no_grad():
            noise = model.network(x, torch.tensor([t]), labels)
        before = alphas_cumprod[t - 1] if t else torch.tensor(1.0)
        x0 = ((x - (1 - alphas_cumprod[t]).sqrt() * noise) / alphas_cumprod[t].sqrt()).clamp(-1, 1)
        mean = (before.sqrt() * betas[t] * x0 + alphas[t].sqrt() * (1 - before) * x) / (1 - alphas_cumprod[t])
        spread = ((1 - before) / (1 - alphas_cumprod[t]) * betas[t]).sqrt()
        x = mean + (spread * torch.randn(1, 3, 64, 64, generator=generator) if t else 0)
    ours = model.generate([4], seed=3, steps=30, sampler="ddpm").frames[-1].predicted_pixels
    assert (ours - x[0]).abs().max() < 1e-3


def test_the_ddpms_network_is_the_reports() -> None:
    with torch.device("meta"):
        unet = ReportDDPM(DDPM_PRESETS["report"].model).report.unet
    assert round(sum(p.numel() for p in unet.parameters()) / 1e6, 1) == 113.7
    assert [type(block).__name__ for block in unet.down_blocks] == ["DownBlock2D"] * 4 + [
        "AttnDownBlock2D",
        "DownBlock2D",
    ]
    assert [type(block).__name__ for block in unet.up_blocks] == ["UpBlock2D", "AttnUpBlock2D"] + ["UpBlock2D"] * 4
    assert [len(block.resnets) for block in unet.down_blocks] == [2] * 6
    assert unet.config["block_out_channels"] == (128, 128, 256, 256, 512, 512)
    assert isinstance(unet.class_embedding, nn.Linear)
    assert tuple(unet.class_embedding.weight.shape) == (512, 24)
    assert (unet.config["sample_size"], unet.config["in_channels"], unet.config["out_channels"]) == (64, 3, 3)


def test_the_gans_pair_is_the_reports() -> None:
    config = PRESETS["report"].model
    generator, discriminator = ReportGAN(config), ReportDiscriminator(config)
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


def test_the_noise_and_the_labels_are_as_configured() -> None:
    network = ReportGAN(replace(TINY_GAN, noise_mean=-1.0, encoding="index")).eval()
    seen: list[Any] = []
    network.body.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    network.embed.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    z, labels = torch.randn(2, 8), multi_hot([[1], [2, 23]])
    network(z, labels)
    assert torch.equal(seen[0], index_valued(labels))
    assert torch.equal(seen[1][:, :8, 0, 0], z - 1)
