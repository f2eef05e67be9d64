"""What the judge and the teacher learn from: pasted objects and augmentation that keep colour and shape."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clevr_demo.judge.classifier import TeacherNetwork
from clevr_demo.judge.evaluator import EvaluatorNetwork
from clevr_demo.objects import OBJECTS, decode, multi_hot
from tests.conftest import objects_of
from train.classifier import (
    PRESETS,
    ClassifierTask,
    Paster,
    augment,
    fitted_temperature,
    labelled,
    lowest_row,
    reliability,
    shifted,
)
from train.data.composing import Scene
from train.data.iclevr import Pictures, background, label_sets, load_pictures, object_mask, predecessors, to_unit


@pytest.fixture(scope="module")
def pictures(iclevr: Path) -> Pictures:
    return load_pictures(iclevr, progress=False)


def test_the_background_is_the_empty_scene() -> None:
    pixels = torch.full((9, 3, 64, 64), 70, dtype=torch.uint8)
    for place in range(9):
        pixels[place, :, 5 * place : 5 * place + 20, 10:30] = 200  # never the same place in most of them
    empty = background(Pictures(pixels, torch.zeros(9, 24), torch.arange(9)))
    assert torch.equal(empty, to_unit(pixels.new_full((3, 64, 64), 70)))


def test_the_mask_covers_what_differs_and_one_pixel_around_it() -> None:
    empty = torch.zeros(3, 64, 64)
    pixels = torch.zeros(2, 3, 64, 64)
    pixels[0, 1, 10:20, 30:40] = 0.5
    pixels[1, 0, 5, 5] = 0.1  # fainter than the threshold
    mask = object_mask(pixels, empty)
    expected = torch.zeros(64, 64)
    expected[9:21, 29:41] = 1
    assert torch.equal(mask[0, 0], expected)
    assert not mask[1].any()
    assert lowest_row(mask).tolist() == [20, 0]


def test_predecessors_are_the_scenes_pictures_with_one_object_less(pictures: Pictures) -> None:
    before = predecessors(pictures)
    assert before.tolist() == [index - 1 if index % 3 else -1 for index in range(len(pictures))]


def test_label_sets_are_distinct_and_sorted() -> None:
    assert label_sets(multi_hot([(3, 1), (2,), (1, 3)])) == [(1, 3), (2,)]


def test_a_donor_is_the_object_that_a_picture_added(pictures: Pictures) -> None:
    torch.manual_seed(0)
    pixels, mask, label = Paster(pictures).donors(64)
    assert label.sum(dim=1).tolist() == [1.0] * 64
    added = {}  # (the object that a scene's picture adds, its pixels) by the picture
    for scene in range(len(pictures) // 3):
        for count in (2, 3):
            added[to_unit(pictures.pixels[3 * scene + count - 1]).numpy().tobytes()] = objects_of(scene, count)[-1]
    for picture, where, one in zip(pixels, mask, label, strict=True):
        assert decode(one) == [added[picture.numpy().tobytes()]]
        columns = where[0].any(dim=0).nonzero().flatten()
        assert columns.max() - columns.min() <= 18  # one object wide, and the pixel around it


def test_a_pasted_object_comes_with_its_label_and_pixels(pictures: Pictures) -> None:
    torch.manual_seed(0)
    pixels, labels = to_unit(pictures.pixels[:60]), pictures.labels[:60]
    seen, told = Paster(pictures)(pixels, labels, share=1.0)
    changed = (seen != pixels).flatten(1).any(dim=1)
    more = told.sum(dim=1) - labels.sum(dim=1)
    assert 0 < int(changed.sum()) < 60
    assert (told >= labels).all()
    assert set(more.tolist()) <= {0.0, 1.0}
    assert not more[~changed].any()
    untouched, same = Paster(pictures)(pixels, labels, share=0.0)
    assert torch.equal(untouched, pixels)
    assert torch.equal(same, labels)


def test_a_shift_moves_each_picture_by_itself_and_repeats_its_border() -> None:
    torch.manual_seed(0)
    rows = torch.arange(64.0).view(1, 1, 64, 1) + 100 * torch.arange(64.0).view(1, 1, 1, 64)
    moved = shifted(rows.expand(32, 3, 64, 64), 6)
    offsets = set()
    for picture in moved:
        centre = picture[0, 32, 32]
        down, right = int(centre % 100) - 32, int(centre // 100) - 32
        offsets.add((down, right))
        index = (torch.arange(64) + down).clamp(0, 63), (torch.arange(64) + right).clamp(0, 63)
        assert torch.equal(picture[0], rows[0, 0][index[0]][:, index[1]])
        assert max(abs(down), abs(right)) <= 6
    assert len(offsets) > 20


def test_augmentation_keeps_the_order_of_the_colours() -> None:
    torch.manual_seed(0)
    colour = torch.tensor([0.6, -0.4, 0.1]).view(1, 3, 1, 1).expand(40, 3, 64, 64)
    seen = augment(colour, shift=6, noise=0.08).mean(dim=(2, 3))
    assert (seen[:, 0] > seen[:, 2] + 0.2).all()
    assert (seen[:, 2] > seen[:, 1] + 0.2).all()
    assert seen.std(dim=0).min() > 0.02


def test_a_classifier_answers_for_24_objects() -> None:
    torch.manual_seed(0)
    network = TeacherNetwork().eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 24)


def test_the_classifier_and_the_teacher_come_from_other_seeds() -> None:
    assert PRESETS["default"].loop.seed != PRESETS["teacher"].loop.seed


def test_the_classifier_sees_neither_blur_nor_noise_nor_blobs(pictures: Pictures) -> None:
    task = ClassifierTask(PRESETS["default"], pictures)
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


def test_the_judges_features_are_what_its_last_layer_reads() -> None:
    torch.manual_seed(0)
    network = EvaluatorNetwork().eval()
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        probabilities = network.resnet18(pixels)
        assert torch.allclose(network(pixels).sigmoid(), probabilities, atol=1e-6)
        assert torch.allclose(network.resnet18.fc(network.features(pixels)), probabilities, atol=1e-6)


def test_the_drawn_scenes_are_as_the_tests_assume() -> None:
    assert len(set(objects_of(3, 3))) == 3
    assert objects_of(3, 3)[:2] == objects_of(3, 2)
