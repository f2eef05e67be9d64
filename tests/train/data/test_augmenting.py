"""The teacher's pictures: pasted objects and augmentation that keep colour and shape."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clevr_demo.objects import decode
from tests.conftest import objects_of
from train.data.augmenting import Paster, augment, shifted
from train.data.iclevr import Pictures, load_pictures, to_unit


@pytest.fixture(scope="module")
def pictures(iclevr: Path) -> Pictures:
    return load_pictures(iclevr, progress=False)


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
        columns = where.any(dim=0).nonzero().flatten()
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


def test_the_drawn_scenes_are_as_the_tests_assume() -> None:
    assert len(set(objects_of(3, 3))) == 3
    assert objects_of(3, 3)[:2] == objects_of(3, 2)
