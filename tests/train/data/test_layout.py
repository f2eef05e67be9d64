"""Where training pictures' objects stand, and the attribute maps drawn from it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from clevr_demo.objects import COLOURS, OBJECTS, SHAPES
from clevr_demo.places import SPOT, attribute_maps
from tests.conftest import objects_of
from tests.train.made import MIDDLE, scenes
from train.data.iclevr import load_pictures
from train.data.layout import Layout, find_layout, median_place, subsets, supersets, teaching_layouts, whole_scenes

RED_CUBE, BLUE_SPHERE = OBJECTS.index("red cube"), OBJECTS.index("blue sphere")


def test_every_object_is_found_where_it_was_put() -> None:
    places = [[MIDDLE, (20, 10 + 2 * scene), (45, 50 - 2 * scene)] for scene in range(8)]
    objects = [[scene, 23 - scene, 9] for scene in range(8)]
    found = find_layout(scenes(places, objects))
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
    found = Layout(centres, torch.tensor([[RED_CUBE, BLUE_SPHERE, -1]]))
    maps = attribute_maps(found.by_object(), found.ticked(), side)
    assert maps.shape == (1, 11, side, side)
    assert maps.amin() == -1
    assert maps.amax() <= 1
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
    found = find_layout(data)
    assert torch.equal((found.objects >= 0).sum(dim=1), data.labels.sum(dim=1).long())
    first = found.centres[:, 0]
    assert (first - torch.tensor([27.0, 31.5])).abs().max() < 8
    three = found.centres[found.objects[:, 2] >= 0]
    apart = (three[:, 1:] - three[:, :1]).norm(dim=2)
    assert (apart < 4).float().mean() < 0.02


def test_the_drawn_scenes_objects_come_in_their_order(iclevr: Path) -> None:
    found = find_layout(load_pictures(iclevr))
    for scene in range(3):
        assert [OBJECTS[index] for index in found.objects[3 * scene + 2]] == objects_of(scene, 3)


# what training makes of them -----------------------------------------------------------------------------------------


def ring(number: int = 40) -> Layout:
    """Scenes with an object in the middle and two on a ring around it, opposite each other."""
    angle = torch.linspace(0, 6, number)
    out = 15 * torch.stack([angle.sin(), angle.cos()], dim=1)
    middle = torch.tensor([27.0, 31.0]).expand(number, 2)
    objects = torch.arange(3).expand(number, 3).clone()
    return Layout(torch.stack([middle, middle + out, middle - out], dim=1), objects)


def test_a_layout_of_rows_leaves_absent_objects_last() -> None:
    found = Layout.of([[(3, 1.0, 2.0)], [], [(5, 3.0, 4.0), (7, 5.5, 6.0)]])
    assert found.objects.tolist() == [[3, -1], [-1, -1], [5, 7]]
    assert found.centres[2].tolist() == [[3.0, 4.0], [5.5, 6.0]]
    assert found.centres[0].tolist() == [[1.0, 2.0], [0.0, 0.0]]


def test_the_nearest_pair_is_found() -> None:
    found = Layout.of([[(1, 0, 0), (2, 3, 4), (3, 0, 9)], [(4, 1, 1)]])
    assert found.nearest().tolist() == [5, torch.inf]


def test_made_up_layouts_keep_objects_apart_and_name_none_twice() -> None:
    made = supersets(ring(), 30, torch.Generator().manual_seed(0))
    counts = (made.objects >= 0).sum(dim=1)
    assert counts.unique().tolist() == [4, 5]
    assert (made.nearest() >= ring().nearest().quantile(0.05)).all()
    for row in made.objects.tolist():
        names = [index for index in row if index >= 0]
        assert len(set(names)) == len(names)
    assert not torch.equal(made.objects, supersets(ring(), 30, torch.Generator().manual_seed(1)).objects)


def test_subsets_pair_the_middle_with_the_last() -> None:
    pairs = subsets(ring())
    assert torch.equal(pairs.objects[:, :2], torch.tensor([0, 2]).expand(40, 2))
    assert torch.equal(pairs.centres[:, 1], ring().centres[:, 2])
    assert (pairs.objects[:, 2] == -1).all()


def test_shuffling_keeps_each_objects_place_and_leaves_absent_ones_last() -> None:
    found = Layout(torch.randn(50, 3, 2), torch.tensor([5, 7, -1]).expand(50, 3))
    turned = found.shuffled()
    assert torch.equal(turned.by_object(), found.by_object())
    assert (turned.objects[:, 2] == -1).all()
    assert len({tuple(row) for row in turned.objects.tolist()}) == 2


def test_the_first_stage_learns_from_all_numbers_of_objects(iclevr: Path) -> None:
    data = load_pictures(iclevr).split()[0]
    counts = (teaching_layouts(find_layout(data)).objects >= 0).sum(dim=1)
    assert set(counts.unique().tolist()) >= {1, 2, 3}
    assert len(whole_scenes(find_layout(data))) == 19
