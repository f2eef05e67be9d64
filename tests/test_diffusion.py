"""The DDPM: what generation promises, the samplers against diffusers' own loops, guidance, and both networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, DDPMScheduler
from torch import nn

import clevr_demo
from clevr_demo.diffusion import (
    DDPMNetwork,
    DiffusionConfig,
    DiffusionGenerator,
    load_ddpm,
    make_scheduler,
    set_steps,
    with_null,
)
from clevr_demo.generator import Generation
from clevr_demo.objects import InputError, index_valued, multi_hot
from clevr_demo.pictures import from_image, to_image
from clevr_demo.request import SAMPLERS
from tests.conftest import TINY, shipped, tiny_ddpm
from train.data import load_pictures, to_unit
from train.ddpm import PRESETS, REPORT_UNET, TINY_UNET

REPORT_LIKE = DiffusionConfig(
    TINY_UNET, patch=1, label_embedding="linear", beta_schedule="linear", prediction_type="epsilon"
)


def pixels_of(result: Generation) -> np.ndarray:
    return np.asarray(result.image).astype(int)


@contextmanager
def counted(model: DiffusionGenerator) -> Iterator[list[int]]:
    """Counts the pictures that go through the network, a number a call."""
    calls: list[int] = []
    hook = model.network.register_forward_hook(lambda _module, inputs, _output: calls.append(len(inputs[0])))
    try:
        yield calls
    finally:
        hook.remove()


# promises -----------------------------------------------------------------------------------------------------------


@contextmanager
def states(model: DiffusionGenerator) -> Iterator[list[torch.Tensor]]:
    """What the network is given, call by call."""
    seen: list[torch.Tensor] = []
    handle = model.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    try:
        yield seen
    finally:
        handle.remove()


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_request_gives_the_same_pixels(ddpm: DiffusionGenerator, sampler: str) -> None:
    first = ddpm.generate(["red cube"], seed=7, steps=5, sampler=sampler)
    ddpm.generate(["blue sphere"], seed=1, steps=3)
    torch.manual_seed(99)
    second = ddpm.generate(["Red-Cube"], seed=7, steps=5, sampler=sampler)
    assert first.image.tobytes() == second.image.tobytes()
    assert first.request == second.request
    for one, other in zip(first.frames, second.frames, strict=True):
        assert torch.equal(one.noisy_pixels, other.noisy_pixels)
        assert torch.equal(one.predicted_pixels, other.predicted_pixels)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_picture_does_not_depend_on_its_batch(ddpm: DiffusionGenerator, sampler: str) -> None:
    labels, seeds = [["red cube"], ["blue sphere", "gray cube"], [5, 6, 7]], [7, 7, 8]
    batch = ddpm.generate_batch(labels, seeds, steps=4, sampler=sampler)
    for asked, seed, result in zip(labels, seeds, batch, strict=True):
        alone = ddpm.generate(asked, seed, steps=4, sampler=sampler)
        assert result.image.tobytes() == alone.image.tobytes()
        assert torch.equal(result.frames[-1].predicted_pixels, alone.frames[-1].predicted_pixels)


def test_chunks_change_no_picture_by_more_than_rounding() -> None:
    labels, seeds = [[0], [1], [2], [3], [4]], range(5)
    one_by_one = tiny_ddpm().generate_batch(labels, seeds, steps=4)
    together = tiny_ddpm(chunk=3).generate_batch(labels, seeds, steps=4)
    for one, other in zip(one_by_one, together, strict=True):
        assert abs(pixels_of(one) - pixels_of(other)).max() <= 1


@pytest.mark.parametrize(
    "change", [{"seed": 8}, {"labels": ["red cylinder"]}, {"steps": 6}, {"sampler": "ddim"}, {"guidance": 5.0}]
)
def test_another_request_gives_another_picture(ddpm: DiffusionGenerator, change: dict[str, Any]) -> None:
    request: dict[str, Any] = {"labels": ["red cube"], "seed": 7, "steps": 5}
    assert (pixels_of(ddpm.generate(**request)) != pixels_of(ddpm.generate(**request | change))).any()


def test_the_seed_alone_decides_the_first_noise(ddpm: DiffusionGenerator) -> None:
    expected = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(11))
    for sampler in SAMPLERS:
        frame = ddpm.generate([3], seed=11, steps=1, sampler=sampler).frames[0]
        assert torch.equal(frame.noisy_pixels, expected)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 7, 13])
def test_the_timeline_goes_from_noise_to_the_picture(ddpm: DiffusionGenerator, sampler: str, steps: int) -> None:
    result = ddpm.generate(["red cube"], seed=7, steps=steps, sampler=sampler)
    assert [frame.index for frame in result.frames] == list(range(steps))
    times = [frame.timestep for frame in result.frames]
    assert times[0] == TINY.timesteps - 1
    assert times == sorted(set(times), reverse=True)
    assert times[-1] >= 0
    assert result.frames[-1].predicted.tobytes() == result.image.tobytes()
    assert (result.image.mode, result.image.size) == ("RGB", (64, 64))
    assert all(frame.predicted_pixels.abs().max() <= 1 for frame in result.frames)
    assert all(frame.noisy.size == (64, 64) for frame in result.frames)
    assert (result.model, result.request.seed, result.request.names) == ("ddpm@tiny", 7, ("red cube",))
    assert result.seconds > 0


def test_without_timeline_the_picture_is_the_same(ddpm: DiffusionGenerator) -> None:
    short = ddpm.generate_batch([[1]], [7], steps=5, timeline=False)[0]
    full = ddpm.generate([1], 7, steps=5)
    assert len(short.frames) == 1
    assert short.image.tobytes() == full.image.tobytes()
    assert short.frames[-1].timestep == full.frames[-1].timestep


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_stream_gives_the_frames_of_generate(ddpm: DiffusionGenerator, sampler: str) -> None:
    streamed = list(ddpm.stream(["red cube"], seed=7, steps=4, sampler=sampler))
    whole = ddpm.generate(["red cube"], seed=7, steps=4, sampler=sampler).frames
    for one, other in zip(streamed, whole, strict=True):
        assert (one.index, one.timestep) == (other.index, other.timestep)
        assert torch.equal(one.noisy_pixels, other.noisy_pixels)
        assert torch.equal(one.predicted_pixels, other.predicted_pixels)


def test_closing_a_stream_cancels_the_rest(ddpm: DiffusionGenerator) -> None:
    with counted(ddpm) as calls:
        stream = ddpm.stream([1], seed=0, steps=50)
        assert calls == []
        for _ in range(3):
            next(stream)
        assert len(calls) == 3
        stream.close()  # type: ignore[attr-defined]
        with pytest.raises(StopIteration):
            next(stream)
        assert len(calls) == 3


def test_two_streams_at_once_do_not_disturb_each_other(ddpm: DiffusionGenerator) -> None:
    pairs = list(zip(ddpm.stream([1], 7, steps=4), ddpm.stream([2], 8, steps=4), strict=True))
    for place, (labels, seed) in enumerate([([1], 7), ([2], 8)]):
        expected = ddpm.generate(labels, seed, steps=4).frames[-1].predicted_pixels
        assert torch.equal(pairs[-1][place].predicted_pixels, expected)


BAD = [
    ({"labels": []}, "no object"),
    ({"labels": ["red cone"]}, "'red cone'.*'red cube'"),
    ({"labels": None}, "None"),
    ({"steps": 0}, "steps must be between 1 and 1200, not 0"),
    ({"steps": 1201}, "steps must be between 1 and 1200"),
    ({"steps": 2.5}, "steps must be a whole number"),
    ({"steps": "20"}, "steps must be a whole number"),
    ({"seed": -1}, "seed must be between 0 and 2147483647"),
    ({"seed": 2**31}, "seed must be between"),
    ({"seed": True}, "seed must be a whole number"),
    ({"seed": None}, "seed must be a whole number"),
    ({"sampler": "euler"}, "unknown sampler 'euler'"),
    ({"guidance": 11}, "guidance must be between 0 and 10"),
    ({"guidance": float("nan")}, "guidance must be a number"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input_is_named_before_anything_is_drawn(
    ddpm: DiffusionGenerator, change: dict[str, Any], message: str
) -> None:
    request: dict[str, Any] = {"labels": ["red cube"], "seed": 7, "steps": 5}
    with counted(ddpm) as calls:
        for draw in (ddpm.generate, ddpm.stream):
            with pytest.raises(InputError, match=message):
                draw(**request | change)
    assert calls == []


def test_a_batch_needs_a_seed_a_picture(ddpm: DiffusionGenerator) -> None:
    with pytest.raises(ValueError, match="2 label sets but 1 seeds"):
        ddpm.generate_batch([[1], [2]], [0])
    assert ddpm.generate_batch([], []) == []
    with pytest.raises(InputError, match="red cone"):
        ddpm.generate_batch([[1], ["red cone"]], [0, 1])


def test_more_objects_than_any_training_picture_can_be_asked_for(ddpm: DiffusionGenerator) -> None:
    result = ddpm.generate(range(24), seed=0, steps=2)
    assert result.request.beyond_training
    assert result.image.size == (64, 64)


# samplers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_number_of_steps_is_kept(sampler: str) -> None:
    scheduler = make_scheduler(sampler, TINY)
    for steps in range(1, 1201):
        set_steps(scheduler, steps)
        times = scheduler.timesteps.tolist()
        exact = [1200 - place * 1200 / steps - 1 for place in range(steps)]
        assert len(times) == steps
        assert max(abs(mine - wanted) for mine, wanted in zip(times, exact, strict=True)) <= 0.5001
        if hasattr(scheduler, "sigmas"):
            assert len(scheduler.sigmas) == steps + 1
            assert scheduler.sigmas[-1] == 0
            assert (scheduler.sigmas.diff() < 0).all()


def network_call(model: DiffusionGenerator, labels: list[int]) -> Any:
    """The plain conditional network, as diffusers' examples call one."""
    condition = with_null(multi_hot([labels]))

    def call(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return model.network(x, t.expand(1), condition)

    return call


@pytest.mark.parametrize("config", [replace(TINY, guidance=1.0), REPORT_LIKE], ids=["v, cosine", "noise, linear"])
@pytest.mark.parametrize("sampler", ["ddim", "ddpm"])
def test_our_loop_is_diffusers_loop(config: DiffusionConfig, sampler: str) -> None:
    model = tiny_ddpm(config)
    call = network_call(model, [1, 10])
    kind = {"ddim": DDIMScheduler, "ddpm": DDPMScheduler}[sampler]
    scheduler = kind(**config.schedule(), clip_sample=True, timestep_spacing="trailing")
    scheduler.set_timesteps(12)
    extra = {"use_clipped_model_output": True} if sampler == "ddim" else {}
    generator = torch.Generator().manual_seed(5)
    x = model.network.pack(torch.randn(1, 3, 64, 64, generator=generator))
    for t in scheduler.timesteps:
        x = scheduler.step(call(x, t), t, x, generator=generator, **extra).prev_sample
    ours = model.generate([1, 10], seed=5, steps=12, sampler=sampler).frames[-1].predicted_pixels
    assert (ours - model.network.unpack(x)[0]).abs().max() < 1e-4


def test_ancestral_sampling_is_the_papers_algorithm() -> None:
    """Ho et al. 2020, algorithm 2, with equation 7's variance, all T steps, written out."""
    config = replace(REPORT_LIKE, timesteps=30)
    model = tiny_ddpm(config)
    call = network_call(model, [4])
    betas = torch.linspace(1e-4, 0.02, 30)
    alphas = 1 - betas
    kept = alphas.cumprod(0)
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(1, 3, 64, 64, generator=generator)
    for t in range(29, -1, -1):
        noise = call(x, torch.tensor(t))
        before = kept[t - 1] if t else torch.tensor(1.0)
        x0 = ((x - (1 - kept[t]).sqrt() * noise) / kept[t].sqrt()).clamp(-1, 1)
        mean = (before.sqrt() * betas[t] * x0 + alphas[t].sqrt() * (1 - before) * x) / (1 - kept[t])
        spread = ((1 - before) / (1 - kept[t]) * betas[t]).sqrt()
        x = mean + (spread * torch.randn(1, 3, 64, 64, generator=generator) if t else 0)
    ours = model.generate([4], seed=3, steps=30, sampler="ddpm").frames[-1].predicted_pixels
    assert (ours - x[0]).abs().max() < 1e-3


class Ideal(nn.Module):
    """The best possible v-prediction for pictures that are all one constant value: knows the answer."""

    pack, unpack = DDPMNetwork.pack, DDPMNetwork.unpack
    evened = DDPMNetwork.evened
    uneven: Any = DDPMNetwork.uneven

    def __init__(self, value: float, config: DiffusionConfig) -> None:
        super().__init__()
        self.value, self.config = value, config
        self.kept = DDPMScheduler(**config.schedule()).alphas_cumprod
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        kept = self.kept[timesteps].view(-1, 1, 1, 1)
        noise = (x - kept.sqrt() * self.value) / (1 - kept).sqrt()
        return kept.sqrt() * noise - (1 - kept).sqrt() * self.value


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 7, 20])
def test_every_sampler_finds_what_an_ideal_network_knows(sampler: str, steps: int) -> None:
    network: Any = Ideal(0.3, TINY)
    model = DiffusionGenerator(network, "ideal", torch.device("cpu"))
    frames = model.generate([1], seed=0, steps=steps, sampler=sampler).frames
    late = [frame for frame in frames if frame.timestep < 1150]  # before, rounding hides so faint a picture
    for frame in late or frames[-1:]:
        assert (frame.predicted_pixels - 0.3).abs().max() < (0.02 if late else 1.5)
    levels = [float(frame.noisy_pixels.std()) for frame in frames]
    expected = [float((1 - network.kept[frame.timestep]).sqrt()) for frame in frames]
    assert levels == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_stays_on_the_schedule_when_the_estimate_is_clipped(sampler: str) -> None:
    """Strong guidance asks for more than a pixel can be; the clipped estimate must not push x_t off its noise level."""
    network: Any = Ideal(4.0, TINY)
    model = DiffusionGenerator(network, "ideal", torch.device("cpu"))
    for frame in model.generate([1], seed=0, steps=30, sampler=sampler).frames:
        kept = float(network.kept[frame.timestep])
        assert float(frame.noisy_pixels.mean()) == pytest.approx(kept**0.5, abs=0.05)
        assert float(frame.noisy_pixels.std()) == pytest.approx((1 - kept) ** 0.5, abs=0.05)


