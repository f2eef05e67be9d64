"""The detector's trainer: what it asks of its heat maps, and how well the shipped one counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clevr_demo.checkpoints import WEIGHTS
from clevr_demo.judge.detector import DetectorConfig, Found, load_detector, peaks
from clevr_demo.objects import OBJECTS
from tests.conftest import shipped
from train.data.anywhere import AnywhereComposer
from train.data.canvas import SLOTS
from train.data.composing import Mixture, Scene
from train.data.iclevr import load_pictures
from train.data.scenes import material
from train.detector import above, focal_loss, score, target
from train.learning.counting import counted_exact, detected, seeded

CONFIG = DetectorConfig(threshold=0.5, apart=3.0)
RED_CUBE, BLUE_CUBE = OBJECTS.index("red cube"), OBJECTS.index("blue cube")


def example() -> Scene:
    """A picture with a red cube, a blue one half hidden, and three empty places."""
    objects = torch.tensor([[RED_CUBE, BLUE_CUBE, -1, -1, -1, -1]])
    centres = torch.zeros(1, SLOTS, 2)
    centres[0, 0], centres[0, 1] = torch.tensor([21.0, 31.0]), torch.tensor([40.0, 12.0])
    told = torch.tensor([[True, False, False, False, False, False]])
    return Scene(torch.zeros(1, 3, 64, 64), objects, centres, torch.ones(1, SLOTS), told)


def test_the_target_is_read_back_as_the_scene() -> None:
    wanted = target(example())
    perfect = torch.cat([wanted.heat.clamp(0.001, 0.999).logit(), wanted.offsets], dim=1)
    (found,) = peaks(perfect, CONFIG)[0]
    assert (found.name, round(found.row), round(found.column)) == ("red cube", 21, 31)
    assert int((wanted.heat == 1).sum()) == 1


def test_nothing_is_asked_of_a_half_hidden_object() -> None:
    wanted = target(example())
    assert wanted.asked[0, BLUE_CUBE, 20, 6] == 0
    assert wanted.asked[0, RED_CUBE].all()
    logits = torch.full((1, 24, 32, 32), -5.0)
    there = logits.clone()
    there[0, BLUE_CUBE, 20, 6] = 5.0
    assert torch.equal(focal_loss(there, wanted), focal_loss(logits, wanted))
    there[0, BLUE_CUBE, 4, 26] = 5.0
    assert focal_loss(there, wanted) > focal_loss(logits, wanted) + 1


def test_the_loss_falls_when_the_object_is_seen() -> None:
    wanted = target(example())
    logits = torch.full((1, 24, 32, 32), -5.0)
    right = logits.clone()
    right[0, RED_CUBE, 10, 15] = 5.0
    assert focal_loss(right, wanted) < 0.2 * focal_loss(logits, wanted)


def test_a_higher_threshold_leaves_the_surer_ones() -> None:
    found = tuple(Found("red cube", 1.0, 1.0, level) for level in (0.9, 0.5, 0.2))
    assert above(found, 0.5) == found[:2]


@pytest.mark.data
@pytest.mark.timeout(900)
def test_the_shipped_detector_counts_held_out_pictures_and_is_not_fooled(real_data: Path) -> None:
    folder = shipped("detector")
    assert (folder / WEIGHTS).stat().st_size < 8e6
    found = score(load_detector(device="cpu"), load_pictures(real_data, progress=False).split()[1])
    assert found["pictures"] == 903
    assert found["counted_exact"] >= 0.97
    assert found["number_right"] >= 0.995
    assert found["centre_pixels"] <= 1.5
    assert found["doubles_caught"] >= 0.97
    assert found["doubles_told"] >= 0.97
    assert found["lifted_counted_exact"] >= 0.98
    assert max(found["blobs_counted_exact"].values()) < 0.3, found["blobs_counted_exact"]


@pytest.mark.data
def test_the_shipped_detector_does_not_call_fused_pairs_two(real_data: Path) -> None:
    held_out = load_pictures(real_data, progress=False).split()[1]
    given = material(held_out)
    with seeded():
        pairs, names = AnywhereComposer(held_out, given, Mixture()).fused_alone(400)
    assert counted_exact(detected(load_detector(shipped("detector"), "cpu"), pairs.pixels), names) <= 0.05
