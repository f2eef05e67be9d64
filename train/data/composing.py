"""Scenes put together for the judges to learn from: what real pictures never show, an object twice or a blob.

    compose = Composer(pictures, find_layout(pictures))
    scene = compose(chosen)                 # real pictures with some objects pasted, some spoiled, moved, lit
    scene.pixels, scene.objects, scene.centres, scene.told

Objects are cut out of real pictures and pasted elsewhere, also the same one twice, next to or partly behind another.
Spoiled objects are none: silhouettes filled with one colour, soft ellipses, halves, merges of two. Nothing is blurred
and no noise is added to the objects that count: a judge that learnt from blurred ones forgives blobs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from clevr_demo.objects import OBJECTS
from clevr_demo.places import SIZE
from train.data.blobs import KINDS, any_kind, chance, spoiled
from train.data.canvas import MARGIN, OWN, SLOTS, Canvas, cut_outs, with_margin
from train.data.iclevr import Pictures, background, predecessors, to_unit
from train.data.layout import Layout
from train.data.masks import grown, soft
from train.data.rows import Rows
from train.data.windows import cut

SHOWN, HIDDEN = 0.6, 0.15  # of an object's pixels: with more to see it counts, with less it does not, between is unsaid


@dataclass(frozen=True)
class Mixture:
    """How often what happens to a picture, and how strongly."""

    paste: float = 0.55  # share of the pictures that get one to three more objects
    same: float = 0.5  # of the pasted ones: copies of an object that the picture has already, or of its class
    near: float = 0.5  # of the pasted ones: beside or partly behind another object
    blob_pasted: float = 0.15  # of the pasted ones are spoiled
    blob_one: float = 0.15  # share of the pictures, one of whose own objects is spoiled
    blob_all: float = 0.05  # share of the pictures, all of whose own objects are
    erase: float = 0.15  # of the objects to be spoiled are only taken away
    shift: int = 4  # pixels
    contrast: float = 0.15
    brightness: float = 0.08  # of a range of 2
    mirror: float = 0.5
    anywhere: float = 0.0  # share of the pictures that are none, but scenes of objects anywhere on lifted ground
    fused: float = 0.0  # of these have two objects in them that are blended into one
    alike: float = 0.0  # of these have objects of two classes alone, so the same several times


@dataclass(frozen=True)
class Scene(Rows):
    """`pixels` (N, 3, 64, 64) in [-1, 1]; `objects` (N, SLOTS) index or -1; `centres` (N, SLOTS, 2) row and column;
    `shown` (N, SLOTS) share of the object that is seen, in [0, 1]; `told` (N, SLOTS) whether it counts. An object with
    an index that does not count is half hidden, and left unsaid."""

    pixels: torch.Tensor
    objects: torch.Tensor
    centres: torch.Tensor
    shown: torch.Tensor
    told: torch.Tensor

    def clear(self) -> torch.Tensor:
        """(N,) whether nothing is left unsaid."""
        return ((self.objects < 0) | self.told).all(dim=1)

    def names(self) -> list[Counter[str]]:
        """How often each object counts in each picture."""
        rows = zip(self.objects.tolist(), self.told.tolist(), strict=True)
        return [Counter(OBJECTS[index] for index, told in zip(*row, strict=True) if told) for row in rows]

    def clear_ones(self) -> tuple[torch.Tensor, list[Counter[str]]]:
        """The pixels and names of the pictures in which nothing is left unsaid."""
        clear = self.clear()
        return self.pixels[clear], [names for names, one in zip(self.names(), clear, strict=True) if one]

    def by_class(self, values: torch.Tensor) -> torch.Tensor:
        """(N, 24, ...) largest of each class's values (N, K, ...), which are not negative; zero for absent ones."""
        slots = self.objects.where(self.objects >= 0, len(OBJECTS))
        slots = slots.view(*slots.shape, *[1] * (values.dim() - 2)).expand_as(values)
        empty = values.new_zeros(len(values), len(OBJECTS) + 1, *values.shape[2:])
        return empty.scatter_reduce(1, slots, values, "amax")[:, :-1]