class Blind(Ideal):
    """Knows all but the averages of the pixel phases, which it takes for part of the picture."""

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        output = super().forward(x, timesteps, condition)
        return output - self.uneven(output)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_even_phases_leave_no_chequer_pattern(sampler: str) -> None:
    def chequer(even: bool) -> float:
        config = replace(TINY, patch=2, maps=True, even_phases=even)
        model = DiffusionGenerator(Blind(0.1, config), "blind", torch.device("cpu"))  # type: ignore[arg-type]
        drawn = model.generate([1], seed=0, steps=20, sampler=sampler).frames[-1].predicted_pixels
        return float(model.network.uneven(model.network.pack(drawn.unsqueeze(0))).std())

    assert chequer(even=False) > 0.005
    assert chequer(even=True) < 1e-4


@pytest.mark.data
def test_real_pictures_have_even_phases(real_data: Path) -> None:
    network = DDPMNetwork(replace(TINY, patch=2))
    real = to_unit(load_pictures(real_data, progress=False).pixels[::40])
    uneven = network.uneven(network.pack(real)).flatten(1)
    assert float(uneven.std(dim=0).max()) < 0.001
    assert float(uneven.mean(dim=0).abs().max()) < 0.003  # half a grey level, from the pictures' scaling


@pytest.mark.parametrize("prediction_type", ["v_prediction", "epsilon"])
def test_evening_changes_the_phases_averages_alone(prediction_type: str) -> None:
    config = replace(TINY, patch=2, maps=True, even_phases=True, prediction_type=prediction_type)
    network, scheduler = DDPMNetwork(config), DDIMScheduler(**config.schedule(), clip_sample=False)
    x, output = torch.randn(2, 23, 32, 32), torch.randn(2, 23, 32, 32)
    scheduler.set_timesteps(10)
    kept = float(scheduler.alphas_cumprod[600])
    estimates = [
        scheduler.step(given, 600, x).pred_original_sample for given in (output, network.evened(x, output, kept))
    ]
    torch.testing.assert_close(estimates[1], estimates[0] - network.uneven(estimates[0]), atol=1e-5, rtol=0)
    means = estimates[1][:, :12].mean(dim=(2, 3)).unflatten(1, (3, 4))
    assert float(means.std(dim=2).max()) < 1e-6
    torch.testing.assert_close(estimates[1][:, 12:], estimates[0][:, 12:])


