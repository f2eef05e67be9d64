"""What both painters learn from: real pictures, real ones without their middle object, and composed scenes.

    taught = anywhere(pictures)
    taught.examples, taught.layout, taught.empty

With real pictures alone a painter has never seen an empty middle and draws a ghost there; with lifted ones it has not
seen an object near it either, and draws those that are asked for around the middle in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from train.data.batches import Examples
from train.data.iclevr import Pictures, background
from train.data.layout import Layout, find_layout, joined
from train.data.lifting import COLUMNS, ROWS
from train.data.scenes import MOST, compose, material
from train.data.windows import window_items

COMPOSED = 12_000  # scenes: their windows are fewer than the real ones'
GAP = MOST  # the layout's slot, without an object, that tells where the middle was lifted off


@dataclass(frozen=True)
class Teaching:
    """`pictures` (N, ...) and their `layout` (N, K); `items`, pictures and slots, each (M,), one a window of an
    epoch; `empty` (3, 64, 64) in [-1, 1], the empty scene."""

    pictures: Pictures
    layout: Layout
    items: tuple[torch.Tensor, torch.Tensor]
    empty: torch.Tensor

    @property
    def examples(self) -> Examples:
        """The windows, by number."""
        return Examples(self.pictures, self.layout, self.items)


def as_they_are(pictures: Pictures) -> Teaching:
    """Real pictures alone, with an object in the middle of each: they do not show what is beneath, so that `empty` is
    their median, with a trace of it."""
    found = find_layout(pictures)
    return Teaching(pictures, found, window_items(found), background(pictures))


def anywhere(pictures: Pictures, composed: int = COMPOSED, seed: int = 0, beside: float = 0.0) -> Teaching:
    """Real, lifted and composed pictures, in this order. Of their windows the real ones are the larger half; one shows
    each gap that a middle object left, the others' objects stand in as many as they do in real pictures. Of a share
    `beside` of the composed scenes one object stands beside the middle, where real pictures never have one."""
    given = material(pictures)
    places, lifted = given.places, given.lifted
    scenes, scenes_layout = compose(given, composed, seed, beside=beside)
    before_scenes = len(pictures) + len(lifted.pictures)
    both = joined(places, lifted.layout, scenes_layout)
    gap = torch.tensor([sum(ROWS) / 2, sum(COLUMNS) / 2]) - 0.5
    centres = torch.cat([both.centres, gap.expand(len(both), 1, 2)], dim=1)
    whole = Layout(centres, F.pad(both.objects, (0, 1), value=-1))
    gaps = torch.arange(len(pictures), before_scenes)
    left = [part.repeat_interleave(3) for part in (lifted.layout.objects >= 0).nonzero(as_tuple=True)]
    around = (scenes_layout.objects >= 0).nonzero(as_tuple=True)
    parts = [
        window_items(places),
        (gaps, torch.full_like(gaps, GAP)),
        (left[0] + len(pictures), left[1]),
        (around[0] + before_scenes, around[1]),
    ]
    items = (torch.cat([pair[0] for pair in parts]), torch.cat([pair[1] for pair in parts]))
    return Teaching(Pictures.together([pictures, lifted.pictures, scenes]), whole, items, lifted.empty)