class Composer:
    """Makes a `Scene` of chosen pictures; all randomness is torch's own."""

    def __init__(
        self, pictures: Pictures, layout: Layout, mixture: Mixture = Mixture(), empty: torch.Tensor | None = None
    ) -> None:
        self.pictures, self.layout, self.mixture = pictures, layout, mixture
        empty = background(pictures) if empty is None else empty
        self.cuts = cut_outs(pictures, layout, empty)
        self.empty = with_margin(empty[None])[0]
        self.chain = chains(pictures)
        self.donors = self.cuts.whole.nonzero().flatten()
        self.of_class = [self.donors[self.cuts.objects[self.donors] == index] for index in range(len(OBJECTS))]

    def __call__(self, chosen: torch.Tensor) -> Scene:
        canvas = self.started(chosen)
        self.spoil_own(canvas, chosen)
        for slot in range(OWN, SLOTS):
            self.paste(canvas, chosen, slot)
        return self.lit(self.finished(canvas))

    def with_blobs(self, chosen: torch.Tensor, kind: str) -> Scene:
        """The pictures with every object made a blob of one of `KINDS`, otherwise as they are."""
        canvas = self.started(chosen)
        for slot in range(OWN):
            which = (canvas.objects[:, slot] >= 0).nonzero().flatten()
            canvas.erase(which, torch.full_like(which, slot), self.empty)
            kinds = torch.full_like(which, KINDS.index(kind))
            self.put_blobs(canvas, which, slot, self.chain[chosen[which], slot], kinds)
        return self.finished(canvas)

    def with_double(self, chosen: torch.Tensor) -> Scene:
        """The pictures with one of their objects pasted a second time, half of them near another, otherwise as they
        are; those whose objects all hide each other keep what they have."""
        canvas = self.started(chosen)
        mine = self.chain[chosen]
        able = (mine >= 0) & self.cuts.whole[mine.clamp(min=0)]
        slots = torch.rand(able.shape).masked_fill(~able, -1).argmax(dim=1)
        which = able.any(dim=1).nonzero().flatten()
        canvas.centres[which, OWN] = self.spots(canvas, which)
        self.put_objects(canvas, which, OWN, mine[which, slots[which]], light=0.0)
        return self.finished(canvas)

    def started(self, chosen: torch.Tensor) -> Canvas:
        """The real pictures, each pixel of their objects known."""
        canvas = Canvas(to_unit(self.pictures.pixels[chosen]))
        canvas.objects[:, :OWN], canvas.centres[:, :OWN] = self.layout.objects[chosen], self.layout.centres[chosen]
        for slot in range(OWN):
            which = (canvas.objects[:, slot] >= 0).nonzero().flatten()
            masks = self.cuts.masks[self.chain[chosen[which], slot]]
            canvas.claim(which, torch.full_like(which, slot), masks, canvas.centres[which, slot].round().long())
        canvas.whole = canvas.visible().clamp(min=1)  # what a real picture hides is real
        return canvas

    def spoil_own(self, canvas: Canvas, chosen: torch.Tensor) -> None:
        """Takes away some of the pictures' own objects, and puts blobs in their places."""
        n, mixture = len(chosen), self.mixture
        dice = torch.rand(n, 1)
        picked = torch.rand(n, OWN).masked_fill(canvas.objects[:, :OWN] < 0, -1).argmax(dim=1, keepdim=True)
        one = (dice < mixture.blob_one) & (torch.arange(OWN) == picked)
        spoil = (one | (dice > 1 - mixture.blob_all)) & (canvas.objects[:, :OWN] >= 0)
        for slot in range(OWN):
            which = spoil[:, slot].nonzero().flatten()
            if len(which):
                canvas.erase(which, torch.full_like(which, slot), self.empty)
                which = which[~chance(mixture.erase, len(which))]
                self.put_blobs(canvas, which, slot, self.chain[chosen[which], slot], any_kind(len(which)))

    def paste(self, canvas: Canvas, chosen: torch.Tensor, slot: int) -> None:
        """Gives some of the pictures one more object in this slot, or a blob."""
        more = self.mixture.paste if slot == OWN else 0.5
        able = chance(more, len(chosen)) & ((slot == OWN) | (canvas.whole[:, slot - 1] > 1))
        which = able.nonzero().flatten()
        if not len(which):
            return
        donors = self.donors_for(canvas, chosen, which)
        canvas.centres[which, slot] = self.spots(canvas, which)
        blob = chance(self.mixture.blob_pasted, len(which))
        self.put_objects(canvas, which[~blob], slot, donors[~blob])
        self.put_blobs(canvas, which[blob], slot, donors[blob], any_kind(int(blob.sum())))

    def donors_for(self, canvas: Canvas, chosen: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
        """(b,) cut-outs to paste: some of an object that the picture shows already, some even the very same."""
        donors = self.donors[torch.randint(0, len(self.donors), (len(which),))]
        slots = torch.rand(len(which), OWN).masked_fill(canvas.objects[which, :OWN] < 0, -1).argmax(dim=1)
        mine = self.chain[chosen[which], slots]
        for number, index in enumerate(canvas.objects[which, slots].tolist()):
            if index >= 0 and torch.rand(()) < self.mixture.same:
                several = self.of_class[index]
                if torch.rand(()) < 0.5 and self.cuts.whole[mine[number]]:
                    donors[number] = mine[number]
                elif len(several):
                    donors[number] = several[torch.randint(0, len(several), ())]
        return donors

    def spots(self, canvas: Canvas, which: torch.Tensor) -> torch.Tensor:
        """(b, 2) whole rows and columns to paste at: anywhere, or near another of the picture's objects."""
        b = len(which)
        anywhere = torch.stack([14 + 37 * torch.rand(b), 7 + 50 * torch.rand(b)], dim=1)
        taken = canvas.whole[which] > 1
        slots = torch.rand(b, SLOTS).masked_fill(~taken, -1).argmax(dim=1)
        angle, far = 2 * torch.pi * torch.rand(b), 5 + 8 * torch.rand(b)
        beside = canvas.centres[which, slots] + far.unsqueeze(1) * torch.stack([angle.sin(), angle.cos()], dim=1)
        spots = torch.where(chance(self.mixture.near, b).unsqueeze(1), beside, anywhere)
        return torch.stack([spots[:, 0].clamp(8, 55), spots[:, 1].clamp(5, 58)], dim=1).round()

    def put_objects(
        self, canvas: Canvas, which: torch.Tensor, slot: int, donors: torch.Tensor, light: float = 0.08
    ) -> None:
        """Pastes cut-outs at their slots' centres, each in a light of its own."""
        pixels, masks, centres = to_unit(self.cuts.pixels[donors]), self.cuts.masks[donors], canvas.centres[which, slot]
        pixels = pixels * (1 + light * (2 * torch.rand(len(which), 1, 1, 1) - 1))
        opacity = canvas.blend(which, pixels, soft(grown(masks)), centres.long())
        canvas.claim(which, torch.full_like(which, slot), masks & (opacity > 0.5), centres.long())
        canvas.objects[which, slot] = self.cuts.objects[donors]
        canvas.whole[which, slot] = masks.sum(dim=(1, 2)).float().clamp(min=2)

    def put_blobs(
        self, canvas: Canvas, which: torch.Tensor, slot: int, donors: torch.Tensor, kinds: torch.Tensor
    ) -> None:
        """Pastes what was made of cut-outs and is no object; it may hide objects but has no label."""
        other = self.unlike(donors)
        for number, kind in enumerate(KINDS):
            mine = (kinds == number).nonzero().flatten()
            if not len(mine):
                continue
            pair = [(to_unit(self.cuts.pixels[d]), self.cuts.masks[d]) for d in (donors[mine], other[mine])]
            pixels, opacity = spoiled(*pair[0], kind, *pair[1])
            pixels = pixels + 0.04 * torch.rand(len(mine), 1, 1, 1) * torch.randn_like(pixels)  # grain tells nothing
            centres = canvas.centres[which[mine], slot].round().long()
            opacity = canvas.blend(which[mine], pixels, opacity, centres)
            canvas.claim(which[mine], torch.full_like(mine, slot), opacity > 0.5, centres)
        canvas.whole[which, slot] = 2.0  # taken

    def unlike(self, donors: torch.Tensor) -> torch.Tensor:
        """(b,) cut-outs of other classes: of the same shape, mostly, and so of another colour."""
        found = self.donors[torch.randint(0, len(self.donors), (8, len(donors)))]
        classes, wanted = self.cuts.objects[found], self.cuts.objects[donors]
        liking = (classes != wanted) * (1.0 + (classes // 8 == wanted // 8))
        return found.gather(0, liking.argmax(dim=0, keepdim=True))[0]

    def finished(self, canvas: Canvas) -> Scene:
        """The pictures without their margin, and which of their objects are told."""
        share = canvas.visible() / canvas.whole
        objects = torch.where(share >= HIDDEN, canvas.objects, -1)
        inner = slice(MARGIN, MARGIN + SIZE)
        told = (objects >= 0) & (share >= SHOWN)
        return Scene(canvas.pixels[:, :, inner, inner], objects, canvas.centres, share.clamp(max=1), told)

    def lit(self, scene: Scene) -> Scene:
        """Mirrors, moves and lights the pictures; what leaves them is left unsaid."""
        n, mixture = len(scene.pixels), self.mixture
        flip = chance(mixture.mirror, n)
        pixels = torch.where(flip.view(-1, 1, 1, 1), scene.pixels.flip(3), scene.pixels)
        columns = torch.where(flip.unsqueeze(1), SIZE - 1 - scene.centres[..., 1], scene.centres[..., 1])
        corners = torch.randint(0, 2 * mixture.shift + 1, (n, 2))
        padded = F.pad(pixels, [mixture.shift] * 4, mode="replicate")
        pixels = cut(padded, corners, SIZE)
        moved = torch.stack([scene.centres[..., 0], columns], dim=2) + mixture.shift - corners.unsqueeze(1)
        inside = ((moved >= 1) & (moved <= SIZE - 2)).all(dim=2)
        light = 1 + mixture.contrast * (2 * torch.rand(n, 1, 1, 1) - 1)
        pixels = pixels * light + mixture.brightness * (2 * torch.rand(n, 1, 1, 1) - 1)
        objects = torch.where(inside, scene.objects, -1)
        return Scene(pixels.clamp(-1, 1), objects, moved, scene.shown, scene.told & inside)


def chains(pictures: Pictures) -> torch.Tensor:
    """(N, OWN) which picture added the object of each slot, -1 for an empty one."""
    before = predecessors(pictures).tolist()
    chain = torch.full((len(pictures), OWN), -1)
    for index, previous in enumerate(before):
        if previous >= 0:
            chain[index] = chain[previous]
        chain[index, int((chain[index] >= 0).sum())] = index
    return chain
