"""Real pictures without their middle object: what i-CLEVR never shows, an empty middle and an empty scene.

    lifted = lift(pictures, find_layout(pictures))
    lifted.pictures, lifted.layout          # as many as could be lifted, with the labels and places that are left
    lifted.empty                            # (3, 64, 64) in [-1, 1]: the true empty scene
    places = relabelled(find_layout(pictures), pictures, lifted)    # the middle objects' centres found anew against it

Every scene has its first object in the middle, so the median of all pictures has a smudge there. The box that holds
that object with its shadow is filled with ground from the same rows beside it, cloned seamlessly: the ground's own
grain plus the membrane, the solution of Laplace's equation, that takes it to the colours around the box (Poisson image
editing, Perez, Gangnet and Blake 2003, section 3, with the source's gradients as guidance).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from clevr_demo.places import SIZE
from train.data.iclevr import Pictures, predecessors, to_unit
from train.data.layout import THRESHOLD, Layout, changes, find_layout, median_place
from train.data.masks import differing, grown

ROWS, COLUMNS = (14, 43), (22, 42)  # the box that holds the middle object with its shadow: from, up to
SHIFTS = (-21, -20, -19, 19, 20, 21)  # columns from the box to ground that may fill it; nearer is the object's own edge
FAINT = 0.05  # of a range of 2: what an object's shadow changes at least, averaged over 3x3 pixels
REACH = 17.0  # pixels around its centre within which an object changes the picture; farther off it is grain
GLARE = 6.0  # levels of 255 by which ground may differ from a membrane, rms: more is a lamp's reflection
MARGIN = 2  # pixels that other objects keep from the box, its ring and the ground that fills it


@dataclass(frozen=True)
class Lifted:
    """`pictures` (M, ...) without the middle object and `layout` (M, K) of what is left; `origin` (M,) are the
    pictures' numbers among those that they were made of; `empty` (3, 64, 64) in [-1, 1] is the empty scene."""

    pictures: Pictures
    layout: Layout
    origin: torch.Tensor
    empty: torch.Tensor


