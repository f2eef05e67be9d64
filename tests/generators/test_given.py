"""Planners that place objects around given places: what is given stays, the rest heeds it, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from clevr_demo.generators import acgan, ddpm
from clevr_demo.generators.sampling import make_scheduler
from clevr_demo.request import GenerationRequest
from tests.conftest import TINY, shaken, tiny_ddpm
from train.acgan import TINY as TINY_ACGAN

OBJECTS = torch.tensor([[3, 9, 17], [5, 6, -1]])
GIVEN = torch.tensor(
    [[[40.0, 12.5], [torch.nan] * 2, [torch.nan] * 2], [[torch.nan] * 2, [20.0, 50.0], [torch.nan] * 2]]
)
THERE = ~GIVEN.isnan()


@pytest.fixture
def diffusing() -> ddpm.Planner:
    torch.manual_seed(0)
    planner = ddpm.Planner(replace(TINY, planner_given=True))
    shaken(planner)
    return planner.requires_grad_(False)


@pytest.fixture
def adversarial() -> acgan.Planner:
    torch.manual_seed(0)
    planner = acgan.Planner(replace(TINY_ACGAN, planner_given=True))
    shaken(planner)
    planner.mean.copy_(torch.tensor([28.0, 31.0]))
    planner.scale.copy_(torch.tensor([10.0, 12.0]))
    return planner.requires_grad_(False)


def test_one_timestep_for_all_is_the_same_one_for_each(diffusing: ddpm.Planner) -> None:
    x, times = torch.randn(2, 3, 2), torch.tensor([500, 3])
    each = diffusing(x, times.unsqueeze(1).expand(2, 3), OBJECTS)
    assert torch.allclose(diffusing(x, times, OBJECTS), each, atol=1e-6)


def test_an_objects_own_timestep_tells_the_others_of_it(diffusing: ddpm.Planner) -> None:
    x, times = torch.randn(2, 3, 2), torch.full((2, 3), 600)
    before = diffusing(x, times, OBJECTS)
    times[0, 1] = -1
    apart = (diffusing(x, times, OBJECTS) - before).abs().amax(dim=2)
    assert (apart[0] > 1e-5).all()
    assert apart[1].max() == 0


def test_denoising_leaves_given_places_and_heeds_them(diffusing: ddpm.Planner) -> None:
    alphas_cumprod = make_scheduler("dpm", diffusing.config).alphas_cumprod
    x, given = torch.randn(2, 3, 2), diffusing.standardised(GIVEN)
    found = ddpm.planner_denoiser(diffusing, OBJECTS, alphas_cumprod, given)(x, 800)
    assert torch.equal(found[THERE], given[THERE])
    noisier = ddpm.planner_denoiser(diffusing, OBJECTS, alphas_cumprod, given)(torch.where(THERE, 9.0, x), 800)
    assert torch.equal(noisier, found)  # whatever the sampler made of the given ones
    moved = ddpm.planner_denoiser(diffusing, OBJECTS, alphas_cumprod, given + 1)(x, 800)
    assert ((moved - found).abs() > 1e-5)[:, :2].all()
    free = ddpm.planner_denoiser(diffusing, OBJECTS, alphas_cumprod)(x, 800)
    alone = ddpm.planner_denoiser(diffusing, OBJECTS, alphas_cumprod, torch.full_like(given, torch.nan))(x, 800)
    assert torch.allclose(free, alone, atol=1e-6)


def test_one_pass_leaves_given_places_and_heeds_them(adversarial: acgan.Planner) -> None:
    noise = torch.randn(2, 3, TINY_ACGAN.layout_noise)
    found = adversarial(OBJECTS, noise, GIVEN)
    assert torch.equal(found[THERE], GIVEN[THERE])
    other = torch.cat([torch.where(THERE, 9.0, noise[..., :2]), noise[..., 2:]], dim=2)
    assert torch.equal(adversarial(OBJECTS, other, GIVEN), found)  # a given place stands in its noise's stead
    moved = adversarial(OBJECTS, noise, GIVEN + 5)
    assert ((moved - found).abs() > 1e-4)[~THERE].view(-1, 2)[[0, 1, 2]].all()
    order = torch.tensor([2, 0, 1])
    turned = adversarial(OBJECTS[:, order], noise[:, order], GIVEN[:, order])
    assert torch.allclose(turned, found[:, order], atol=1e-4)
    adversarial.rough.mark.zero_()  # type: ignore[union-attr]
    assert not torch.allclose(adversarial(OBJECTS, noise, GIVEN)[~THERE], found[~THERE], atol=1e-4)


def test_a_planner_that_is_not_taught_yet_draws_what_it_drew(adversarial: acgan.Planner) -> None:
    """With the weights that it begins with, to the last bit, where nothing is given."""
    before = acgan.Planner(TINY_ACGAN)
    state = {name: value for name, value in adversarial.state_dict().items() if not name.endswith(".mark")}
    before.load_state_dict(state)
    noise = torch.randn(2, 3, TINY_ACGAN.layout_noise)
    nothing = torch.full_like(GIVEN, torch.nan)
    expected = before(OBJECTS, noise)
    assert torch.equal(adversarial(OBJECTS, noise), expected)
    assert torch.equal(adversarial(OBJECTS, noise, nothing), expected)


def forbidden(*_: Any, **__: Any) -> Any:
    raise AssertionError("a planner that was taught needs no other way")


def test_a_taught_ddpm_plans_around_given_places_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_ddpm(replace(TINY, planner_given=True))
    monkeypatch.setattr(ddpm, "denoise_around", forbidden)
    (free,), (found,) = model.places([[1, 9, 20]], [5]), model.places([[1, 9, 20]], [5], places=[{9: (40, 12.5)}])
    assert found.centres[1] == (40, 12.5)
    assert found.centres[0] != free.centres[0]
    drawn = model.generate([1, 9, 20], seed=5, steps=2, places={9: (40, 12.5)})
    assert drawn.places == found
    assert {frame.places.centres[1] for frame in drawn.frames} == {(40, 12.5)}
    assert model.places([[1, 9, 20]], [5]) == tiny_ddpm().places([[1, 9, 20]], [5])


def test_a_taught_acgan_tells_its_planner_of_given_places() -> None:
    found = []
    for taught in (False, True):
        torch.manual_seed(0)
        network = acgan.ACGANNetwork(replace(TINY_ACGAN, planner_given=taught))
        shaken(network)
        network.planner.scale.fill_(8.0)
        model = acgan.ACGANGenerator(network, "acgan@tiny", torch.device("cpu"))
        request = GenerationRequest.of([1, 9, 20], 5, places={9: (40, 12.5)})
        layout = torch.randn(24, 8, generator=torch.Generator().manual_seed(0))
        near, far = (model.network.plan(replace(request, places=((9, *at),)), layout) for at in ((40, 12.5), (1, 1)))
        assert (near.centres[1], far.centres[1]) == ((40, 12.5), (1, 1))
        found.append(near.centres[0] == far.centres[0])
    assert found == [True, False]
