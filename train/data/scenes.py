"""Scenes of one to eight objects where the data has none, put together from what real pictures show.

    given = material(pictures)
    scenes, layout = compose(given, 16_000, seed=0)

What an object adds to its own picture, picture less predecessor, holds its shadow too. It is added to lifted ground,
moved along its row by any number of columns and by up to two rows, so that its size stays right. The nearest comes
last and hides what stands behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from clevr_demo.objects import COLOURS, OBJECTS
from clevr_demo.places import MIDDLE, SIZE, Given, on_ground
from train.data.iclevr import Pictures, predecessors
from train.data.layout import THRESHOLD, Layout, find_layout
from train.data.lifting import Lifted, lift, relabelled
from train.data.masks import grown
from train.data.rows import Rows
from train.data.windows import cut, window_index

REACH = 13  # pixels around an object's centre that are taken along
SIDE = 2 * REACH + 1
SHADOW = 0.03  # of a range of 2, averaged over 3x3 pixels: less is grain, and stays behind
ALONE = (15, 11)  # rows and columns that a donor's neighbours stand off: nearer ones' colours would come along
ROW_SHIFT = 2.0  # rows by which an object may move: farther, its size would be wrong
COLUMN = 31.0  # in which every scene's first object stands
RING = (2.0, 8.0)  # pixels from the middle: there a painter that saw real pictures alone draws it in the middle
AROUND = 12.0  # columns around it in which a third of the objects are put
GAP, GAP_A_ROW = 8.0, 0.12  # pixels between two objects, at least, and up to so many more a row: the fewer, the more
TRIES = 24  # spots that are looked at for each object
LARGER = 0.15  # logarithm of how much larger than usual a gray object's mask may be
SEEN = 0.4  # share of every object that is to be seen
MOST = 8
NOTHING = len(OBJECTS)  # the index of what looks like objects and is none


@dataclass(frozen=True)
class Additions(Rows):
    """What objects added to their pictures, in the neighbours' absence: `levels` (A, 3, SIDE, SIDE) int16, differences
    of 255 levels around the centre, zero where it is grain; `masks` (A, SIDE, SIDE) the object, holes filled, without
    its shadow; `objects` (A,), `NOTHING` for what is none; `rows` (A,) of their centres."""

    levels: torch.Tensor
    masks: torch.Tensor
    objects: torch.Tensor
    rows: torch.Tensor


@dataclass(frozen=True)
class Material:
    """What scenes are made of: the pictures' layout with the middle objects' true centres, the pictures lifted, and
    what each object added."""

    places: Layout
    lifted: Lifted
    added: Additions

    @property
    def grounds(self) -> torch.Tensor:
        """(G, 3, 64, 64) uint8 pictures that show nothing."""
        return self.lifted.pictures.pixels[(self.lifted.layout.objects < 0).all(dim=1)]


def material(pictures: Pictures) -> Material:
    """All of it, out of real pictures."""
    found = find_layout(pictures)
    lifted = lift(pictures, found)
    places = relabelled(found, pictures, lifted)
    return Material(places, lifted, additions(pictures, places, lifted))


def additions(pictures: Pictures, places: Layout, lifted: Lifted, batch: int = 1024) -> Additions:
    """The last object of every picture in which it stands alone; the first pictures are compared with themselves
    lifted. `places` is the layout with the middle objects' true centres, `relabelled`."""
    without = predecessors(pictures)
    earlier = torch.cat([pictures.pixels, lifted.pictures.pixels])
    bare = (lifted.layout.objects < 0).all(dim=1).nonzero().flatten()
    without[lifted.origin[bare]] = len(pictures) + bare
    last = (places.objects >= 0).sum(dim=1) - 1
    every = torch.arange(len(pictures))
    centres, objects = places.centres[every, last], places.objects[every, last]
    away = (places.centres - centres.unsqueeze(1)).abs()
    others = (places.objects >= 0) & (torch.arange(places.objects.shape[1]) != last.unsqueeze(1))
    crowded = (others & (away < torch.tensor(ALONE)).all(dim=2)).any(dim=1)
    inside = ((centres >= 9) & (centres < SIZE - 9)).all(dim=1)
    chosen = (~crowded & inside & (without >= 0)).nonzero().flatten()
    parts = []
    for part in chosen.split(batch):
        added = pictures.pixels[part].float() - earlier[without[part]].float()
        added = cut(F.pad(added, [REACH] * 4), centres[part].round().long(), SIDE)
        faint = F.avg_pool2d(added, 3, 1, 1).abs().amax(dim=1) > SHADOW * 127.5
        mask = outlines(added / 127.5, objects[part])
        levels = (added * (faint | mask).unsqueeze(1)).to(torch.int16)
        parts.append(Additions(levels, mask, objects[part], centres[part, 0]))
    found = Additions.together(parts)
    return found.take(~shadowed(found))


