"""Composed scenes: objects stand where the layout says, the nearest in front, with their shadows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clevr_demo.objects import COLOURS
from clevr_demo.places import MIDDLE, on_ground
from tests.train.made import squares
from train.data.iclevr import load_pictures
from train.data.scenes import (
    MOST,
    NOTHING,
    REACH,
    RING,
    ROW_SHIFT,
    SIDE,
    Additions,
    Material,
    at_places,
    compose,
    donors,
    filled,
    material,
    outlines,
    painted,
    scattered,
    shadowed,
    spots,
)

RED, BLUE, FAINT = (100, -50, -50), (-50, -50, 100), -10
BARE = torch.full((4, 3, 64, 64), 100, dtype=torch.uint8)


def made(*kinds: tuple[int, tuple[int, int, int]]) -> Additions:
    """Squares of 9x9 pixels in their colours, each with a faint shadow of 3 pixels to the right."""
    levels = torch.zeros(len(kinds), 3, SIDE, SIDE, dtype=torch.int16)
    masks = torch.zeros(len(kinds), SIDE, SIDE, dtype=torch.bool)
    body = slice(REACH - 4, REACH + 5)
    masks[:, body, body] = True
    levels[:, :, body, REACH + 5 : REACH + 8] = FAINT
    for row, (_, colour) in enumerate(kinds):
        levels[row, :, body, body] = torch.tensor(colour, dtype=torch.int16).view(3, 1, 1)
    return Additions(levels, masks, torch.tensor([index for index, _ in kinds]), torch.full((len(kinds),), 28.0))


@pytest.fixture(scope="module")
def given() -> Material:
    return material(squares())


def test_an_object_stands_at_its_centre_with_its_shadow_on_the_ground() -> None:
    scene = painted(BARE[:1], made((1, RED)), torch.tensor([[0]]), torch.tensor([[[30.0, 20.0]]]))
    assert scene.pixels[0, :, 30, 20].tolist() == [200, 50, 50]
    assert scene.pixels[0, :, 30, 26].tolist() == [90, 90, 90]
    assert scene.pixels[0, :, 30, 40].tolist() == [100, 100, 100]
    assert scene.objects.tolist() == [[1]]
    assert scene.centres.tolist() == [[[30.0, 20.0]]]


def test_the_nearer_hides_the_farther_whatever_their_order() -> None:
    added, centres = made((1, RED), (2, BLUE)), torch.tensor([[[30.0, 20.0], [34.0, 22.0]]])
    for chosen, places in (([[0, 1]], centres), ([[1, 0]], centres.flip(1))):
        scene = painted(BARE[:1], added, torch.tensor(chosen), places)
        assert scene.pixels[0, :, 32, 21].tolist() == [50, 50, 200]
        assert scene.pixels[0, :, 28, 18].tolist() == [200, 50, 50]
        assert scene.objects.tolist() == [[1, 2]]
        assert scene.shown[0].tolist() == pytest.approx([1 - 5 * 7 / 81, 1.0])


def test_a_shadow_falls_on_what_stands_behind() -> None:
    added, centres = made((1, RED), (2, BLUE)), torch.tensor([[[30.0, 27.0], [31.0, 20.0]]])
    scene = painted(BARE[:1], added, torch.tensor([[0, 1]]), centres)
    assert scene.pixels[0, :, 30, 26].tolist() == [190, 40, 40]


def test_what_is_nothing_has_no_label_but_hides() -> None:
    added, centres = made((1, RED), (NOTHING, BLUE)), torch.tensor([[[30.0, 20.0], [34.0, 20.0]]])
    scene = painted(BARE[:1], added, torch.tensor([[0, 1]]), centres)
    assert scene.objects.tolist() == [[1, -1]]
    assert scene.shown[0, 0] < 0.5


def test_an_object_half_outside_the_picture_is_half_seen() -> None:
    scene = painted(BARE[:1], made((1, RED)), torch.tensor([[0]]), torch.tensor([[[30.0, 0.0]]]))
    assert scene.shown.item() == pytest.approx(5 / 9)


def test_a_coloured_object_leaves_its_shadow_behind_and_a_gray_one_has_no_hole() -> None:
    added = torch.zeros(2, 3, SIDE, SIDE)
    added[0, 0, 9:18, 9:18], added[0, :, 9:18, 18:22] = 0.6, -0.3
    added[1, :, 9:18, 9:18], added[1, :, 12:15, 12:15], added[1, :, 2:4, 2:4] = -0.3, 0.0, 0.6
    coloured, gray = outlines(added, torch.tensor([COLOURS.index("red"), COLOURS.index("gray")]))
    square = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    square[9:18, 9:18] = True
    assert torch.equal(coloured, square)
    assert torch.equal(gray, square)  # the hole is filled, what stands apart is not of it


def test_a_gray_object_with_a_shadow_in_its_mask_is_told_by_its_size() -> None:
    added = made(*[(index, RED) for index in (0, 0, 1, 2, 3)])
    added.rows[:] = torch.tensor([20.0, 20.0, 20.0, 25.0, 30.0])
    added.masks[0, REACH, REACH + 5 : REACH + 13] = added.masks[0, REACH + 1, REACH + 5 : REACH + 13] = True
    added.masks[2, REACH, REACH + 5] = True
    assert shadowed(added).tolist() == [True, False, False, False, False]


def test_filled_closes_holes_alone() -> None:
    mask = torch.zeros(1, 9, 9, dtype=torch.bool)
    mask[0, 2:7, 2:7] = True
    mask[0, 4, 4] = False
    solid = mask.clone()
    solid[0, 4, 4] = True
    assert torch.equal(filled(mask), solid)


def test_spots_lie_on_the_ground_apart() -> None:
    numbers = torch.arange(200) % (MOST + 1)
    found = spots(numbers, 9.0, torch.Generator().manual_seed(0), middle=1 / 3)
    there = ~found[..., 0].isnan()
    assert (there.sum(dim=1) <= numbers).all()
    assert (there.sum(dim=1) == numbers).float().mean() > 0.9
    assert on_ground(found[there]).all()
    apart = (found.unsqueeze(1) - found.unsqueeze(2)).norm(dim=3) + 99 * torch.eye(MOST)
    assert apart.nan_to_num(nan=99).min() >= 9
    around = (found[there][:, 1] - 31).abs() <= 12
    assert 0.4 < around.float().mean() < 0.8


def test_a_share_of_the_scenes_has_an_object_beside_the_middle_in_all_directions() -> None:
    numbers = torch.arange(800) % MOST + 1
    found = scattered(numbers, 9.0, torch.Generator().manual_seed(0), beside=0.5)
    away = found[:, 0] - torch.tensor(MIDDLE)
    far = away.norm(dim=1)
    near = (far >= RING[0] - 0.8) & (far <= RING[1] + 0.8)  # places are whole pixels
    usual = (scattered(numbers, 9.0, torch.Generator().manual_seed(0))[:, 0] - torch.tensor(MIDDLE)).norm(dim=1)
    assert near.float().mean() > (usual <= RING[1]).float().mean() + 0.25
    assert (far[near] < 5).float().mean() > (usual[usual <= RING[1]] < 5).float().mean() + 0.05, "evenly by distance"
    assert away[near].mean(dim=0).abs().max() < 1
    assert (found[:, 0].unsqueeze(1) - found[:, 1:]).norm(dim=2).nan_to_num(nan=99).min() >= 9


def test_donors_are_of_the_class_and_of_the_row() -> None:
    kinds = [(index, RED) for index in (1, 1, 2)]
    added = made(*kinds)
    added.rows[:] = torch.tensor([20.0, 30.0, 30.0])
    found = donors(added, torch.tensor([1, 1, 2, 2, 5]), torch.tensor([21.0, 31.0, 29.0, 40.0, 30.0]))
    assert found.tolist() == [0, 1, 2, -1, -1]


def test_additions_are_what_a_picture_shows_more_than_the_one_before(given: Material) -> None:
    pictures, added = squares(), given.added
    assert len(added.rows) == len(pictures)  # all squares stand alone
    for index in range(len(pictures)):
        channel = int(added.objects[index]) % 3
        assert added.levels[index, channel, REACH, REACH] > 100
        assert added.masks[index].sum() == 81
    assert (added.rows[::3] == 27).all()


def test_composed_scenes_tell_what_they_show_and_are_the_seeds_own(given: Material) -> None:
    scenes, layout = compose(given, 200, seed=1)
    again, _ = compose(given, 200, seed=1)
    other, _ = compose(given, 200, seed=2)
    assert torch.equal(scenes.pixels, again.pixels)
    assert not torch.equal(scenes.pixels[: len(other)], other.pixels[: len(scenes)])
    assert torch.equal(layout.ticked(), scenes.labels)
    assert scenes.labels.sum(dim=1).eq((layout.objects >= 0).sum(dim=1)).all()  # none twice
    assert len(scenes) > 100
    for picture, slot in (layout.objects >= 0).nonzero()[::5].tolist():
        row, column = layout.centres[picture, slot].long().tolist()
        channel = int(layout.objects[picture, slot]) % 3
        near = scenes.pixels[picture, channel, max(0, row - 4) : row + 5, max(0, column - 4) : column + 5]
        assert near.amax() > 200


def test_objects_stand_where_they_are_asked_for(given: Material) -> None:
    first, second = given.added.objects[:2].tolist()
    rows = {index: float(row) for index, row in zip(given.added.objects.tolist(), given.added.rows, strict=True)}
    there = {first: (rows[first], 12.4), second: (rows[second], 50.0)}
    nobody = {first: (rows[first], 12.0), second: (rows[second] + 2 * ROW_SHIFT + 20, 50.0)}
    pixels, whole = at_places(given, [there, nobody, {}])
    assert whole.tolist() == [True, False, True]
    empty = given.grounds.float().mean(dim=0)
    for index, (row, column) in there.items():
        assert (pixels[0, index % 3, round(row), round(column)] - empty[index % 3, round(row), round(column)]) > 50
    assert pixels[2].tolist() in given.grounds.tolist()


def test_real_scenes_are_composed(real_data: Path) -> None:
    held_out = load_pictures(real_data).split()[1]
    given = material(held_out)
    scenes, layout = compose(given, 400, seed=0)
    assert len(scenes) > 350
    assert set((layout.objects >= 0).sum(dim=1).tolist()) == set(range(1, MOST + 1))
    saturated = (scenes.pixels.float().amax(dim=1) - scenes.pixels.float().amin(dim=1)) > 40
    coloured = (layout.objects >= 0) & (layout.objects % len(COLOURS) != COLOURS.index("gray"))
    rows, columns = (part.long().clamp(0, 63) for part in layout.centres.unbind(dim=2))
    picture = torch.arange(len(scenes)).unsqueeze(1).expand_as(rows)
    assert saturated[picture, rows, columns][coloured].float().mean() > 0.9
