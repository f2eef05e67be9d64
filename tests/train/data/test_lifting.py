"""Lifted pictures: the middle object is gone without a seam, all else stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.train.made import GRAY, MIDDLE, NAMES, squares
from train.data.iclevr import Pictures, load_pictures, to_unit
from train.data.layout import Layout, find_layout
from train.data.lifting import COLUMNS, ROWS, Lifted, box, fills, lift, membrane, relabelled, ring

HEIGHT, WIDTH = ROWS[1] - ROWS[0], COLUMNS[1] - COLUMNS[0]


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return squares()


@pytest.fixture(scope="module")
def layout(pictures: Pictures) -> Layout:
    return find_layout(pictures)


@pytest.fixture(scope="module")
def lifted(pictures: Pictures, layout: Layout) -> Lifted:
    return lift(pictures, layout)


def test_the_membrane_of_a_linear_ring_is_linear() -> None:
    rows, columns = torch.arange(64.0).view(-1, 1), torch.arange(64.0).view(1, -1)
    plane = (3 + 0.5 * rows - 0.25 * columns)[None]
    inside = (ring(plane, ROWS, COLUMNS) @ membrane(HEIGHT, WIDTH).T).view(1, HEIGHT, WIDTH)
    assert torch.allclose(inside, box(plane), atol=1e-3)


def test_a_membrane_stays_between_the_lowest_and_the_highest_of_its_ring() -> None:
    weights = membrane(HEIGHT, WIDTH)
    assert weights.min() >= 0
    assert torch.allclose(weights.sum(dim=1), torch.ones(HEIGHT * WIDTH), atol=1e-4)


def test_the_middle_object_is_gone_and_the_ground_around_untouched(pictures: Pictures, lifted: Lifted) -> None:
    before, after = pictures.pixels[lifted.origin], lifted.pictures.pixels
    outside = torch.ones(64, 64, dtype=torch.bool)
    box(outside).fill_(False)
    assert torch.equal(before[..., outside], after[..., outside])
    assert (box(before).amax(dim=(1, 2, 3)) == 250).all()
    assert (box(after).amax(dim=(1, 2, 3)) < 130).all()


def test_the_fill_goes_on_from_the_ring_without_a_step() -> None:
    rows, columns = torch.arange(64.0).view(-1, 1), torch.arange(64.0).view(1, -1)
    light = 100 + 0.5 * rows + 0.8 * columns + 0.01 * (columns - 30).square()
    picture = light.expand(1, 3, 64, 64).clone()
    picture[:, :, 20:35, 26:38] = 250
    filled, able = fills(picture, torch.zeros(1, 64, 64, dtype=torch.bool), membrane(HEIGHT, WIDTH))
    assert able.all()
    assert torch.allclose(filled, box(light.expand(1, 3, 64, 64)), atol=3)


def test_every_first_picture_is_lifted_and_none_whose_box_another_object_touches(
    pictures: Pictures, layout: Layout, lifted: Lifted
) -> None:
    assert set(range(0, len(pictures), 3)) <= set(lifted.origin.tolist())
    near = layout.centres.clone()
    near[:, 1] = torch.tensor(MIDDLE) + torch.tensor([4.0, 6.0])
    moved = pictures.pixels.clone()
    for index in range(len(pictures)):
        if index % 3:
            moved[index, :, 27:36, 33:42] = 250
    crowded = lift(Pictures(moved, pictures.labels, pictures.scenes), Layout(near, layout.objects))
    assert (crowded.origin % 3 == 0).all()


def test_labels_and_layout_are_those_of_what_is_left(pictures: Pictures, lifted: Lifted) -> None:
    assert torch.equal(lifted.layout.ticked(), lifted.pictures.labels)
    for number, index in enumerate(lifted.origin.tolist()):
        left = NAMES[index // 3][1 : index % 3 + 1]
        assert lifted.pictures.labels[number].nonzero().flatten().tolist() == sorted(left)
        assert lifted.layout.objects[number][lifted.layout.objects[number] >= 0].tolist() == left


def test_the_empty_scene_shows_nothing(lifted: Lifted) -> None:
    assert (lifted.empty[:, 10:] < to_unit(torch.tensor([GRAY + 40])).item()).all()


def test_middle_centres_are_where_the_squares_stand(pictures: Pictures, layout: Layout, lifted: Lifted) -> None:
    shifted = Layout(layout.centres.clone(), layout.objects)
    shifted.centres[:, 0] -= 3
    found = relabelled(shifted, pictures, lifted)
    assert (found.centres[:, 0] == torch.tensor(MIDDLE)).all()
    assert torch.equal(found.centres[:, 1:], layout.centres[:, 1:])


def test_real_pictures_are_lifted(real_data: Path) -> None:
    held_out = load_pictures(real_data).split()[1]
    layout = find_layout(held_out)
    lifted = lift(held_out, layout)
    counts = (lifted.layout.objects >= 0).sum(dim=1).bincount()
    assert counts[0] == 301
    bare = to_unit(lifted.pictures.pixels[(lifted.layout.objects < 0).all(dim=1)])
    saturation = bare.amax(dim=1) - bare.amin(dim=1)
    assert (box(saturation).flatten(1).amax(dim=1) < 0.25).float().mean() > 0.99  # no object's colour on the ground
    heights = relabelled(layout, held_out, lifted).centres[:, 0, 0]
    assert 27.5 < heights.mean() < 28.7  # against the smudged median: 27.2
