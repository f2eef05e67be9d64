"""Where training pictures' objects stand, and the attribute maps drawn from it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from clevr_demo.objects import COLOURS, OBJECTS, SHAPES
from clevr_demo.places import SPOT
from tests.conftest import objects_of
from train.data import Pictures, load_pictures
from train.layout import Layout, layout, median_place

GRAY, RED_CUBE, BLUE_SPHERE = 100, OBJECTS.index("red cube"), OBJECTS.index("blue sphere")


def scenes(places: list[list[tuple[int, int]]], objects: list[list[int]]) -> Pictures:
    """Scenes of ever more objects, each a bright square of 9x9 pixels around its place, in light that varies."""
    pixels, labels, numbers = [], [], []
    for scene, (centres, names) in enumerate(zip(places, objects, strict=True)):
        picture = torch.full((3, 64, 64), GRAY + 2 * scene, dtype=torch.uint8)
        picture[:, :6, :12] = 160 if scene % 2 else GRAY  # a patch of light far from the middle
        label = torch.zeros(24)
        for (row, column), name in zip(centres, names, strict=True):
            picture = picture.clone()
            picture[name % 3, row - 4 : row + 5, column - 4 : column + 5] = 250
            label = label.clone()
            label[name] = 1
            pixels.append(picture)
            labels.append(label)
            numbers.append(scene)
    return Pictures(torch.stack(pixels), torch.stack(labels), torch.tensor(numbers))


def test_every_object_is_found_where_it_was_put() -> None:
    middle = (27, 31)
    places = [[middle, (20, 10 + 2 * scene), (45, 50 - 2 * scene)] for scene in range(8)]
    objects = [[scene, 23 - scene, 9] for scene in range(8)]
    found = layout(scenes(places, objects))
    for scene in range(8):
        for count in range(3):
            row = 3 * scene + count
            shown = count + 1
            assert found.objects[row].tolist() == objects[scene][:shown] + [-1] * (2 - count)
            assert (found.centres[row, :shown] - torch.tensor(places[scene][:shown])).abs().max() <= 1


def test_stray_pixels_hardly_move_a_place() -> None:
    mask = torch.zeros(2, 64, 64, dtype=torch.bool)
    mask[:, 40:50, 10:20] = True
    mask[1, 0, :10] = True
    clean, stray = median_place(mask)
    assert clean.tolist() == [44, 14]
    assert (stray - clean).abs().max() <= 1


def test_a_picture_without_changes_counts_as_the_middle() -> None:
    assert median_place(torch.zeros(1, 64, 64, dtype=torch.bool)).tolist() == [[26, 31]]


@pytest.mark.parametrize("side", [16, 32, 64])
def test_maps_show_each_object_on_its_colours_and_its_shapes_plane(side: int) -> None:
    centres = torch.tensor([[[20.0, 12.0], [40.0, 50.0], [0.0, 0.0]]])
    maps = Layout(centres, torch.tensor([[RED_CUBE, BLUE_SPHERE, -1]])).maps(side)
    assert maps.shape == (1, 11, side, side)
    assert (maps.amin(), maps.amax() <= 1) == (-1, True)
    red, blue = COLOURS.index("red"), COLOURS.index("blue")
    cube, sphere = 8 + SHAPES.index("cube"), 8 + SHAPES.index("sphere")
    for plane, row, column in ((red, 20, 12), (cube, 20, 12), (blue, 40, 50), (sphere, 40, 50)):
        peak = int(maps[0, plane].argmax())
        off = torch.tensor([(place + 0.5) * 64 / side - 0.5 for place in divmod(peak, side)])
        off -= torch.tensor([row, column])
        assert off.abs().max() <= 32 / side  # the cell that covers the place
        assert float(maps[0, plane].max()) == pytest.approx(2 * math.exp(-float(off @ off) / (2 * SPOT**2)) - 1)
    others = [plane for plane in range(11) if plane not in (red, blue, cube, sphere)]
    assert (maps[0, others] == -1).all()


def test_the_real_objects_stand_apart_and_the_first_in_the_middle(real_data: Path) -> None:
    data = load_pictures(real_data)
    found = layout(data)
    assert torch.equal((found.objects >= 0).sum(dim=1), data.labels.sum(dim=1).long())
    first = found.centres[:, 0]
    assert (first - torch.tensor([27.0, 31.5])).abs().max() < 8
    three = found.centres[found.objects[:, 2] >= 0]
    apart = (three[:, 1:] - three[:, :1]).norm(dim=2)
    assert (apart < 4).float().mean() < 0.02


def test_the_drawn_scenes_objects_come_in_their_order(iclevr: Path) -> None:
    found = layout(load_pictures(iclevr))
    for scene in range(3):
        assert [OBJECTS[index] for index in found.objects[3 * scene + 2]] == objects_of(scene, 3)
