"""Where each object of a training picture stands, found by comparing it with the same scene's earlier pictures.

i-CLEVR names the objects of a picture but not their places. Every scene, though, comes as a first picture with one
object, in the middle, and pictures with one more object each: what changed is the new object. The places are what
the first stage of both models learns ("where"), and what the second stage is given ("what").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F

from clevr_demo.objects import MAX_TRAINED, OBJECTS
from train.data.iclevr import Pictures, background, predecessors, to_unit
from train.data.masks import differing
from train.data.rows import Rows

MIDDLE = (slice(14, 44), slice(20, 44))  # rows and columns within which every scene's first object stands
THRESHOLD = 0.12
MOST = 5  # objects of a layout that training makes up out of two scenes
TOO_NEAR = 0.05  # quantile of the nearest pairs in training pictures that no made-up layout falls below


@dataclass(frozen=True)
class Layout(Rows):
    """`centres` (N, K, 2) row and column in pixels, `objects` (N, K) index or -1, in the order they were added."""

    centres: torch.Tensor
    objects: torch.Tensor

    @classmethod
    def of(cls, rows: Sequence[Sequence[tuple[int, float, float]]]) -> Self:
        """From each picture's objects: index, row and column."""
        shape = len(rows), max((len(row) for row in rows), default=0)
        objects, centres = torch.full(shape, -1), torch.zeros(*shape, 2)
        for number, row in enumerate(rows):
            for slot, (index, *centre) in enumerate(row):
                objects[number, slot], centres[number, slot] = index, torch.tensor(centre)
        return cls(centres, objects)

    def by_object(self) -> torch.Tensor:
        """(N, 24, 2) centres by the objects' indices, zero for absent ones."""
        centres = self.centres.new_zeros(len(self.objects), len(OBJECTS) + 1, 2)
        slots = self.objects.where(self.objects >= 0, len(OBJECTS)).unsqueeze(2).expand(-1, -1, 2)
        return centres.scatter(1, slots, self.centres)[:, :-1]

    def ticked(self) -> torch.Tensor:
        """(N, 24) multi-hot labels."""
        planes = F.one_hot(self.objects + 1, len(OBJECTS) + 1)
        return planes.amax(dim=1)[:, 1:].to(self.centres.dtype)

    def jittered(self) -> Layout:
        """The same with each centre moved anywhere within its pixel: they were found at whole pixels."""
        return Layout(self.centres + torch.rand_like(self.centres) - 0.5, self.objects)

    def shuffled(self) -> Layout:
        """The same with the objects of each picture in random order, absent ones last."""
        keys = torch.rand(self.objects.shape, device=self.objects.device) + (self.objects < 0)
        order = keys.argsort(dim=1)
        centres = self.centres.gather(1, order.unsqueeze(2).expand(-1, -1, 2))
        return Layout(centres, self.objects.gather(1, order))

    def nearest(self) -> torch.Tensor:
        """(N,) distance in pixels between the two objects of each picture that stand nearest; inf for one object."""
        between = (self.centres.unsqueeze(1) - self.centres.unsqueeze(2)).norm(dim=-1)
        present = self.objects >= 0
        apart = present.unsqueeze(1) & present.unsqueeze(2) & ~torch.eye(present.shape[1], dtype=torch.bool)
        return between.masked_fill(~apart, torch.inf).flatten(1).amin(dim=1)