# guidance -----------------------------------------------------------------------------------------------------------


def test_guidance_one_costs_one_evaluation_a_step_and_two_otherwise(ddpm: DiffusionGenerator) -> None:
    for guidance, cost in ((1, 1), (1.0, 1), (3.0, 2), (0, 2), (None, 2)):
        with counted(ddpm) as calls:
            result = ddpm.generate([1], seed=0, steps=6, guidance=guidance)
        assert sum(calls) == result.evaluations == 6 * cost


def test_guidance_is_paid_for_within_its_interval_alone() -> None:
    model = tiny_ddpm(replace(TINY, guidance=3.0, guidance_from=0.25, guidance_to=0.75))
    with counted(model) as calls:
        result = model.generate([1], seed=0, steps=8)
    times = [(frame.timestep + 1) / 1200 for frame in result.frames]
    assert calls == [2 if 0.25 < at <= 0.75 else 1 for at in times]
    assert sum(calls) == result.evaluations == 12


def test_guidance_extrapolates_from_the_null(ddpm: DiffusionGenerator) -> None:
    scheduler = make_scheduler("ddim", TINY)
    set_steps(scheduler, 1)
    x = ddpm.network.pack(torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    t = scheduler.timesteps[0]
    null = with_null(torch.zeros(1, 24), torch.tensor([True]))
    with torch.no_grad():
        wanted = ddpm.network(x, t.expand(1), with_null(multi_hot([[1]])))
        free = ddpm.network(x, t.expand(1), null)
    assert (wanted - free).abs().max() > 1e-3
    expected = ddpm.network.unpack(scheduler.step(free + 4.0 * (wanted - free), t, x).pred_original_sample)[0]
    ours = ddpm.generate([1], seed=0, steps=1, sampler="ddim", guidance=4.0).frames[0].predicted_pixels
    assert (ours - expected).abs().max() < 1e-4


def test_weights_without_a_null_are_never_guided() -> None:
    model = tiny_ddpm(REPORT_LIKE)
    plain = model.generate([1], seed=0, steps=3)
    asked = model.generate([1], seed=0, steps=3, guidance=5.0)
    assert plain.evaluations == asked.evaluations == 3
    assert plain.image.tobytes() == asked.image.tobytes()


# networks -----------------------------------------------------------------------------------------------------------


def test_with_null_replaces_the_labels_of_the_dropped() -> None:
    labels = multi_hot([[0, 5], [3]])
    kept = with_null(labels)
    assert kept.shape == (2, 25)
    assert torch.equal(kept[:, :24], labels)
    assert not kept[:, 24].any()
    dropped = with_null(labels, torch.tensor([False, True]))
    assert torch.equal(dropped[0], kept[0])
    assert dropped[1].nonzero().tolist() == [[24]]


def test_the_report_preset_is_the_reports_network() -> None:
    with torch.device("meta"):
        unet = DDPMNetwork(PRESETS["report"].model).unet
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


def test_the_report_preset_is_the_reports_recipe() -> None:
    preset = PRESETS["report"]
    assert asdict(preset.model) | {"unet": REPORT_UNET} == asdict(preset.model)
    assert (preset.model.timesteps, preset.model.beta_schedule) == (1200, "linear")
    assert (preset.model.prediction_type, preset.model.encoding) == ("epsilon", "multi-hot")
    assert (preset.rate, preset.loop.batch, preset.loop.pictures, preset.loop.ema) == (5e-5, 20, 100 * 18009, 0)
    assert (preset.snr_cap, preset.object_weight, preset.label_drop, preset.warmup) == (0, 0, 0, 0)


def test_the_default_preset_is_small_enough_for_two_cores_and_the_size_limit() -> None:
    with torch.device("meta"):
        network = DDPMNetwork(PRESETS["default"].model)
    assert 2 * sum(p.numel() for p in network.parameters()) < 30e6


@pytest.mark.parametrize("maps", [False, True])
def test_packing_keeps_every_pixel_in_place(maps: bool) -> None:
    network = DDPMNetwork(replace(TINY, patch=2, maps=maps))
    pixels, planes = torch.randn(2, 3, 64, 64), torch.randn(2, 11, 32, 32) if maps else None
    state = network.pack(pixels, planes)
    assert state.shape[1:] == network.config.state_shape == (23 if maps else 12, 32, 32)
    assert torch.equal(network.unpack(state), pixels)
    assert torch.equal(state[0, :12, 5, 7].view(3, 2, 2), pixels[0, :, 10:12, 14:16])
    assert planes is None or torch.equal(state[:, 12:], planes)


@pytest.mark.parametrize("patch", [1, 2, 4])
@pytest.mark.parametrize("maps", [False, True])
def test_every_patch_size_draws_full_pictures(patch: int, maps: bool) -> None:
    model = tiny_ddpm(replace(TINY, patch=patch, maps=maps))
    result = model.generate([1], seed=3, steps=2)
    assert result.image.size == (64, 64)
    assert pixels_of(result).std() > 0


def test_attribute_maps_leave_the_pixels_noise_alone() -> None:
    """A seed's picture starts from the same noise whatever the network; the maps' noise is drawn after it."""
    generator = torch.Generator().manual_seed(11)
    pixels, planes = torch.randn(3, 64, 64, generator=generator), torch.randn(11, 16, 16, generator=generator)
    model = tiny_ddpm(replace(TINY, maps=True))
    with states(model) as seen:
        frame = model.generate([3], seed=11, steps=1, guidance=1).frames[0]
    assert torch.equal(frame.noisy_pixels, pixels)
    assert torch.equal(seen[0][0, 48:], planes)


@pytest.mark.parametrize("encoding", ["multi-hot", "index"])
def test_the_linear_embedding_is_fed_in_the_configured_encoding(encoding: str) -> None:
    network = tiny_ddpm(replace(REPORT_LIKE, encoding=encoding)).network
    fed = []
    network.unet.class_embedding.register_forward_hook(lambda _m, inputs, _o: fed.append(inputs[0].clone()))
    labels = multi_hot([[1, 23]])
    with torch.no_grad():
        network(torch.zeros(1, *network.config.state_shape), torch.tensor([5]), with_null(labels))
    assert torch.equal(fed[0], labels if encoding == "multi-hot" else index_valued(labels))


@pytest.mark.parametrize("config", [TINY, REPORT_LIKE], ids=["mlp", "linear"])
def test_the_labels_reach_the_output(config: DiffusionConfig) -> None:
    network = tiny_ddpm(config).network
    x, t = torch.randn(1, *network.config.state_shape), torch.tensor([600])
    with torch.no_grad():
        outputs = [network(x, t, with_null(multi_hot([[index]]))) for index in range(24)]
    assert all(F.mse_loss(a, b) > 0 for n, a in enumerate(outputs) for b in outputs[:n])


# pictures -----------------------------------------------------------------------------------------------------------


def test_pixels_and_pictures_are_each_others_inverse() -> None:
    levels = torch.arange(256, dtype=torch.uint8).repeat(48).view(3, 64, 64)
    pixels = levels.float() / 127.5 - 1
    image = to_image(pixels)
    assert np.array_equal(np.asarray(image), levels.permute(1, 2, 0).numpy())
    assert torch.allclose(from_image(image), pixels, atol=1e-6)
    assert np.asarray(to_image(torch.full((3, 64, 64), 7.0))).min() == 255
    assert np.asarray(to_image(torch.full((3, 64, 64), -7.0))).max() == 0


# the shipped weights ------------------------------------------------------------------------------------------------


def test_the_shipped_weights_draw_what_the_judge_sees() -> None:
    shipped("ddpm")
    shipped("evaluator")
    model, judge = clevr_demo.load("ddpm", device="cpu"), clevr_demo.load_evaluator(device="cpu")
    requests = [["red cube"], ["blue sphere"], ["yellow cylinder"], ["green cube", "purple sphere"]]
    results = model.generate_batch(requests, seeds=range(4), steps=20, timeline=False)
    verdicts = [judge(result.image, labels) for result, labels in zip(results, requests, strict=True)]
    assert sum(verdict.hits for verdict in verdicts) >= 3, [verdict.seen for verdict in verdicts]
    assert results[0].model.startswith("ddpm@")


def test_the_shipped_weights_need_even_phases() -> None:
    shipped("ddpm")
    model = load_ddpm(device="cpu")
    uneven = []
    for even in (True, False):
        model.configure(even_phases=even)
        results = model.generate_batch([["red cube"], ["blue sphere"]], seeds=range(2), steps=8, timeline=False)
        drawn = torch.stack([result.frames[-1].predicted_pixels for result in results])
        uneven.append(float(model.network.uneven(model.network.pack(drawn))[:, :12].std()))
    assert uneven[0] < 0.002
    assert uneven[1] > 0.01
