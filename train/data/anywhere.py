"""What a judge learns from beside real pictures: objects anywhere on lifted ground, and two that are fused into one.

compose = AnywhereComposer(pictures, material(pictures), Mixture(anywhere=0.4, fused=0.3, alike=0.4))
scene = compose(chosen)         # 40 % of the pictures are such scenes, the rest are real ones with more pasted in
"""

from __future__ import annotations

from collections import Counter

import torch

from clevr_demo.objects import OBJECTS
from train.data.blobs import chance
from train.data.composing import HIDDEN, SHOWN, Composer, Mixture, Scene
from train.data.fused import with_fused
from train.data.iclevr import Pictures, to_unit
from train.data.layout import find_layout
from train.data.scenes import AROUND, COLUMN, MOST, NOTHING, Material, donors, material, painted, scattered

NEAREST = 6.0  # pixels between two objects, at least
FUSED = 6000  # pairs that are tried


class AnywhereComposer(Composer):
    """A `Composer` whose middle objects stand where they truly do, with scenes of its own beside the real pictures."""

    def __init__(
        self, pictures: Pictures, given: Material, mixture: Mixture, seed: int = 0, pairs: int = FUSED
    ) -> None:
        super().__init__(pictures, given.places, mixture, given.lifted.empty)
        self.grounds = given.grounds
        self.added, self.pairs = with_fused(given.added, pairs, seed)

    def __call__(self, chosen: torch.Tensor) -> Scene:
        few = round(self.mixture.anywhere * len(chosen))
        return stacked(self.lit(self.scattered(few)), super().__call__(chosen[few:]))

    def scattered(self, n: int) -> Scene:
        """n scenes of none to eight objects anywhere on the ground, no object of a class or several."""
        mixture = self.mixture
        centres = scattered(torch.randint(0, MOST + 1, (n,)), NEAREST)
        names = torch.rand(n, len(OBJECTS)).argsort(dim=1)[:, :MOST]
        few = names[:, :2].gather(1, torch.randint(0, 2, names.shape))
        names = torch.where(chance(mixture.alike, n).unsqueeze(1), few, names)
        names[:, 0] = torch.where(chance(mixture.fused, n), NOTHING, names[:, 0])
        return self.scene(donors(self.added, names, centres[..., 0]), centres.nan_to_num())

    def fused_alone(self, n: int) -> tuple[Scene, list[Counter[str]]]:
        """n scenes of one fused pair, and the names of the two that it was made of."""
        first = len(self.added.rows) - len(self.pairs)
        which = torch.randint(len(self.pairs), (n,))
        columns = COLUMN + AROUND * (2 * torch.rand(n) - 1)
        centres = torch.stack([self.added.rows[first + which], columns.round()], dim=1)
        names = [Counter(OBJECTS[index] for index in pair) for pair in self.pairs[which].tolist()]
        return self.scene(first + which.unsqueeze(1), centres.unsqueeze(1)), names

    def scene(self, chosen: torch.Tensor, centres: torch.Tensor) -> Scene:
        """The chosen additions (n, K) at centres (n, K, 2) on any ground."""
        ground = self.grounds[torch.randint(len(self.grounds), (len(chosen),))]
        made = painted(ground, self.added, chosen, centres)
        objects = torch.where(made.shown >= HIDDEN, made.objects, -1)
        return Scene(to_unit(made.pixels), objects, made.centres, made.shown, (objects >= 0) & (made.shown >= SHOWN))


def composer(pictures: Pictures, mixture: Mixture, seed: int) -> Composer:
    """What puts pictures together as the mixture says; `seed` is that of the fused pairs."""
    if mixture.anywhere:
        return AnywhereComposer(pictures, material(pictures), mixture, seed)
    return Composer(pictures, find_layout(pictures), mixture)


def stacked(*scenes: Scene) -> Scene:
    """All pictures of several, with as many slots for objects as the one with the most has."""
    return Scene.together(scenes, objects=-1, centres=0, shown=1, told=False)
