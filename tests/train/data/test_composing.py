"""Scenes put together: they show what they are said to show, where they say."""

from __future__ import annotations

import pytest
import torch

from clevr_demo.objects import OBJECTS
from tests.train.made import NAMES, squares
from train.data.blobs import KINDS
from train.data.composing import Composer, Mixture
from train.data.iclevr import Pictures, to_unit
from train.data.layout import find_layout


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return squares()


@pytest.fixture(scope="module")
def composer(pictures: Pictures) -> Composer:
    return Composer(pictures, find_layout(pictures))


def test_untouched_pictures_tell_their_labels_and_places(pictures: Pictures) -> None:
    still = Mixture(0, 0, 0, 0, 0, 0, 0, shift=0, contrast=0, brightness=0, mirror=0)
    scene = Composer(pictures, find_layout(pictures), still)(torch.arange(len(pictures)))
    assert torch.allclose(scene.pixels, to_unit(pictures.pixels), atol=1e-6)
    assert [sorted(row.elements()) for row in scene.names()] == [
        sorted(OBJECTS[i] for i in NAMES[index // 3][: index % 3 + 1]) for index in range(len(pictures))
    ]
    assert scene.clear().all()


def test_composed_pictures_tell_what_is_seen_where(composer: Composer) -> None:
    torch.manual_seed(0)
    scene = composer(torch.randint(0, 36, (256,)))
    counts = torch.tensor([row.total() for row in scene.names()])
    assert 0 in counts
    assert counts.max() >= 5
    assert any(max(row.values(), default=0) > 1 for row in scene.names())
    assert 0.02 < (~scene.clear()).float().mean() < 0.5
    for picture, slot in scene.told.nonzero()[::7].tolist():  # the objects' own colour stands at their centres
        row, column = scene.centres[picture, slot].round().long().tolist()
        around = scene.pixels[picture, :, max(0, row - 2) : row + 3, max(0, column - 2) : column + 3].flatten(1)
        dominant = int(scene.objects[picture, slot]) % 3
        if float(scene.shown[picture, slot]) == 1:
            assert around.amax(dim=1)[dominant] > 0.5, (picture, slot)


def test_doubles_are_pasted_and_counted(composer: Composer) -> None:
    torch.manual_seed(0)
    scene = composer.with_double(torch.arange(36))
    twice = [max(row.values()) == 2 for row in scene.names()]
    assert sum(twice) > 25
    changed = (scene.pixels - to_unit(composer.pictures.pixels)).abs().flatten(1).amax(dim=1) > 0.3
    assert changed[torch.tensor(twice)].all()


@pytest.mark.parametrize("kind", KINDS)
def test_blobs_take_the_objects_places_and_have_no_label(composer: Composer, kind: str) -> None:
    torch.manual_seed(0)
    scene = composer.with_blobs(torch.arange(36), kind)
    assert not any(scene.names())
    assert (scene.objects == -1).all()
    changed = (scene.pixels - to_unit(composer.pictures.pixels)).abs().amax(dim=1)
    assert (
        changed.flatten(1).amax(dim=1) > 0.05
    ).float().mean() > 0.9  # squares of one colour hardly change when filled
    assert (changed[:, :6, 12:] < 0.05).all()  # far from the objects all is as it was
