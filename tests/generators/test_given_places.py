"""Given places and seeds of single sources of noise: what both models promise of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import clevr_demo
from clevr_demo.generators.acgan import ACGANGenerator
from clevr_demo.generators.ddpm import DiffusionGenerator
from clevr_demo.generators.protocol import WHERE_FRAMES
from clevr_demo.models import MODELS
from clevr_demo.objects import InputError
from clevr_demo.places import NEAREST, room
from clevr_demo.request import SOURCES
from tests.conftest import shipped, tiny_ddpm
from tests.generators.test_acgan import tiny_acgan

Model = DiffusionGenerator | ACGANGenerator
GIVEN: dict[Any, Any] = {"red cube": (30.4, 12), "blue sphere": [20, 40.5]}
CENTRES = ((30.5, 12.0), (20.0, 40.5))  # in the objects' order
LABELS = ["blue sphere", "red cube", "gray cylinder"]


@pytest.fixture(scope="module", params=["ddpm", "acgan"])
def model(request: pytest.FixtureRequest) -> Any:
    return tiny_ddpm() if request.param == "ddpm" else tiny_acgan()


def test_given_places_are_kept_to_the_half_pixel_at_every_moment(model: Model) -> None:
    result = model.generate(LABELS, 7, 4, places=GIVEN)
    assert {frame.places.centres[:2] for frame in result.frames} == {CENTRES}
    assert {frame.places.given for frame in result.frames} == {(1, 10)}
    assert result.request.given == {1: CENTRES[0], 10: CENTRES[1]}
    assert all(0 <= value <= 63 for value in result.places.centres[2])


def test_every_way_to_draw_places_alike(model: Model) -> None:
    result = model.generate(LABELS, 7, 3, places=GIVEN, seeds={"places": 5})
    *_, last = model.stream(LABELS, 7, 3, places=GIVEN, seeds={"places": 5})
    batch = model.generate_batch(
        [[4], LABELS, [4]], [1, 7, 1], 3, places=[None, GIVEN, {4: (33, 33)}], source_seeds=[None, {"places": 5}, None]
    )
    assert torch.equal(last.predicted_pixels, result.frames[-1].predicted_pixels)
    assert torch.equal(batch[1].frames[-1].predicted_pixels, result.frames[-1].predicted_pixels)
    assert batch[0].image.tobytes() == model.generate([4], 1, 3).image.tobytes() != batch[2].image.tobytes()
    assert [one.places.given for one in batch] == [(), (1, 10), (4,)]
    found = model.places([LABELS, [4]], [7, 1], places=[GIVEN, None], source_seeds=[{"places": 5}, None])
    assert found == [result.places, batch[0].places]


def test_chosen_objects_leave_the_given_alone_and_depend_on_the_seed(model: Model) -> None:
    alone, more, other = model.places([[1], [1, 5, 9], [1, 5, 9]], [3, 3, 4], places=[{1: (30, 12)}] * 3)
    assert alone.centres == more.centres[:1] == other.centres[:1] == ((30.0, 12.0),)
    assert more.centres[1:] != other.centres[1:]
    assert model.places([[1, 5, 9]], [3], places=[{1: (30, 12)}]) == [more]
    everything = model.places([[1, 5]], [3], places=[{1: (30, 12), 5: (30, 13)}])[0]
    assert everything.centres == ((30.0, 12.0), (30.0, 13.0))
    assert everything.near == ("red cube", "purple cube")


def test_a_place_moves_the_picture(model: Model) -> None:
    here, there = (model.generate([1], 3, 2, places={1: (30, column)}).image.tobytes() for column in (12, 40))
    assert here != there


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"places": {"gray cube": (1, 2)}}, "places", "the gray cube has a place but is not among the objects"),
    ({"places": {"red cube": (64, 2)}}, "places", "the place of the red cube lies outside the picture"),
    ({"seeds": {"colour": 3}}, "seeds", "unknown source of noise 'colour'"),
    ({"seeds": {"places": -1}}, "seeds", "seeds must be between 0 and"),
]


@pytest.mark.parametrize(("change", "field", "message"), BAD)
def test_a_bad_place_or_source_is_named(model: Model, change: dict[str, Any], field: str, message: str) -> None:
    for draw in (model.generate, model.stream):
        with pytest.raises(InputError, match=message) as caught:
            draw(["red cube"], 7, 2, **change)
        assert caught.value.field == field
    with pytest.raises(ValueError, match="2 label sets but 1 places; a batch needs a mapping or None a picture"):
        model.places([[1], [2]], [0, 1], places=[None])


def test_a_source_that_the_model_does_not_have_is_named(model: Model) -> None:
    strange = next(source for source in SOURCES if source not in model.sources)
    with pytest.raises(InputError, match=f"no source of noise '{strange}'; it has {', '.join(model.sources)}"):
        model.generate([1], 7, 1, seeds={strange: 3})
    assert MODELS[model.kind].sources == model.sources


def test_a_source_with_the_requests_seed_changes_nothing(model: Model) -> None:
    plain = model.generate([1, 9], 7, 3)
    same = model.generate([1, 9], 7, 3, seeds=dict.fromkeys(model.sources, 7))
    assert all(torch.equal(a.noisy_pixels, b.noisy_pixels) for a, b in zip(plain.frames, same.frames, strict=True))
    moved = model.generate([1, 9], 8, 3, seeds=dict.fromkeys(model.sources, 7))
    assert torch.equal(moved.frames[-1].predicted_pixels, plain.frames[-1].predicted_pixels)


def test_each_source_of_noise_changes_its_own() -> None:
    ddpm, gan = tiny_ddpm(), tiny_acgan()
    plain = ddpm.generate([1, 9], 7, 3)
    pixels, places = (ddpm.generate([1, 9], 7, 3, seeds={source: 8}) for source in ("pixels", "places"))
    start, other, same = (one.frames[WHERE_FRAMES].noisy_pixels for one in (plain, pixels, places))
    assert pixels.places == plain.places != places.places
    assert torch.equal(start, same)
    assert not torch.equal(start, other)
    drawn = {source: gan.generate([1, 9], 7, 1, seeds={source: 8}) for source in gan.sources}
    whole = gan.generate([1, 9], 7, 1)
    assert {source for source, one in drawn.items() if one.places != whole.places} == {"places"}
    assert len({one.image.tobytes() for one in (whole, *drawn.values())}) == 5


@pytest.mark.parametrize("walk", ["both", "places", "looks"])
def test_a_walk_leaves_given_places_alone(walk: str) -> None:
    gan = tiny_acgan()
    frames = gan.generate([1, 9], 7, 6, walk=walk, places={1: (30, 12)}).frames
    assert {frame.places.centres[0] for frame in frames} == {(30.0, 12.0)}
    assert len({frame.places.centres[1] for frame in frames}) == (1 if walk == "looks" else 6)


@pytest.mark.parametrize("name", ["ddpm", "acgan"])
def test_the_shipped_planners_place_the_rest_clear_of_what_is_given(name: str) -> None:
    shipped(name)
    trained, random = clevr_demo.load(name, device="cpu"), torch.Generator().manual_seed(0)
    sets = [torch.randperm(24, generator=random)[: 2 + number % 4].tolist() for number in range(24)]
    spots = (torch.rand(24, 2, generator=random) * torch.tensor([14.0, 22.0]) + torch.tensor([22.0, 20.0])).tolist()
    places = [{objects[0]: spot} for objects, spot in zip(sets, spots, strict=True)]
    found = trained.places(sets, range(24), places=places)
    near = [room(torch.tensor(one.centres), torch.zeros(len(one.objects), dtype=torch.bool)) for one in found]
    assert sum(distance < NEAREST for distance in near) <= 2, near
