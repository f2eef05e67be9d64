"""The measure of places: it must tell wrong layouts from right ones, and right ones hardly."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from clevr_demo.checkpoints import read_metrics
from tests.train.measure.made import job
from train.measure import places


@pytest.fixture(autouse=True)
def _one_division(monkeypatch: pytest.MonkeyPatch) -> None:
    """Into folds: enough to tell what these tests tell."""
    monkeypatch.setattr(places, "REPEATS", 1)


def rings(number: int, seed: int, scale: float = 1.0) -> torch.Tensor:
    """(n, 3, 2) layouts: one object in the middle, two on a ring around it."""
    chance = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi * torch.rand(number, 2, generator=chance)
    angle[:, 1] = angle[:, 0] + 0.8 + (2 * math.pi - 1.6) * torch.rand(number, generator=chance)
    radius = scale * (13 + 2 * torch.randn(number, 2, generator=chance))
    outside = torch.stack([radius * angle.sin(), radius * angle.cos()], dim=2)
    return torch.cat([torch.randn(number, 1, 2, generator=chance), outside], dim=1) + torch.tensor([27.0, 31.0])


def test_the_two_sample_classifier_tells_shrunk_layouts_but_not_like_ones() -> None:
    middle = torch.tensor([27.0, 31.0])
    real = places.geometry(rings(300, 1), middle)
    like, shrunk = (places.told_apart(real, places.geometry(rings(300, 2, scale), middle)) for scale in (1.0, 0.85))
    assert like < 0.56
    assert shrunk > 0.62


def test_geometry_does_not_depend_on_the_objects_order() -> None:
    found, middle = rings(20, 3), torch.tensor([27.0, 31.0])
    turned = places.geometry(found[:, [2, 0, 1]], middle)
    assert torch.allclose(places.geometry(found, middle)[:, :9], turned[:, :9], atol=1e-4)


def test_facts_of_layouts_are_direct() -> None:
    centres = torch.tensor([[[10.0, 10.0], [10.0, 13.0], [10.0, 20.0]], [[0.0, 10.0], [10.0, 10.0], [30.0, 10.0]]])
    found = places.facts_of(centres, torch.tensor([10.0, 10.0]), too_near=5.0)
    assert (found["nearest mean"], found["too near"], found["scenes"]) == (6.5, 0.5, 2)
    assert (found["first"], found["second"], found["third"]) == (0, 6.5, 15)


def test_places_are_drawn_without_pixels_and_compared(iclevr: Path, tmp_path: Path) -> None:
    run = job(iclevr, tmp_path / "model", "places", "--layouts", "10", "--draws", "2")
    places.run(run)
    found = read_metrics(tmp_path / "model")["places"]
    assert set(found["rows"]) == set(places.ROWS)
    assert found["rows"]["drawn"]["nearest mean"] == pytest.approx(14, abs=0.8)
    assert found["rows"]["drawn"]["told apart"] > 0.6
    assert run.model.drawn == []  # type: ignore[attr-defined]
    assert found["command"] == run.command
