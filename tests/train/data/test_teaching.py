"""What the painters learn from: real pictures above all, and a window for each gap and each object beside them."""

from __future__ import annotations

import torch

from tests.train.made import squares
from train.data.teaching import GAP, anywhere, as_they_are
from train.data.windows import cut, origins

SIDE = 32


def test_windows_show_the_object_or_the_gap_that_they_are_for() -> None:
    pictures = squares()
    taught = anywhere(pictures, composed=40)
    chosen, slots = taught.items
    assert torch.equal(taught.layout.ticked(), taught.pictures.labels)
    gaps = slots == GAP
    assert (taught.layout.objects[chosen[~gaps], slots[~gaps]] >= 0).all()
    assert not taught.pictures.labels[chosen[gaps]].any(dim=1).all()
    assert len(chosen[gaps].unique()) == int(gaps.sum())
    assert (chosen[gaps] >= len(pictures)).all()
    torch.manual_seed(0)
    windows = origins(taught.layout.take(chosen[gaps]), slots[gaps], SIDE)
    bare = cut(taught.pictures.pixels[chosen[gaps]].float(), windows, SIDE)
    assert (windows - torch.tensor([28 - 16, 31 - 16])).abs().float().median() <= 4
    assert bare.flatten(1).median() < 150


def test_real_pictures_keep_their_windows() -> None:
    pictures = squares()
    alone, taught = as_they_are(pictures), anywhere(pictures, composed=40)
    real = taught.items[0] < len(pictures)
    assert torch.equal(taught.items[0][real], alone.items[0])
    assert torch.equal(taught.items[1][real], alone.items[1])
    assert torch.equal(taught.pictures.pixels[: len(pictures)], pictures.pixels)
