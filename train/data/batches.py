"""What a training step is given: a `Batch`, and the sets of training examples that batches are taken from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch

from train.data.iclevr import Pictures, to_unit
from train.data.layout import Layout


@dataclass(frozen=True)
class Batch:
    """`pixels` (B, 3, 64, 64) in [-1, 1] and `labels` (B, 24) multi-hot of training pictures, with `layout`, where
    their objects stand, `pictures` (B,), their numbers, and `slots` (B,), which object each example is about; what a
    task has no use for is empty."""

    pixels: torch.Tensor
    labels: torch.Tensor
    layout: Layout
    pictures: torch.Tensor
    slots: torch.Tensor

    def take(self, chosen: slice) -> Batch:
        """Some of the examples."""
        parts = (part[chosen] for part in (self.pixels, self.labels, self.pictures, self.slots))
        pixels, labels, pictures, slots = parts
        return Batch(pixels, labels, self.layout.take(chosen), pictures, slots)


class Examples(Protocol):
    """Training examples by number."""

    def __len__(self) -> int: ...

    def to(self, device: torch.device) -> Examples: ...

    def batch(self, chosen: torch.Tensor) -> Batch: ...

    def contents(self) -> tuple[Any, ...]:
        """Everything that decides the batches, to tell other data by."""
        ...


NOWHERE = Layout(torch.zeros(0, 1, 2), torch.zeros(0, 1, dtype=torch.long))


class PictureExamples:
    """Pictures, with their layout where one is given. An example is a picture, or, with `items` (pictures and slots,
    each (M,)), one object of one."""

    def __init__(
        self,
        pictures: Pictures,
        layout: Layout | None = None,
        items: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> None:
        self.pictures, self.layout, self.items = pictures, layout, items

    def __len__(self) -> int:
        return len(self.pictures if self.items is None else self.items[0])

    def contents(self) -> tuple[Any, ...]:
        where = () if self.layout is None else (self.layout.centres, self.layout.objects)
        return self.pictures.pixels, self.pictures.labels, self.pictures.scenes, where, self.items or ()

    def to(self, device: torch.device) -> PictureExamples:
        layout = None if self.layout is None else self.layout.to(device)
        items = None if self.items is None else (self.items[0].to(device), self.items[1].to(device))
        return PictureExamples(self.pictures.to(device), layout, items)

    def batch(self, chosen: torch.Tensor) -> Batch:
        slots = torch.zeros_like(chosen)
        if self.items is not None:
            chosen, slots = self.items[0][chosen], self.items[1][chosen]
        pixels = to_unit(self.pictures.pixels[chosen]).contiguous(memory_format=torch.channels_last)
        layout = NOWHERE if self.layout is None else self.layout.take(chosen)
        return Batch(pixels, self.pictures.labels[chosen], layout, chosen, slots)


class LayoutExamples:
    """Layouts alone."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def __len__(self) -> int:
        return len(self.layout)

    def contents(self) -> tuple[Any, ...]:
        return self.layout.centres, self.layout.objects

    def to(self, device: torch.device) -> LayoutExamples:
        return LayoutExamples(self.layout.to(device))

    def batch(self, chosen: torch.Tensor) -> Batch:
        layout = self.layout.take(chosen)
        return Batch(torch.empty(0), torch.empty(0), layout, chosen, torch.zeros_like(chosen))
