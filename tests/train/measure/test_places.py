"""The measure of places: it must tell wrong layouts from right ones, and right ones hardly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from clevr_demo.checkpoints import read_metrics
from clevr_demo.places import Given, Places
from tests.train.measure.made import Painter, job
from train.data.layout import Layout
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


def test_scenes_are_chosen_evenly_by_their_objects_places_and_each_once() -> None:
    """Though nearly all scenes crowd on the left, those on the right are chosen as often."""
    column = torch.where(torch.arange(200) % 20 == 0, 45.0, 15.0)
    centres = torch.stack([torch.full((200,), 30.0), column], dim=1)[:, None].repeat(1, 3, 1)
    chosen = places.chosen_evenly(centres, 16)
    assert len({scene for scene, _ in chosen}) == 16
    share = float((column[[scene for scene, _ in chosen]] == 45).float().mean())
    assert 0.2 < share < 0.8


def test_what_is_given_of_a_scene_are_its_own_objects_places() -> None:
    scene = Layout(torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]), torch.tensor([[9, 20, 4]]))
    assert places.own_places(scene, 2, 1) == {4: (5, 6)}
    assert places.own_places(scene, 2, 2) == {4: (5, 6), 9: (1, 2)}


class Recalling(Painter):
    """A model that knows all scenes by the places of one of their objects, and draws the others' `shift` too low."""

    def __init__(self, known: Layout, shift: float) -> None:
        super().__init__()
        self.known, self.shift, self.asked = known, shift, 0

    def places(
        self, labels: Sequence[Sequence[int]], seeds: Sequence[int], places: Sequence[Given] | None = None
    ) -> list[Places]:
        return [self.recalled(label, given) for label, given in zip(labels, places or [], strict=True)]

    def recalled(self, label: Sequence[int], given: Given) -> Places:
        self.asked += 1
        index, centre = next(iter(given.items()))
        same = (self.known.objects == index) & (self.known.centres == torch.tensor(centre)).all(dim=2)
        scene = same.any(dim=1) & (self.known.ticked()[:, list(label)].sum(dim=1) == len(label))
        row = int(scene.float().argmax())
        slots = self.known.objects[row].argsort()
        down = self.shift * torch.tensor([1.0, 0.0])
        centres = [
            given.get(one, tuple((self.known.centres[row, slot] + down).tolist()))
            for one, slot in zip(label, slots, strict=True)
        ]
        return Places(tuple(label), tuple(centres))


def test_around_given_places_right_layouts_are_not_told_apart_but_wrong_ones_are(tmp_path: Path, iclevr: Path) -> None:
    centres, middle = (rings(400, 5)).round(), torch.tensor([27.0, 31.0])
    known = Layout(centres, torch.rand(400, 24, generator=torch.Generator().manual_seed(0)).argsort(dim=1)[:, :3])
    told = []
    for shift in (0.0, 5.0):
        run = job(iclevr, tmp_path / "model", "places", "--layouts", "150", model=Recalling(known, shift))
        rows = places.around_given(run, known, middle, 7.0)
        assert run.model.asked == 600  # type: ignore[attr-defined]
        told.append([rows[name]["told apart"] for name in places.GIVEN])
        assert rows["chosen"]["told apart"] < 0.58
    assert max(told[0]) < 0.58
    assert told[1][0] > 0.65


def test_places_are_drawn_without_pixels_and_compared(iclevr: Path, tmp_path: Path) -> None:
    run = job(iclevr, tmp_path / "model", "places", "--layouts", "10", "--draws", "2")
    places.run(run)
    found = read_metrics(tmp_path / "model")["places"]
    assert set(found["rows"]) == set(places.ROWS)
    assert found["rows"]["drawn"]["nearest mean"] == pytest.approx(14, abs=0.8)
    assert found["rows"]["drawn"]["told apart"] > 0.6
    assert run.model.drawn == []  # type: ignore[attr-defined]
    assert found["command"] == run.command