def outlines(added: torch.Tensor, objects: torch.Tensor) -> torch.Tensor:
    """(n, SIDE, SIDE) where the objects (n,) stand themselves, out of what they added (n, 3, SIDE, SIDE): of what is
    strong, what hangs together with their middle. Of a coloured object, what only got darker is its shadow."""
    strong = added.abs().amax(dim=1) > THRESHOLD
    colourless = added.amax(dim=1) - added.amin(dim=1) < THRESHOLD
    solid = grown(grown(strong & (is_gray(objects).view(-1, 1, 1) | ~colourless)), -1)
    reached = torch.zeros_like(solid)
    reached[:, REACH - 3 : REACH + 4, REACH - 3 : REACH + 4] = True
    for _ in range(2 * REACH):
        reached = grown(reached) & solid
    return filled(reached)


def is_gray(objects: torch.Tensor) -> torch.Tensor:
    return objects % len(COLOURS) == COLOURS.index("gray")


def shadowed(added: Additions) -> torch.Tensor:
    """(A,) whether an object is gray and its mask larger than those of coloured ones of its shape and row are, by a
    line fitted to their logarithms: its shadow is taken for a part of it, and would hide what stands behind."""
    sizes = added.masks.sum(dim=(1, 2)).float().clamp(min=1).log()
    lines = torch.stack([torch.ones_like(added.rows), added.rows], dim=1)
    gray, shapes = is_gray(added.objects), added.objects // len(COLOURS)
    large = torch.zeros_like(gray)
    for shape in shapes.unique().tolist():
        usual = (shapes == shape) & ~gray
        line = torch.linalg.lstsq(lines[usual], sizes[usual].unsqueeze(1), driver="gelsd").solution.squeeze(1)
        large |= (shapes == shape) & (sizes > lines @ line + LARGER)
    return gray & large


def filled(masks: torch.Tensor) -> torch.Tensor:
    """Masks (n, H, W) with all that lies between their pixels, in its row and in its column: a gray object hardly
    differs from the ground."""
    inside = torch.ones_like(masks)
    for axis in (1, 2):
        before = masks.cummax(dim=axis).values
        after = masks.flip(axis).cummax(dim=axis).values.flip(axis)
        inside &= before & after
    return masks | inside


