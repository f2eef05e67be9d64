"""What a training step is given: a `Batch`, and the sets of training examples that batches are taken from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from train.data.iclevr import Pictures, to_unit
from train.data.layout import Layout
from train.data.rows import Rows


@dataclass(frozen=True)
class Batch(Rows):
    """`pixels` (B, 3, 64, 64) in [-1, 1] and `labels` (B, 24) multi-hot of training pictures, with `layout`, where
    their objects stand, `pictures` (B,), their numbers, and `slots` (B,), which object each example is about; what a
    task has no use for is empty."""

    pixels: torch.Tensor
    labels: torch.Tensor
    layout: Layout
    pictures: torch.Tensor
    slots: torch.Tensor


NOWHERE = Layout(torch.zeros(0, 1, 2), torch.zeros(0, 1, dtype=torch.long))


class Examples:
    """Training examples by number: pictures, with their layout where one is given, or layouts alone. An example is one
    of these, or, with `items` (pictures and slots, each (M,)), one object of one."""

    def __init__(
        self,
        pictures: Pictures | None,
        layout: Layout | None = None,
        items: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> None:
        self.pictures, self.layout, self.items = pictures, layout, items

    def __len__(self) -> int:
        return len(self.pictures or self.layout or ()) if self.items is None else len(self.items[0])

    def contents(self) -> tuple[Any, ...]:
        """Everything that decides the batches, to tell other data by."""
        where = () if self.layout is None else (self.layout.centres, self.layout.objects)
        if self.pictures is None:
            return where
        return self.pictures.pixels, self.pictures.labels, self.pictures.scenes, where, self.items or ()

    def to(self, device: torch.device) -> Examples:
        items = self.items and (self.items[0].to(device), self.items[1].to(device))
        return Examples(self.pictures and self.pictures.to(device), self.layout and self.layout.to(device), items)

    def batch(self, chosen: torch.Tensor) -> Batch:
        """The examples of these numbers (B,)."""
        slots = torch.zeros_like(chosen)
        if self.items is not None:
            chosen, slots = self.items[0][chosen], self.items[1][chosen]
        pixels = labels = torch.empty(0)
        if self.pictures is not None:
            pixels = to_unit(self.pictures.pixels[chosen]).contiguous(memory_format=torch.channels_last)
            labels = self.pictures.labels[chosen]
        layout = NOWHERE if self.layout is None else self.layout.take(chosen)
        return Batch(pixels, labels, layout, chosen, slots)
