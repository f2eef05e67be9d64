"""What the sets of pictures, layouts and objects have in common: tensors with an entry each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Rows:
    """Tensors of as many entries each, or such sets of them."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def each(self, change: Callable[[Any], Any]) -> Self:
        """The set with all of its tensors changed."""
        parts = (getattr(self, field.name) for field in fields(self))
        return type(self)(*(part.each(change) if isinstance(part, Rows) else change(part) for part in parts))

    def take(self, chosen: torch.Tensor | slice) -> Self:
        """The entries at these indices or under this mask."""
        return self.each(lambda part: part[chosen])

    def to(self, device: torch.device) -> Self:
        return self.each(lambda part: part.to(device))

    @classmethod
    def together(cls, several: Sequence[Self], **fill: float) -> Self:
        """All entries of several sets; the tensors that `fill` names are filled up to the widest one's places."""

        def whole(name: str) -> torch.Tensor:
            parts = [getattr(one, name) for one in several]
            if name in fill:
                most = max(part.shape[1] for part in parts)
                more = [[0, 0] * (part.dim() - 2) + [0, most - part.shape[1]] for part in parts]
                parts = [F.pad(part, how, value=fill[name]) for part, how in zip(parts, more, strict=True)]
            return torch.cat(parts)

        return cls(*(whole(field.name) for field in fields(cls)))