def changes(pictures: Pictures, before: torch.Tensor, empty: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """(n, H, W) true where a picture differs from its predecessor; for a first picture, from the empty scene."""
    first = (before[chosen] < 0).view(-1, 1, 1)
    without = torch.where(first.unsqueeze(1), empty, to_unit(pictures.pixels[before[chosen].clamp(min=0)]))
    differs = differing(to_unit(pictures.pixels[chosen]), without, THRESHOLD)
    middle = torch.zeros_like(differs[0])
    middle[MIDDLE] = True  # elsewhere the light differs from scene to scene
    return differs & (middle | ~first)


def median_place(mask: torch.Tensor) -> torch.Tensor:
    """(n, 2) median row and column of masks (n, H, W), which stray pixels hardly move; the middle for an empty one."""
    places = []
    for axis in (2, 1):
        counts = mask.float().sum(dim=axis).cumsum(dim=1)
        places.append((counts < counts[:, -1:] / 2).sum(dim=1).float())
    empty = ~mask.flatten(1).any(dim=1, keepdim=True)
    return torch.where(empty, torch.tensor([26.0, 31.0]), torch.stack(places, dim=1))


def find_layout(pictures: Pictures, batch: int = 1024) -> Layout:
    """Places of all objects of all pictures, on the CPU."""
    before, empty = predecessors(pictures), background(pictures)
    parts = torch.arange(len(pictures)).split(batch)
    added = torch.cat([median_place(changes(pictures, before, empty, part)) for part in parts])
    centres, objects = torch.zeros(len(pictures), MAX_TRAINED, 2), torch.full((len(pictures), MAX_TRAINED), -1)
    for index, previous in enumerate(before.tolist()):
        label = pictures.labels[index]
        if previous >= 0:
            centres[index], objects[index] = centres[previous], objects[previous]
            label = (label - pictures.labels[previous]).clamp(min=0)
        slot = int((objects[index] >= 0).sum())
        centres[index, slot], objects[index, slot] = added[index], label.argmax()
    return Layout(centres, objects)


def whole_scenes(found: Layout) -> Layout:
    """The layouts of pictures with three objects, which hold those of their scene's other pictures."""
    return found.take((found.objects >= 0).all(dim=1))


def subsets(scenes: Layout) -> Layout:
    """Pairs that the data does not show: each scene's middle object with the one that was added last."""
    objects, centres = scenes.objects.clone(), scenes.centres.clone()
    objects[:, 1], centres[:, 1] = scenes.objects[:, 2], scenes.centres[:, 2]
    objects[:, 2], centres[:, 2] = -1, 0
    return Layout(centres, objects)


def supersets(scenes: Layout, number: int, generator: torch.Generator) -> Layout:
    """About `number` layouts of four and as many of five objects: a scene and objects that another scene has around
    its middle, where none stands nearer to another than hardly any pair of the training pictures does. The objects'
    names are drawn anew, as i-CLEVR draws them: each from all 24, none twice."""
    least = scenes.nearest().quantile(TOO_NEAR)
    found = []
    for extra in (1, MOST - MAX_TRAINED):
        tries = 4 * number
        one, other = torch.randint(len(scenes), (2, tries), generator=generator)
        centres = torch.zeros(tries, MOST, 2)
        centres[:, :MAX_TRAINED] = scenes.centres[one]
        centres[:, MAX_TRAINED : MAX_TRAINED + extra] = scenes.centres[other, 1 : 1 + extra]
        objects = torch.rand(tries, len(OBJECTS), generator=generator).argsort(dim=1)[:, :MOST]
        objects[:, MAX_TRAINED + extra :] = -1
        made = Layout(centres, objects)
        found.append(made.take((made.nearest() >= least).nonzero().flatten()[:number]))
    return joined(*found)


def joined(*layouts: Layout) -> Layout:
    """All pictures of several layouts, with as many places for objects as the widest has."""
    return Layout.together(layouts, centres=0, objects=-1)


def teaching_layouts(found: Layout, seed: int = 0) -> Layout:
    """What the first stage learns from, out of the pictures' layout: every scene's layouts, more of those with more
    objects, as many pairs that are subsets of scenes, and made-up layouts of four and five objects, a sixth each."""
    counts = (found.objects >= 0).sum(dim=1)
    scenes = whole_scenes(found)
    single = found.take((counts == 1).nonzero().flatten()[::4])
    pairs = found.take(counts == 2)
    more = supersets(scenes, len(scenes), torch.Generator().manual_seed(seed))
    return joined(single, pairs, subsets(scenes), scenes, scenes, scenes, more)
