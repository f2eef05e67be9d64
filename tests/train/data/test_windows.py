"""Windows around objects, and Muon."""

from __future__ import annotations

import torch
from torch import nn

from train.data.layout import Layout
from train.data.windows import SHIFT, cut, origins, window_items
from train.learning.muon import Muon, orthogonalised, split_parameters


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


def test_muons_update_is_orthogonal() -> None:
    torch.manual_seed(0)
    for shape in ((16, 64), (64, 16)):
        values = torch.linalg.svdvals(orthogonalised(torch.randn(shape)))
        assert values.min() > 0.6
        assert values.max() < 1.3


def test_muon_treats_matrices_of_one_shape_one_by_one() -> None:
    torch.manual_seed(0)
    several = torch.randn(3, 16, 64)
    alone = torch.stack([orthogonalised(matrix) for matrix in several])
    assert torch.allclose(orthogonalised(several), alone, atol=0.02)  # bf16 rounds a batch otherwise


def test_muon_descends_by_the_size_of_its_rate() -> None:
    weight = nn.Parameter(torch.randn(64, 32, 3, 3))
    before = weight.detach().clone()
    weight.grad = torch.randn_like(weight)
    Muon([weight], lr=0.01).step()
    moved = weight.detach() - before
    assert (moved * weight.grad).sum() < 0
    assert abs(float(moved.square().mean().sqrt()) / (0.01 * 0.2) - 1) < 0.3


def test_every_parameter_has_one_optimizer() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unet = nn.ModuleDict({"first": nn.Conv2d(32, 64, 3), "inner": nn.Conv2d(64, 64, 3)})

    network = Network()
    muon, rest = split_parameters(network)
    assert [id(p) for p in muon] == [id(network.unet["inner"].weight)]
    assert len(muon) + len(rest) == len(list(network.parameters()))
