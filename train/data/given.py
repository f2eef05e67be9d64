"""What the planners learn from, those that place objects around given places included.

    layouts, real = planners_layouts(pictures, given=True)
    found, given = some_given(batch.layout, batch.pictures >= real)

Where nothing is given a planner has to draw the data's own distribution, so that only real layouts are shown so. A
given place may lie where no real object stands: for that there are real layouts in which one object was moved anywhere
on the ground, and its place is always given.
"""

from __future__ import annotations

import torch

from train.data.iclevr import Pictures
from train.data.layout import Layout, find_layout, joined, teaching_layouts
from train.data.lifting import true_layout
from train.data.scenes import spots

NOTHING_GIVEN, MOVED = 0.5, 0.15  # shares of the examples
APART = 9.0  # pixels that a moved object keeps from others, at least; hardly any real ones stand nearer


def planners_layouts(pictures: Pictures, given: bool, seed: int = 0) -> tuple[Layout, int]:
    """The layouts, and how many of them, the first, are real. With places to be given, ones with a moved object follow,
    and the middle objects stand where they truly do."""
    if not given:
        layouts = teaching_layouts(find_layout(pictures))
        return layouts, len(layouts)
    real = teaching_layouts(true_layout(pictures))
    number = round(len(real) * MOVED / (1 - MOVED))
    return joined(real, with_one_moved(real, number, torch.Generator().manual_seed(seed))), len(real)


def with_one_moved(real: Layout, number: int, generator: torch.Generator) -> Layout:
    """At most `number` layouts of several objects, one of them moved anywhere on the ground, which comes first: the one
    in whose way it is, or, where that is none, any but the one in the middle."""
    several = (real.objects[:, 1] >= 0).nonzero().flatten()
    found = real.take(several[torch.randint(len(several), (2 * number,), generator=generator)])
    every, absent = torch.arange(len(found)), found.objects < 0
    place = spots(torch.ones_like(every), 0.0, generator)[:, 0]
    away = (found.centres - place.unsqueeze(1)).norm(dim=2).masked_fill(absent, torch.inf)
    outer = 1 + (torch.rand(len(found), generator=generator) * ((~absent).sum(dim=1) - 1)).long()
    nearest, slot = away.min(dim=1)
    slot = torch.where(nearest < APART, slot, outer)
    centres, keys = found.centres.clone(), torch.rand(absent.shape, generator=generator) + absent
    centres[every, slot], keys[every, slot], away[every, slot] = place, -1.0, torch.inf
    order = keys.argsort(dim=1)
    moved = Layout(centres.gather(1, order.unsqueeze(2).expand_as(centres)), found.objects.gather(1, order))
    return moved.take((away.amin(dim=1) >= APART).nonzero().flatten()[:number])


def some_given(layout: Layout, moved: torch.Tensor) -> tuple[Layout, torch.Tensor]:
    """(the layout with its objects in random order, (N, K) whose places are given): from one to all but one of the
    objects, the first one above all where it was `moved` (N,); in most of the other layouts none."""
    turned, keep = layout.shuffled(), moved.unsqueeze(1)
    objects = torch.where(keep, layout.objects, turned.objects)
    centres = torch.where(keep.unsqueeze(2), layout.centres, turned.centres)
    chance, share = torch.rand(2, len(objects), device=objects.device)
    counts = (objects >= 0).sum(dim=1)
    number = (1 + (share * (counts - 1)).long()) * (moved | (chance > NOTHING_GIVEN / (1 - MOVED)))
    number = torch.minimum(number, counts - 1)  # of a single object none
    given = torch.arange(objects.shape[1], device=objects.device) < number.unsqueeze(1)
    return Layout(centres, objects), given
