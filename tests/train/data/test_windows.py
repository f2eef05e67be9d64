"""Windows around objects."""

from __future__ import annotations

import torch

from train.data.layout import Layout
from train.data.windows import SHIFT, cut, origins, window_items


def found(number: int = 400) -> Layout:
    centres = torch.tensor([[27.0, 31.0], [12.0, 50.0], [45.0, 5.0]]).expand(number, 3, 2).clone()
    return Layout(centres, torch.tensor([1, 2, 3]).expand(number, 3).clone())


def test_the_object_in_the_middle_takes_a_quarter_of_an_epochs_windows() -> None:
    objects = torch.tensor([[1, -1, -1], [1, 2, -1], [1, 2, 3]])
    pictures, slots = window_items(Layout(torch.zeros(3, 3, 2), objects))
    assert (slots == 0).float().mean() == 0.25
    assert all(objects[picture, slot] >= 0 for picture, slot in zip(pictures, slots, strict=True))


def test_windows_hold_their_object_begin_at_even_pixels_and_stay_inside() -> None:
    torch.manual_seed(0)
    slots = torch.arange(400) % 3
    begin = origins(found(), slots, 32)
    assert (begin % 2 == 0).all()
    assert begin.min() >= 0
    assert begin.max() <= 32
    off = found().centres[torch.arange(400), slots] - begin
    inside = ((off >= 0) & (off < 32)).all(dim=1)
    assert inside.float().mean() > 0.85  # the others are put anywhere
    near_middle = (off[slots == 0] - 16).abs().amax(dim=1) <= 32 * SHIFT + 1
    assert near_middle.float().mean() > 0.8
    assert len(begin.unique(dim=0)) > 50


def test_a_cut_is_the_part_that_it_says() -> None:
    planes, origin = torch.randn(2, 5, 64, 64), torch.tensor([[0, 32], [10, 4]])
    windows = cut(planes, origin, 32)
    assert torch.equal(windows[0], planes[0, :, :32, 32:])
    assert torch.equal(windows[1], planes[1, :, 10:42, 4:36])
    assert torch.equal(cut(planes, origin, 32, torch.tensor([1, 1]))[0], planes[1, :, :32, 32:])
