"""Pictures being put together: what each one added to its scene cut out of it, objects laid over pictures and taken
away, and whose object each pixel shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from clevr_demo.places import SIZE
from train.data.iclevr import Pictures, predecessors, to_unit
from train.data.layout import THRESHOLD, Layout, changes
from train.data.masks import differing, grown, lowest, soft
from train.data.rows import Rows
from train.data.windows import cut, window_index

WINDOW = 24  # pixels: the side of a cut-out, wide enough for all but the very nearest objects
SMALLEST, LARGEST = 30, 330  # pixels of a cut-out: smaller ones are noise of the renderings, larger ones are shadows
EDGE = 8  # pixels: an object whose centre is nearer to the picture's edge is not whole
SLOTS = 6  # objects a picture: three of its own, three pasted
OWN = 3
MARGIN = WINDOW // 2  # canvases are this much wider than pictures on every side, so that no window leaves them


@dataclass(frozen=True)
class CutOuts(Rows):
    """One entry a picture, in the pictures' order.

    `pixels` (N, 3, WINDOW, WINDOW) uint8 around the object's centre, `masks` (N, WINDOW, WINDOW) where it stands,
    `objects` (N,) its index, `whole` (N,) whether it stands free, so that all of it is seen.
    """

    pixels: torch.Tensor
    masks: torch.Tensor
    objects: torch.Tensor
    whole: torch.Tensor


def cut_outs(pictures: Pictures, layout: Layout, empty: torch.Tensor, batch: int = 1024) -> CutOuts:
    """Cuts out every object where its picture differs from the one before; holes are closed, stray pixels dropped."""
    before = predecessors(pictures)
    every = torch.arange(len(pictures))
    slots = (layout.objects >= 0).sum(dim=1) - 1
    centres, objects = layout.centres[every, slots].round().long(), layout.objects[every, slots]
    border = [WINDOW // 2] * 4
    parts = []
    for part in every.split(batch):
        closed = grown(grown(changes(pictures, before, empty, part), 2), -2)
        neighbours = F.avg_pool2d(closed.float().unsqueeze(1), 3, 1, 1).squeeze(1)
        solid = closed & (neighbours > 0.4)  # of its nine pixels at least four
        # What stood here before hides a part of the new object if they touch.
        previous = to_unit(pictures.pixels[before[part].clamp(min=0)])
        earlier = differing(previous, empty, 2 * THRESHOLD) & (before[part] >= 0).view(-1, 1, 1)
        planes = torch.stack([solid, grown(earlier)], dim=1).float()
        mask, others = cut(F.pad(planes, border), centres[part], WINDOW).bool().unbind(dim=1)
        colours = F.pad(pictures.pixels[part].float(), border, mode="replicate")
        pixels = cut(colours, centres[part], WINDOW).to(torch.uint8)
        size = mask.flatten(1).sum(dim=1)
        inside = ((centres[part] >= EDGE) & (centres[part] < SIZE - EDGE)).all(dim=1)
        free = ~(grown(mask) & others).flatten(1).any(dim=1)
        whole = free & inside & (size >= SMALLEST) & (size <= LARGEST)
        parts.append(CutOuts(pixels, mask, objects[part], whole))
    return CutOuts.together(parts)


class Canvas:
    """Pixels (n, 3, H, W) with a margin, `owner` (n, H, W) of each: the slot of the object that it shows, -1 for none.

    `objects` (n, SLOTS) are indices or -1, `centres` (n, SLOTS, 2) row and column in the pictures, `whole` (n, SLOTS)
    the pixels of each object if nothing hid it. Windows of WINDOW pixels around centres (b, 2), whole numbers, lie in
    the pictures `which` (b,).
    """

    def __init__(self, pixels: torch.Tensor) -> None:
        n = len(pixels)
        self.pixels = with_margin(pixels)
        self.owner = torch.full((n, SIZE + 2 * MARGIN, SIZE + 2 * MARGIN), -1)
        self.objects = torch.full((n, SLOTS), -1)
        self.centres = torch.zeros(n, SLOTS, 2)
        self.whole = torch.ones(n, SLOTS)

    def claim(self, which: torch.Tensor, slot: torch.Tensor, mask: torch.Tensor, centres: torch.Tensor) -> None:
        """Gives the pixels of masks (b, WINDOW, WINDOW) around centres to the pictures' slots (b,)."""
        window = window_index(centres, WINDOW, which)
        self.owner[window] = torch.where(mask, slot.view(-1, 1, 1), self.owner[window])

    def blend(
        self, which: torch.Tensor, pixels: torch.Tensor, opacity: torch.Tensor, centres: torch.Tensor
    ) -> torch.Tensor:
        """Lays pixels (b, 3, WINDOW, WINDOW) over the pictures; returns what is left of their opacity (b, WINDOW,
        WINDOW) behind what stands further down."""
        owned = self.owner[window_index(centres, WINDOW, which)] >= 0
        covered = owned & (opacity > 0.5).any(dim=1, keepdim=True)  # in the columns where both stand
        in_front = lowest(opacity > 0.5) >= lowest(covered)
        opacity = opacity * torch.where(in_front.view(-1, 1, 1), 1.0, 1.0 - grown(owned).float())
        under = cut(self.pixels, centres, WINDOW, which)
        self.put(which, under + opacity.unsqueeze(1) * (pixels - under), centres)
        return opacity

    def put(self, which: torch.Tensor, pixels: torch.Tensor, centres: torch.Tensor) -> None:
        """Puts pixels (b, 3, WINDOW, WINDOW) in place of what is there."""
        picture, rows, columns = window_index(centres, WINDOW, which)
        self.pixels[picture, :, rows, columns] = pixels.movedim(1, -1)

    def erase(self, which: torch.Tensor, slots: torch.Tensor, empty: torch.Tensor) -> None:
        """Takes objects away: the empty scene (3, H, W), in the light of the ground around them, shows instead."""
        centres = self.centres[which, slots].round().long()
        window = window_index(centres, WINDOW, which)
        owner, here = self.owner[window], cut(self.pixels, centres, WINDOW, which)
        mine = owner == slots.view(-1, 1, 1)
        ring = grown(mine, 4) & ~grown(mine, 2) & (owner < 0)
        ground = cut(empty[None], centres, WINDOW, torch.zeros_like(which))
        weight = ring.unsqueeze(1).float()
        light = ((here - ground) * weight).sum(dim=(2, 3), keepdim=True) / weight.sum(dim=(2, 3), keepdim=True).clamp(1)
        clear = soft(grown(mine, 2) & ~grown((owner >= 0) & ~mine)).unsqueeze(1)
        self.put(which, here + clear * (ground + light - here), centres)
        self.owner[window] = torch.where(mine, -1, owner)
        self.objects[which, slots] = -1

    def visible(self) -> torch.Tensor:
        """(n, SLOTS) pixels of each slot's object that are seen."""
        return torch.stack([(self.owner == slot).sum(dim=(1, 2)) for slot in range(SLOTS)], dim=1).float()


def with_margin(pixels: torch.Tensor) -> torch.Tensor:
    """(n, 3, H, W) of pixels (n, 3, 64, 64): their edges go on into a margin."""
    return F.pad(pixels, [MARGIN] * 4, mode="replicate")