def membrane(height: int, width: int) -> torch.Tensor:
    """(height width, 2 (height + width)) weights of the harmonic function inside a box on the one-pixel ring around it,
    in the order of `ring`: Laplace's equation on the grid, each pixel the mean of its four neighbours."""
    inside = torch.arange(height * width).view(height, width)
    laplace = 4 * torch.eye(height * width, dtype=torch.float64)
    for one, other in ((inside[1:], inside[:-1]), (inside[:, 1:], inside[:, :-1])):
        laplace[one.flatten(), other.flatten()] = laplace[other.flatten(), one.flatten()] = -1
    beside = torch.cat([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    border = torch.zeros(height * width, len(beside), dtype=torch.float64)
    border[beside, torch.arange(len(beside))] = 1
    return torch.linalg.solve(laplace, border).float()


def box(planes: torch.Tensor) -> torch.Tensor:
    """(..., height, width) the box of planes (..., H, W)."""
    return planes[..., slice(*ROWS), slice(*COLUMNS)]


def ring(planes: torch.Tensor, rows: tuple[int, int], columns: tuple[int, int]) -> torch.Tensor:
    """(..., 2 (height + width)) the one-pixel ring around a box of planes (..., H, W): above, below, left, right."""
    (top, bottom), (left, right) = rows, columns
    lines = (planes[..., top - 1, left:right], planes[..., bottom, left:right])
    return torch.cat([*lines, planes[..., top:bottom, left - 1], planes[..., top:bottom, right]], dim=-1)


def footprints(pictures: Pictures, before: torch.Tensor, centres: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """(n, H, W) where the chosen pictures' last objects, at centres (n, 2), change the picture, shadows included."""
    added = to_unit(pictures.pixels[chosen]) - to_unit(pictures.pixels[before[chosen]])
    faint = F.avg_pool2d(added, 3, 1, 1, count_include_pad=False).abs().amax(dim=1) > FAINT
    rows, columns = (torch.arange(SIZE).view(shape) for shape in ((1, -1, 1), (1, 1, -1)))
    away = (rows - centres[:, 0].view(-1, 1, 1)).square() + (columns - centres[:, 1].view(-1, 1, 1)).square()
    return faint & (away <= REACH**2)


def taken(pictures: Pictures, found: Layout, batch: int = 1024) -> torch.Tensor:
    """(N, H, W) where objects other than the middle one stand or cast a shadow, with a margin."""
    before = predecessors(pictures)
    last = (found.objects >= 0).sum(dim=1) - 1
    centres = found.centres[torch.arange(len(pictures)), last]
    covered = torch.zeros(len(pictures), SIZE, SIZE, dtype=torch.bool)
    for slot in range(1, found.objects.shape[1]):  # a picture's other objects are its predecessor's and the one added
        for part in (last == slot).nonzero().flatten().split(batch):
            covered[part] = covered[before[part]] | footprints(pictures, before, centres[part], part)
    return torch.cat([grown(part, MARGIN) for part in covered.split(batch)])


def free(covered: torch.Tensor, columns: tuple[int, int]) -> torch.Tensor:
    """(n,) whether nothing of covered (n, H, W) lies in the box's rows of these columns, or on the ring around."""
    within = covered[:, ROWS[0] - 1 : ROWS[1] + 1, columns[0] - 1 : columns[1] + 1]
    return ~within.flatten(1).any(dim=1)


def fills(pixels: torch.Tensor, covered: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, 3, height, width) ground for the boxes of pixels (n, 3, H, W), and (n,) whether there is any that is free.

    Of several boxes of ground the one is taken that is nearest to the membrane of its own ring, so has no glare in it,
    and whose ring differs most evenly from that of the box to be filled.
    """
    size = (ROWS[1] - ROWS[0], COLUMNS[1] - COLUMNS[0])
    around, filled = ring(pixels, ROWS, COLUMNS), box(pixels).clone()
    best = torch.full((len(pixels),), torch.inf)
    for shift in SHIFTS:
        columns = (COLUMNS[0] + shift, COLUMNS[1] + shift)
        ground, border = pixels[:, :, slice(*ROWS), slice(*columns)], ring(pixels, ROWS, columns)
        grain = ground - (border @ weights.T).unflatten(2, size)
        glare = F.avg_pool2d(grain, 3, 1).square().mean(dim=(1, 2, 3))
        bend = glare + (around - border).var(dim=2).mean(dim=1)
        better = free(covered, columns) & (glare < GLARE**2) & (bend < best)
        filled[better] = grain[better] + (around[better] @ weights.T).unflatten(2, size)
        best = torch.where(better, bend, best)
    return filled, best.isfinite()


def lift(pictures: Pictures, found: Layout, batch: int = 1024) -> Lifted:
    """Takes the middle object off every picture where ground for it is free; `found` is the pictures' layout."""
    covered = taken(pictures, found)
    weights = membrane(ROWS[1] - ROWS[0], COLUMNS[1] - COLUMNS[0])
    origins, lifted = [], []
    for part in free(covered, COLUMNS).nonzero().flatten().split(batch):
        pixels = pictures.pixels[part].float()
        filled, able = fills(pixels, covered[part], weights)
        box(pixels).copy_(filled)
        origins.append(part[able])
        lifted.append(pixels[able].round().clamp(0, 255).to(torch.uint8))
    origin = torch.cat(origins)
    labels = pictures.labels[origin].scatter(1, found.objects[origin, :1], 0.0)
    left = Layout(found.centres[origin, 1:], found.objects[origin, 1:])
    made = Pictures(torch.cat(lifted), labels, pictures.scenes[origin])
    bare = made.pixels[(left.objects < 0).all(dim=1)]
    return Lifted(made, left, origin, to_unit(bare[:: max(1, len(bare) // 2000)]).median(dim=0).values)


def true_layout(pictures: Pictures) -> Layout:
    """Places of all objects of all pictures, the middle ones' as they truly are."""
    found = find_layout(pictures)
    return relabelled(found, pictures, lift(pictures, found))


def relabelled(found: Layout, pictures: Pictures, lifted: Lifted) -> Layout:
    """The layout with the middle object's centre found anew in every scene, by its first picture and that picture
    lifted. The smudge in the median of all pictures puts it too high, spheres by 1.2 px and cubes by 0.6."""
    before = predecessors(pictures)
    number = (found.objects >= 0).sum(dim=1)
    bare = (lifted.layout.objects < 0).all(dim=1)
    centres = found.centres.clone()
    for part in (number == 1).nonzero().flatten().split(1024):  # the few that were not lifted
        centres[part, 0] = median_place(changes(pictures, before, lifted.empty, part))
    first = lifted.origin[bare]
    with_it, without = to_unit(pictures.pixels[first]), to_unit(lifted.pictures.pixels[bare])
    centres[first, 0] = median_place(differing(with_it, without, THRESHOLD))
    for slot in range(1, found.objects.shape[1]):
        later = (number == slot + 1).nonzero().flatten()
        centres[later, 0] = centres[before[later], 0]
    return Layout(centres, found.objects)
