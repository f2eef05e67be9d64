"""The object that each picture added to its scene, cut out of it: what scenes are put together of."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from clevr_demo.places import SIZE
from train.data.iclevr import Pictures, predecessors, to_unit
from train.data.layout import THRESHOLD, Layout, changes
from train.data.masks import differing, grown
from train.data.windows import cut

WINDOW = 24  # pixels: the side of a cut-out, wide enough for all but the very nearest objects
SMALLEST, LARGEST = 30, 330  # pixels of a cut-out: smaller ones are noise of the renderings, larger ones are shadows
EDGE = 8  # pixels: an object whose centre is nearer to the picture's edge is not whole


@dataclass(frozen=True)
class CutOuts:
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
    pixels, masks, whole = [], [], []
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
        pixels.append(cut(colours, centres[part], WINDOW).to(torch.uint8))
        masks.append(mask)
        size = mask.flatten(1).sum(dim=1)
        inside = ((centres[part] >= EDGE) & (centres[part] < SIZE - EDGE)).all(dim=1)
        free = ~(grown(mask) & others).flatten(1).any(dim=1)
        whole.append(free & inside & (size >= SMALLEST) & (size <= LARGEST))
    return CutOuts(torch.cat(pixels), torch.cat(masks), objects, torch.cat(whole))
