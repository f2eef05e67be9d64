"""The ACGAN: what generation promises, its walk, its planner and its painter."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import clevr_demo
from clevr_demo.generators.acgan import ACGANConfig, ACGANGenerator, ACGANNetwork, Painter, Planner, mirrored
from clevr_demo.generators.walk import walked
from clevr_demo.objects import InputError, multi_hot
from clevr_demo.request import GenerationRequest
from tests.conftest import shaken, shipped
from train.acgan import (
    TINY,
)


def tiny_acgan(config: ACGANConfig = TINY) -> ACGANGenerator:
    torch.manual_seed(0)
    network = shaken(ACGANNetwork(config))
    assert isinstance(network, ACGANNetwork)
    network.planner.mean.fill_(31.5)
    network.planner.scale.fill_(8.0)
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
    assert (first.request, first.places) == (second.request, second.places)


def test_a_picture_does_not_depend_on_its_batch(gan: ACGANGenerator) -> None:
    labels, seeds = [["red cube"], ["blue sphere", "gray cube"], [5]], [7, 7, 8]
    for asked, seed, result in zip(labels, seeds, gan.generate_batch(labels, seeds, steps=3), strict=True):
        alone = gan.generate(asked, seed, steps=3)
        assert result.image.tobytes() == alone.image.tobytes()
        assert result.places == alone.places


@pytest.mark.parametrize("change", [{"seed": 8}, {"labels": ["red cylinder"]}])
def test_another_request_gives_another_picture(gan: ACGANGenerator, change: dict[str, Any]) -> None:
    request: dict[str, Any] = {"labels": ["red cube"], "seed": 7, "steps": 1}
    assert gan.generate(**request).image.tobytes() != gan.generate(**request | change).image.tobytes()


@pytest.mark.parametrize("steps", [1, 2, 20])
@pytest.mark.parametrize("walk", ["both", "places", "looks"])
def test_the_walk_ends_in_the_picture_whatever_its_length(gan: ACGANGenerator, steps: int, walk: str) -> None:
    result = gan.generate(["red cube"], seed=7, steps=steps, walk=walk)
    assert result.image.tobytes() == gan.generate(["red cube"], seed=7, steps=1).image.tobytes()
    assert result.frames[-1].predicted.tobytes() == result.image.tobytes()
    assert [(f.index, f.timestep, f.stage) for f in result.frames] == [(i, steps - 1 - i, "what") for i in range(steps)]
    assert len({f.predicted.tobytes() for f in result.frames}) == steps
    assert (result.image.mode, result.image.size, result.evaluations) == ("RGB", (64, 64), steps)


def test_a_walk_moves_the_places_or_the_looks(gan: ACGANGenerator) -> None:
    walks = {walk: gan.generate([1, 9], 7, 6, walk=walk).frames for walk in ("both", "places", "looks")}
    places = {walk: len({frame.places for frame in frames}) for walk, frames in walks.items()}
    assert places == {"both": 6, "places": 6, "looks": 1}
    shapes = gan.network.noise_shapes
    for walk, still in (("places", ("looks", "light", "grain")), ("looks", ("places", "grain"))):
        first, *_, last = walked(shapes, GenerationRequest.of([1], 7), 6, walk)
        assert all(torch.equal(first[name], last[name]) == (name in still) for name in shapes), walk
    with pytest.raises(InputError, match="unknown walk 'sideways'; choose one of both, places, looks"):
        gan.generate([1], 7, 2, walk="sideways")


def test_the_walk_ends_at_the_seeds_own_noise(gan: ACGANGenerator) -> None:
    generator = torch.Generator().manual_seed(11)
    last = walked(gan.network.noise_shapes, GenerationRequest.of([1], 11), 4, "both")[-1]
    for name, shape in gan.network.noise_shapes.items():
        assert torch.equal(last[name], torch.randn(shape, generator=generator)), name


def test_without_timeline_only_the_picture_is_drawn(gan: ACGANGenerator) -> None:
    short = gan.generate_batch([[1]], [7], steps=5, timeline=False)[0]
    full = gan.generate([1], 7, steps=5)
    assert (len(short.frames), short.evaluations) == (1, 1)
    assert short.image.tobytes() == full.image.tobytes()
    assert (short.frames[-1].index, short.frames[-1].timestep) == (4, 0)


def test_a_stream_gives_the_frames_of_generate_and_closing_it_cancels_the_rest(gan: ACGANGenerator) -> None:
    calls: list[None] = []
    assert isinstance(gan.network, ACGANNetwork)
    hook = gan.network.painter.register_forward_hook(lambda *_: calls.append(None))
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
        ({"walk": "far"}, "unknown walk 'far'"),
    ],
)
def test_bad_input_is_named(gan: ACGANGenerator, change: dict[str, Any], message: str) -> None:
    request: dict[str, Any] = {"labels": ["red cube"], "seed": 7, "steps": 5}
    for draw in (gan.generate, gan.stream):
        with pytest.raises(InputError, match=message):
            draw(**request | change)
    for batch in (gan.generate_batch, gan.places):
        with pytest.raises(ValueError, match="2 label sets but 1 seeds"):
            batch([[1], [2]], [0])


# where --------------------------------------------------------------------------------------------------------------


def test_places_come_without_pixels_and_are_those_of_the_picture(gan: ACGANGenerator) -> None:
    asked, seeds = [[9, 1], ["red cube"]], [3, 4]
    found = gan.places(asked, seeds)
    assert found == [result.places for result in gan.generate_batch(asked, seeds, steps=1)]
    assert found[0].objects == (1, 9)
    assert gan.places([[9, 1]], [5]) != found[:1]


def test_the_planner_is_equivariant_and_blind_to_absent_objects() -> None:
    torch.manual_seed(0)
    planner = shaken(Planner(TINY))
    objects, noise = torch.tensor([[3, 20, 7]]), torch.randn(1, 3, TINY.layout_noise)
    order = torch.tensor([2, 0, 1])
    centres = planner(objects, noise)
    assert torch.allclose(planner(objects[:, order], noise[:, order]), centres[:, order], atol=1e-4)
    padded = torch.cat([objects, torch.tensor([[-1]])], dim=1), torch.cat([noise, torch.randn(1, 1, 8)], dim=1)
    assert torch.allclose(planner(*padded)[:, :3], centres, atol=1e-4)
    assert not torch.allclose(planner(objects.flip(1), noise), centres, atol=1e-2)  # objects do tell themselves apart


def test_another_object_leaves_the_others_noise_alone(gan: ACGANGenerator) -> None:
    seen: list[torch.Tensor] = []
    assert isinstance(gan.network, ACGANNetwork)
    hook = gan.network.planner.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[1]))
    try:
        gan.places([[2, 11], [2, 7, 11]], [5, 5])
    finally:
        hook.remove()
    assert torch.equal(seen[0][0], seen[1][0, [0, 2]])


# what ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def painter() -> Painter:
    torch.manual_seed(0)
    network = shaken(Painter(TINY))
    assert isinstance(network, Painter)
    return network


def noise_of(n: int, side: int) -> list[torch.Tensor]:
    shapes = [(n, 24, TINY.object_noise), (n, TINY.picture_noise), (n, 1, side, side)]
    return [torch.randn(shape, generator=torch.Generator().manual_seed(place)) for place, shape in enumerate(shapes)]


def canvas_of(painter: Painter) -> torch.Tensor:
    centres = torch.zeros(1, 24, 2)
    centres[0, 1], centres[0, 9] = torch.tensor([16.0, 12.0]), torch.tensor([44.0, 50.0])
    return painter.canvas(centres, multi_hot([[1, 9]]))


def test_an_objects_noise_changes_its_own_place_most(painter: Painter) -> None:
    canvas, noise = canvas_of(painter), noise_of(1, 64)
    other = [noise[0].clone(), *noise[1:]]
    other[0][0, 1] += 3
    with torch.no_grad():
        changed = (painter(canvas, *noise) - painter(canvas, *other)).abs().mean(dim=1)[0]
    near, far = changed[8:24, 4:20].mean(), changed[36:52, 42:58].mean()
    assert near > 3 * far
    absent = [noise[0].clone(), *noise[1:]]
    absent[0][0, 5] += 3  # of an object that nobody asked for
    with torch.no_grad():
        assert torch.equal(painter(canvas, *noise), painter(canvas, *absent))


@pytest.mark.parametrize("place", [1, 2])
def test_the_pictures_noise_and_the_grain_change_all_of_it(painter: Painter, place: int) -> None:
    canvas, noise = canvas_of(painter), noise_of(1, 64)
    other = list(noise)
    other[place] = noise[place].flip(-1)
    with torch.no_grad():
        changed = (painter(canvas, *noise) - painter(canvas, *other)).abs().amax(dim=1)[0]
    assert (changed > 0).float().mean() > 0.95


def test_an_untrained_painter_draws_the_ground_and_the_mean_picture_beneath_an_object_in_the_middle() -> None:
    painter = Painter(TINY)
    painter.empty.uniform_()
    painter.mean.uniform_()
    centres, labels = torch.tensor([30.0, 33.0]).expand(1, 24, 2), multi_hot([[1]])
    with torch.no_grad():
        assert torch.allclose(painter(canvas_of(painter), *noise_of(1, 64))[0], painter.empty)
        assert torch.allclose(painter(painter.canvas(centres, labels), *noise_of(1, 64))[0], painter.mean)


# the shipped weights ------------------------------------------------------------------------------------------------

EXACT = 0.969 - 3 * 0.032  # counted exact on test.json: mean less three deviations of a seed's 32 pictures


def test_the_shipped_weights_draw_what_was_asked_for_and_nothing_else() -> None:
    for name in ("acgan", "detector", "classifier"):
        shipped(name)
    model, judge = clevr_demo.load("acgan", device="cpu"), clevr_demo.load_evaluator(device="cpu")
    requests = [sorted({(5 * i) % 24, (7 * i + 3) % 24, (11 * i + 8) % 24})[: 1 + i % 3] for i in range(32)]
    results = model.generate_batch(requests, seeds=range(32), steps=1, timeline=False)
    verdicts = [judge(result.image, labels) for result, labels in zip(results, requests, strict=True)]
    assert sum(verdict.exact for verdict in verdicts) / len(verdicts) >= EXACT, [v.sentence for v in verdicts]


# the light's edge -----------------------------------------------------------------------------------------------------


def test_noise_beyond_the_edge_is_mirrored_at_it_and_the_rest_stays() -> None:
    edge = torch.tensor([0.6, 0.0, -0.8, 0.0]) / 1.5
    noise = 2 * torch.randn(500, 4, generator=torch.Generator().manual_seed(1))
    before, found = noise @ edge, mirrored(noise, edge)
    assert 0.1 < (before > 1).float().mean() < 0.5
    assert torch.equal(found[before <= 1], noise[before <= 1])
    assert torch.allclose(found @ edge, torch.where(before > 1, 2 - before, before), atol=1e-5)
    along = edge / edge.norm()
    across, moved = (one - (one @ along)[:, None] * along for one in (noise, found))
    assert torch.allclose(across, moved, atol=1e-5), "in other directions nothing moves"
    assert torch.equal(mirrored(noise, torch.zeros(4)), noise)


def test_only_light_beyond_the_edge_draws_another_picture() -> None:
    free = tiny_acgan().network
    centres, labels = torch.full((1, 24, 2), 32.0), torch.eye(24)[:1]
    light = torch.full((1, free.config.picture_noise), 0.5)
    rest = {"looks": torch.zeros(1, 24, free.config.object_noise), "grain": torch.zeros(1, 1, 64, 64)}
    edge = torch.zeros(free.config.picture_noise)
    pictures = {}
    for distance in (0.25, 0.4, 1.0):
        edge[0] = 1 / distance
        free.edge.copy_(edge)
        pictures[distance] = free.paint(centres, labels, light=light, **rest)
    free.edge.zero_()
    own = free.paint(centres, labels, light=light, **rest)
    assert torch.equal(pictures[1.0], own)
    assert not torch.equal(pictures[0.4], own)
    light[0, 0] = 0.0
    assert torch.allclose(pictures[0.25], free.paint(centres, labels, light=light, **rest), atol=1e-6)