def spots(
    numbers: torch.Tensor,
    gap: float,
    generator: torch.Generator | None = None,
    a_row: torch.Tensor | float = 0.0,
    middle: float = 0.0,
    first: torch.Tensor | None = None,
) -> torch.Tensor:
    """(n, MOST, 2) whole rows and columns on the ground for so many objects a scene, as `numbers` (n,) says, at least
    `gap` pixels and `a_row` (n, 1) pixels a row apart; nan where no room was left. A share `middle` of them stand in
    the columns around the middle; `first` (n, 2) says where a scene's first object stands, nan that it may anywhere."""
    n = len(numbers)
    centres = torch.full((n, MOST, 2), torch.nan)
    for slot in range(MOST):
        found = torch.rand(n, TRIES, 2, generator=generator) * torch.tensor([42.0, 56.0]) + torch.tensor([12.0, 4.0])
        near = COLUMN + AROUND * (2 * torch.rand(n, TRIES, generator=generator) - 1)
        close = torch.rand(n, 1, generator=generator) < middle
        found[..., 1] = torch.where(close, near, found[..., 1])
        if slot == 0 and first is not None:
            found[:, 0] = first.where(~first.isnan(), found[:, 0])  # the first spot that fits is taken
        found = found.round()
        apart = (found.unsqueeze(2) - centres.unsqueeze(1)).norm(dim=3).nan_to_num(nan=torch.inf).amin(dim=2)
        fits = on_ground(found) & (apart >= gap + a_row * found[..., 0])
        pick = fits.float().argmax(dim=1)
        able = fits.any(dim=1) & (slot < numbers)
        centres[able, slot] = found[able, pick[able]]
    return centres


def ring(n: int, share: float, generator: torch.Generator | None = None) -> torch.Tensor:
    """(n, 2) rows and columns around the place where every real scene's first object stands, evenly spread over the
    distances of `RING`, for that share of the scenes; nan for the others."""
    away = RING[0] + (RING[1] - RING[0]) * torch.rand(n, generator=generator)
    angle = 2 * torch.pi * torch.rand(n, generator=generator)
    found = torch.tensor(MIDDLE) + away.unsqueeze(1) * torch.stack([angle.sin(), angle.cos()], dim=1)
    return found.masked_fill(torch.rand(n, 1, generator=generator) >= share, torch.nan)


def scattered(
    numbers: torch.Tensor, gap: float, generator: torch.Generator | None = None, beside: float = 0.0
) -> torch.Tensor:
    """`spots` for so many objects a scene, a third of them in the columns around the middle; the fewer they are, the
    farther apart. Of a share `beside` of the scenes one stands beside the middle."""
    a_row = GAP_A_ROW * torch.rand(len(numbers), 1, generator=generator) * (1 - numbers.unsqueeze(1) / MOST)
    first = ring(len(numbers), beside, generator) if beside else None
    return spots(numbers, gap, generator, a_row, middle=1 / 3, first=first)


