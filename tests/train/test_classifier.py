"""The trainer of the classifier and of the teacher: what they are shown, and how their probabilities are calibrated."""

from __future__ import annotations

import pytest
import torch

from clevr_demo.objects import OBJECTS, decode
from tests.train.made import squares
from train.classifier import PRESETS, ClassifierTask, fitted_temperature, labelled, reliability
from train.data.composing import Scene


def test_the_classifier_and_the_teacher_come_from_other_seeds() -> None:
    assert PRESETS["default"].loop.seed != PRESETS["teacher"].loop.seed


def test_the_classifier_sees_neither_blur_nor_noise_nor_blobs() -> None:
    task = ClassifierTask(PRESETS["default"], squares())
    assert task.compose
    assert task.paster is None
    mixture = task.compose.mixture
    assert (mixture.blob_one, mixture.blob_all, mixture.blob_pasted) == (0, 0, 0)


def test_labels_of_half_hidden_objects_do_not_count() -> None:
    objects = torch.tensor([[1, 5, 1, -1, -1, -1], [2, 2, 3, -1, -1, -1]])
    told = torch.tensor([[True, False, False] + [False] * 3, [False, False, True] + [False] * 3])
    labels, said = labelled(Scene(torch.zeros(2, 3, 64, 64), objects, torch.zeros(2, 6, 2), torch.ones(2, 6), told))
    assert [decode(row) for row in labels] == [[OBJECTS[1]], [OBJECTS[3]]]
    assert [decode(1 - row) for row in said] == [[OBJECTS[5]], [OBJECTS[2]]]


# calibration ----------------------------------------------------------------------------------------------------------


def test_the_temperature_is_found_again() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(4000, 24, generator=generator)
    labels = (torch.rand(4000, 24, generator=generator) < logits.sigmoid()).float()
    assert fitted_temperature(logits, labels) == pytest.approx(1.0, abs=0.03)
    assert fitted_temperature(2.5 * logits, labels) == pytest.approx(2.5, abs=0.1)


def test_the_calibration_error_is_the_mean_distance_of_what_was_said_from_what_was_so() -> None:
    probabilities = torch.tensor([[0.05, 0.05, 0.95, 0.95]])
    found = reliability(probabilities, torch.tensor([[0.0, 0.0, 1.0, 0.0]]))
    assert [(row["answers"], row["so"]) for row in found["curve"]] == [(2, 0.0), (2, 0.5)]
    assert found["calibration_error"] == pytest.approx(0.5 * 0.05 + 0.5 * 0.45, abs=1e-4)
