"""The DDPM: what generation promises, both stages, and few steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import clevr_demo
from clevr_demo.generators.ddpm import SPREAD, DiffusionGenerator, Painter, painter_denoiser, place_noise
from clevr_demo.generators.protocol import WHERE_FRAMES, Generation
from clevr_demo.generators.sampling import make_scheduler, spaced_timesteps
from clevr_demo.objects import InputError, multi_hot
from clevr_demo.request import SAMPLERS
from tests.conftest import TINY, shaken, shipped, tiny_ddpm


def pixels_of(result: Generation) -> np.ndarray:
    return np.asarray(result.image).astype(int)


@contextmanager
def counted(model: DiffusionGenerator) -> Iterator[list[int]]:
    """Counts the pictures that go through the network, a number a call."""
    calls: list[int] = []
    network = model.network.painter
    hook = network.register_forward_hook(lambda _module, inputs, _output: calls.append(len(inputs[0])))
    try:
        yield calls
    finally:
        hook.remove()


# promises -----------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("change", [{"seed": 8}, {"labels": ["red cylinder"]}, {"steps": 6}, {"sampler": "ddim"}])
def test_another_request_gives_another_picture(ddpm: DiffusionGenerator, change: dict[str, Any]) -> None:
    request: dict[str, Any] = {"labels": ["red cube"], "seed": 7, "steps": 5}
    assert (pixels_of(ddpm.generate(**request)) != pixels_of(ddpm.generate(**request | change))).any()


def test_the_seed_alone_decides_the_first_noise(ddpm: DiffusionGenerator) -> None:
    expected = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(11))
    for sampler in SAMPLERS:
        frame = ddpm.generate([3], seed=11, steps=1, sampler=sampler).frames[WHERE_FRAMES]
        drawn = (frame.noisy_pixels - ddpm.network.painter.empty) / SPREAD
        assert (drawn - expected).abs().max() < 1e-5


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 7, 13])
def test_the_timeline_goes_from_noise_to_the_picture(ddpm: DiffusionGenerator, sampler: str, steps: int) -> None:
    result = ddpm.generate(["red cube"], seed=7, steps=steps, sampler=sampler)
    assert [frame.index for frame in result.frames] == list(range(WHERE_FRAMES + steps))
    assert [frame.stage for frame in result.frames] == ["where"] * WHERE_FRAMES + ["what"] * steps
    times = [frame.timestep for frame in result.frames[WHERE_FRAMES:]]
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
        for _ in range(WHERE_FRAMES + 3):
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


# where --------------------------------------------------------------------------------------------------------------


def test_places_wander_from_noise_to_where_they_stay(ddpm: DiffusionGenerator) -> None:
    result = ddpm.generate([1, 10, 20], seed=3, steps=2)
    where, what = result.frames[:WHERE_FRAMES], result.frames[WHERE_FRAMES:]
    start = ddpm.network.planner.in_pixels(place_noise(3)[[1, 10, 20]]).clamp(0, 63)
    assert (torch.tensor(where[0].places.centres) - start).abs().max() < 1e-4
    assert len({frame.places for frame in where}) == WHERE_FRAMES
    assert {frame.places for frame in what} == {where[-1].places} == {result.places}
    assert result.places.objects == (1, 10, 20)
    assert all(0 <= place <= 63 for centre in result.places.centres for place in centre)
    assert all(torch.equal(frame.predicted_pixels, ddpm.network.painter.empty) for frame in where)


def test_places_alone_are_those_that_are_drawn_at(ddpm: DiffusionGenerator) -> None:
    labels, seeds = [[1], [2, 3], [4, 5, 6]], [1, 2, 3]
    drawn = ddpm.generate_batch(labels, seeds, steps=1)
    places = ddpm.places(labels, seeds)
    for one, result in zip(places, drawn, strict=True):
        assert one.objects == result.places.objects
        assert (torch.tensor(one.centres) - torch.tensor(result.places.centres)).abs().max() < 1e-3


def test_the_planner_treats_objects_as_a_set(ddpm: DiffusionGenerator) -> None:
    planner = ddpm.network.planner
    objects, x, t = torch.tensor([[3, 9, 17]]), torch.randn(1, 3, 2), torch.tensor([500])
    order = torch.tensor([2, 0, 1])
    with torch.no_grad():
        straight, turned = planner(x, t, objects), planner(x[:, order], t, objects[:, order])
        padded = planner(
            torch.cat([x, torch.full((1, 2, 2), 9.0)], dim=1), t, torch.cat([objects, -torch.ones(1, 2).long()], dim=1)
        )
    assert (straight[:, order] - turned).abs().max() < 1e-5
    assert (padded[:, :3] - straight).abs().max() < 1e-5
    assert (straight[0, 0] - straight[0, 1]).abs().max() > 1e-4


def test_another_object_leaves_the_others_noise() -> None:
    assert torch.equal(place_noise(4)[[1, 2]], place_noise(4)[[1, 2, 3]][:2])
    assert not torch.equal(place_noise(4), place_noise(5))


# what ---------------------------------------------------------------------------------------------------------------


def test_packing_keeps_every_pixel_in_place(ddpm: DiffusionGenerator) -> None:
    painter, pixels = ddpm.network.painter, torch.rand(2, 3, 64, 64) * 2 - 1
    state = painter.pack(pixels)
    assert state.shape == (2, 12, 32, 32)
    assert (painter.unpack(state) - pixels).abs().max() < 1e-6
    cell = ((pixels[0, :, 10:12, 14:16] - painter.empty[:, 10:12, 14:16]) / SPREAD).reshape(12)
    assert (state[0, :, 5, 7] - cell).abs().max() < 1e-6


def test_the_estimate_stays_within_the_range_of_pixels() -> None:
    torch.manual_seed(0)
    painter: Any = shaken(Painter(TINY)).eval()
    painter.empty.copy_(torch.rand(3, 64, 64) - 0.5)
    alphas_cumprod = make_scheduler("dpm", TINY).alphas_cumprod
    with torch.no_grad():
        denoiser = painter_denoiser(painter, torch.zeros(1, 13, 32, 32), alphas_cumprod, painter.black())
        drawn = painter.unpack(denoiser(50 * torch.randn(1, 12, 32, 32), 600))
    assert drawn.abs().max() <= 1 + 1e-5
    assert drawn.abs().max() > 0.99


def test_places_and_labels_reach_the_picture(ddpm: DiffusionGenerator) -> None:
    painter = ddpm.network.painter
    x, t = torch.randn(1, 12, 32, 32), torch.tensor([600])
    centres = torch.zeros(1, 24, 2)
    with torch.no_grad():
        outputs = []
        for index in range(24):
            centres[0, index] = torch.tensor([30.0, 30.0])
            outputs.append(painter(x, t, painter.condition(centres, multi_hot([[index]]))))
        moved = painter(x, t, painter.condition(centres + 5, multi_hot([[23]])))
    assert all((a - b).abs().max() > 0 for n, a in enumerate(outputs) for b in outputs[:n])
    assert (moved - outputs[23]).abs().max() > 0


def test_a_window_is_painted_like_the_same_part_of_a_picture() -> None:
    """Away from its border, and without attention, which looks at all of a picture."""
    network = shaken(Painter(TINY)).eval()
    network.unet.attention = nn.Identity()  # type: ignore[union-attr]
    x, given, t = torch.randn(1, 12, 32, 32), torch.randn(1, 13, 32, 32), torch.tensor([100])
    part = (..., slice(8, 32), slice(8, 32))
    with torch.no_grad():
        whole, window = network(x, t, given), network(x[part], t, given[part])
    inner = slice(11, 24)
    assert (whole[part][..., inner, inner] - window[..., inner, inner]).abs().max() < 1e-4


# few steps ----------------------------------------------------------------------------------------------------------


def test_the_distilled_painter_draws_its_number_of_steps_and_no_other() -> None:
    model = tiny_ddpm(replace(TINY, fast_steps=4))
    calls: dict[str, int] = {"painter": 0, "fast": 0}
    for name in calls:
        network = getattr(model.network, name)

        def count(*_: Any, name: str = name) -> None:
            calls[name] += 1

        network.register_forward_hook(count)
    result = model.generate(["red cube"], 3, 4)
    assert calls == {"painter": 0, "fast": 4}
    assert [frame.timestep for frame in result.frames[WHERE_FRAMES:]] == spaced_timesteps(20, 1200, 2.0)[::5].tolist()
    assert len(result.frames) == WHERE_FRAMES + 4
    for steps, sampler in ((5, "dpm"), (4, "ddim"), (20, "dpm")):
        before = dict(calls)
        model.generate(["red cube"], 3, steps, sampler=sampler)
        assert calls == before | {"painter": before["painter"] + steps}
    assert pixels_of(result).tolist() == pixels_of(model.generate(["red cube"], 3, 4)).tolist()


def test_a_checkpoint_without_a_distilled_painter_draws_any_number_of_steps(ddpm: DiffusionGenerator) -> None:
    with counted(ddpm) as calls:
        ddpm.generate(["red cube"], 3, 4)
    assert len(calls) == 4


# the shipped weights ------------------------------------------------------------------------------------------------


def test_the_shipped_weights_draw_what_the_judge_sees() -> None:
    shipped("ddpm")
    shipped("detector")
    model, judge = clevr_demo.load("ddpm", device="cpu"), clevr_demo.load_evaluator(device="cpu")
    requests = [["red cube"], ["blue sphere"], ["yellow cylinder"], ["green cube", "purple sphere"]]
    results = model.generate_batch(requests, seeds=range(4), steps=20, timeline=False)
    verdicts = [judge(result.image, labels) for result, labels in zip(results, requests, strict=True)]
    assert sum(verdict.hits for verdict in verdicts) >= 3, [verdict.seen for verdict in verdicts]
    assert results[0].model.startswith("ddpm@")


def test_four_distilled_steps_draw_nearly_the_picture_of_twenty() -> None:
    shipped("ddpm")
    model: Any = clevr_demo.load("ddpm", device="cpu")
    assert model.config.fast_steps == 4
    requests = [["red cube"], ["blue sphere", "gray cylinder"], ["green cube", "purple sphere", "cyan cylinder"]]

    def drawn(steps: int, sampler: str) -> np.ndarray:
        results = model.generate_batch(requests, range(3), steps, sampler=sampler, timeline=False)
        return np.stack([pixels_of(result) for result in results])

    wanted = drawn(20, "dpm")
    off = {sampler: np.abs(drawn(4, sampler) - wanted).mean() for sampler in ("dpm", "unipc")}
    assert off["dpm"] < 0.7 * off["unipc"], off  # levels of 255; the other is the painter's own four steps
    assert off["dpm"] < 1