def donors(
    added: Additions, objects: torch.Tensor, rows: torch.Tensor, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Numbers of additions of these objects (...) that stand within `ROW_SHIFT` of these rows (...); -1 for none, and
    where there is no row, but nan."""
    found = torch.full_like(objects, -1)
    for index in objects[~rows.isnan()].unique().tolist():
        mine, wanted = (added.objects == index).nonzero().flatten(), (objects == index) & ~rows.isnan()
        order = added.rows[mine].argsort(stable=True)
        heights = added.rows[mine][order]
        low = torch.searchsorted(heights, rows[wanted] - ROW_SHIFT)
        high = torch.searchsorted(heights, rows[wanted] + ROW_SHIFT, right=True)
        pick = low + (torch.rand(len(low), generator=generator) * (high - low)).long()
        numbers, there = torch.full_like(low, -1), high > low
        numbers[there] = mine[order[pick[there]]]
        found[wanted] = numbers
    return found


@dataclass(frozen=True)
class Painted:
    """Scenes: `pixels` (n, 3, 64, 64) in levels of 255; `objects` (n, K) index or -1; `centres` (n, K, 2); `shown`
    (n, K) share of the object that is seen; `empty` (n, K) slots that nothing was painted for."""

    pixels: torch.Tensor
    objects: torch.Tensor
    centres: torch.Tensor
    shown: torch.Tensor
    empty: torch.Tensor


def painted(ground: torch.Tensor, added: Additions, chosen: torch.Tensor, centres: torch.Tensor) -> Painted:
    """Ground (n, 3, 64, 64) uint8 with the chosen additions (n, K), -1 for none, at whole centres (n, K, 2).

    From far to near: an object hides what it covers, and adds its shadow to what stands around it.
    """
    far = centres[..., 0].masked_fill(chosen < 0, torch.inf).argsort(dim=1)
    chosen, centres = chosen.gather(1, far), centres.gather(1, far.unsqueeze(2).expand(-1, -1, 2))
    bare = F.pad(ground.float(), [REACH] * 4, mode="replicate")
    canvas, owner = bare.clone(), torch.full(bare[:, 0].shape, -1)
    whole = torch.ones(chosen.shape)
    for slot in range(chosen.shape[1]):
        which = (chosen[:, slot] >= 0).nonzero().flatten()
        levels, mask = added.levels[chosen[which, slot]].float(), added.masks[chosen[which, slot]]
        place, rows, columns = window_index(centres[which, slot].long(), SIDE, which)
        under, below = (planes[place, :, rows, columns].movedim(-1, 1) for planes in (canvas, bare))
        laid = torch.where(mask.unsqueeze(1), below, under) + levels
        canvas[place, :, rows, columns] = laid.movedim(1, -1)
        owner[place, rows, columns] = torch.where(mask, slot, owner[place, rows, columns])
        whole[which, slot] = mask.sum(dim=(1, 2)).float().clamp(min=1)
    inner = slice(REACH, REACH + SIZE)
    owner = owner[:, inner, inner]
    shown = torch.stack([(owner == slot).sum(dim=(1, 2)) for slot in range(chosen.shape[1])], dim=1) / whole
    named = added.objects[chosen.clamp(min=0)]
    objects = named.where((chosen >= 0) & (named != NOTHING), -1)
    pixels = canvas[:, :, inner, inner].clamp(0, 255)
    return Painted(pixels, objects, centres * (objects >= 0).unsqueeze(2), shown, chosen < 0)


def compose(given: Material, number: int, seed: int, batch: int = 500, beside: float = 0.0) -> tuple[Pictures, Layout]:
    """About `number` scenes, as many of each number of objects from one to eight, none twice, all of them seen; of a
    share `beside` one object stands beside the middle."""
    generator = torch.Generator().manual_seed(seed)
    grounds = given.grounds
    pixels, objects, places = [], [], []
    for part in torch.arange(number).split(batch):
        ground = grounds[torch.randint(len(grounds), part.shape, generator=generator)]
        numbers = part % MOST + 1
        centres = scattered(numbers, GAP, generator, beside)
        names = torch.rand(len(part), len(OBJECTS), generator=generator).argsort(dim=1)[:, :MOST]
        chosen = donors(given.added, names, centres[..., 0], generator)
        scene = painted(ground, given.added, chosen, centres.nan_to_num())
        clear = (scene.empty | (scene.shown >= SEEN)).all(dim=1) & ~scene.empty.all(dim=1)
        pixels.append(scene.pixels[clear].round().to(torch.uint8))
        objects.append(scene.objects[clear])
        places.append(scene.centres[clear])
    made = Layout(torch.cat(places), torch.cat(objects))
    return Pictures(torch.cat(pixels), made.ticked(), torch.full((len(made),), -1)), made


def at_places(given: Material, asked: Sequence[Given], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Scenes of the objects that are asked for, at most `MOST` each, at their places, to whole pixels: (n, 3, 64, 64)
    uint8, and (n,) whether some picture has each of a scene's objects near enough to its row; the others are left
    out."""
    generator = torch.Generator().manual_seed(seed)
    names, centres = torch.zeros(len(asked), MOST, dtype=torch.long), torch.full((len(asked), MOST, 2), torch.nan)
    for scene, places in enumerate(asked):
        names[scene, : len(places)] = torch.tensor([*places], dtype=torch.long)
        centres[scene, : len(places)] = torch.tensor([*places.values()]).view(-1, 2).round()
    chosen = donors(given.added, names, centres[..., 0], generator)
    ground = given.grounds[torch.randint(len(given.grounds), (len(asked),), generator=generator)]
    scenes = painted(ground, given.added, chosen, centres.nan_to_num())
    return scenes.pixels.round().to(torch.uint8), ((chosen >= 0) | centres[..., 0].isnan()).all(dim=1)
