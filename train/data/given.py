"""What the planners learn from, those that place objects around given places included.

    layouts, real = planners_layouts(pictures, given=True)
    given = some_given(batch.layout.objects, batch.pictures >= real)

Where nothing is given a planner has to draw the data's own distribution, so that only real layouts are shown so. Where
something is given, it may stand where no real object does: then real layouts without their middle object are shown,
too, and scattered ones. They are few, so that wherever real objects do stand, what is drawn around a given one is what
real layouts have there.
"""

from __future__ import annotations

import torch

from clevr_demo.objects import OBJECTS
from train.data.iclevr import Pictures
from train.data.layout import MOST, Layout, find_layout, joined, teaching_layouts
from train.data.lifting import true_layout
from train.data.scenes import scattered

NOTHING_GIVEN = 0.5  # share of the examples
UNREAL, WITHOUT_MIDDLE = 0.1, 0.2  # share of them, and share of those
APART = 9.0  # pixels between two objects of scattered layouts, at least: hardly any real ones stand nearer


def planners_layouts(pictures: Pictures, given: bool, seed: int = 0) -> tuple[Layout, int]:
    """The layouts, and how many of them, the first, are real. With places to be given, others follow, and the middle
    objects of all stand where they truly do."""
    if not given:
        layouts = teaching_layouts(find_layout(pictures))
        return layouts, len(layouts)
    real = teaching_layouts(true_layout(pictures))
    number, generator = round(len(real) * UNREAL / (1 - UNREAL)), torch.Generator().manual_seed(seed)
    few = round(number * WITHOUT_MIDDLE)
    unreal = (without_middle(real, few, generator), scattered_layouts(number - few, generator))
    return joined(real, *unreal), len(real)


def without_middle(real: Layout, number: int, generator: torch.Generator) -> Layout:
    """Layouts of three objects or more without their first one."""
    several = (real.objects[:, 2] >= 0).nonzero().flatten()
    chosen = several[torch.randint(len(several), (number,), generator=generator)]
    return Layout(real.centres[chosen, 1:], real.objects[chosen, 1:])


def scattered_layouts(number: int, generator: torch.Generator) -> Layout:
    """Layouts of two to five objects anywhere on the ground."""
    centres = scattered(torch.randint(2, MOST + 1, (number,), generator=generator), APART, generator)[:, :MOST]
    objects = torch.rand(number, len(OBJECTS), generator=generator).argsort(dim=1)[:, :MOST]
    return Layout(centres.nan_to_num(), objects.masked_fill(centres[..., 0].isnan(), -1))


def some_given(objects: torch.Tensor, unreal: torch.Tensor) -> torch.Tensor:
    """(N, K) whose places are given, of objects (N, K) in random order, absent ones last: in layouts that are unreal
    (N,) and in some of the others from one to all but one."""
    counts = (objects >= 0).sum(dim=1)
    some = unreal | (torch.rand(len(objects), device=objects.device) > NOTHING_GIVEN / (1 - UNREAL))
    number = 1 + (torch.rand(len(objects), device=objects.device) * (counts - 1)).long()
    number = torch.minimum(number * some, counts - 1)  # of a single object none
    return torch.arange(objects.shape[1], device=objects.device) < number.unsqueeze(1)
