"""Muon: orthogonal updates, and which parameters it takes."""

from __future__ import annotations

import torch
from torch import nn

from train.learning.muon import Muon, orthogonalised, split_parameters


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
