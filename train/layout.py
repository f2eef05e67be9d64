"""Where each object of a training picture stands, found by comparing it with the same scene's earlier pictures.

i-CLEVR names the objects of a picture but not their places. Every scene, though, comes as a first picture with one
object, in the middle, and pictures with one more object each: what changed is the new object. The places become
attribute maps, a soft spot on the planes of its colour and its shape for each object, that the DDPM denoises together
with the pixels, as joint image-feature diffusion does (Kouzelis et al. 2025, arXiv:2504.16064).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from clevr_demo.objects import MAX_TRAINED, OBJECTS
from clevr_demo.places import Places, attribute_maps
from train.data import Pictures, background, predecessors, to_unit

MIDDLE = (slice(14, 44), slice(20, 44))  # rows and columns within which every scene's first object stands
THRESHOLD = 0.12


@dataclass(frozen=True)
class Layout:
    """`centres` (N, 3, 2) row and column in pixels, `objects` (N, 3) index or -1, in the order they were added."""

    centres: torch.Tensor
    objects: torch.Tensor

    def to(self, device: torch.device) -> Layout:
        return Layout(self.centres.to(device), self.objects.to(device))

    def take(self, chosen: torch.Tensor) -> Layout:
        return Layout(self.centres[chosen], self.objects[chosen])

    def by_object(self) -> torch.Tensor:
        """(N, 24, 2) centres by the objects' indices, zero for absent ones."""
        centres = self.centres.new_zeros(len(self.objects), len(OBJECTS) + 1, 2)
        slots = self.objects.where(self.objects >= 0, len(OBJECTS)).unsqueeze(2).expand(-1, -1, 2)
        return centres.scatter(1, slots, self.centres)[:, :-1]

    def ticked(self) -> torch.Tensor:
        """(N, 24) multi-hot labels."""
        planes = torch.nn.functional.one_hot(self.objects + 1, len(OBJECTS) + 1)
        return planes.amax(dim=1)[:, 1:].to(self.centres.dtype)

    def maps(self, side: int) -> torch.Tensor:
        """(N, 11, side, side) attribute maps in [-1, 1]."""
        return attribute_maps(self.by_object(), self.ticked(), side)

    def fit(self, places: Places) -> None:
        """Sets the tables of places from all pictures that show three objects."""
        full = self.centres[(self.objects >= 0).all(dim=1)]
        places.fit(full[:, 0], full[:, 1:])


def changes(pictures: Pictures, before: torch.Tensor, empty: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """(n, H, W) true where a picture differs from its predecessor; for a first picture, from the empty scene."""
    first = (before[chosen] < 0).view(-1, 1, 1)
    without = torch.where(first.unsqueeze(1), empty, to_unit(pictures.pixels[before[chosen].clamp(min=0)]))
    differs = (to_unit(pictures.pixels[chosen]) - without).abs().amax(dim=1) > THRESHOLD
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


def layout(pictures: Pictures, batch: int = 1024) -> Layout:
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
