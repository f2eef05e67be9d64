"""The teacher's pictures: real ones with an object of another scene pasted, moved, lit, blurred and noisy."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torchvision.transforms.functional import gaussian_blur

from train.data.iclevr import Pictures, background, predecessors, to_unit
from train.data.masks import differing, grown, lowest
from train.data.windows import cut

THRESHOLD = 0.15  # of a range of 2: what differs by more is an object's
SMALLEST, LARGEST = 30, 900  # pixels of an object to paste; what is smaller or larger is noise of the renderings
HIDDEN = 35, 0.5  # at most so many pixels of a picture's own objects may be hidden, at most this share of a pasted one


def shifted(pixels: torch.Tensor, largest: int) -> torch.Tensor:
    """Each of square pictures (N, 3, S, S) moved by up to `largest` pixels both ways, its border repeated."""
    padded = F.pad(pixels, [largest] * 4, mode="replicate")
    columns, rows = torch.randint(0, 2 * largest + 1, (2, len(pixels)), device=pixels.device)
    return cut(padded, torch.stack([rows, columns], dim=1), pixels.shape[-1])


def augment(pixels: torch.Tensor, shift: int, noise: float) -> torch.Tensor:
    """Shifts, mirroring, contrast and brightness, blur on a quarter, noise: what keeps colour and shape.

    Pixels (N, 3, S, S) in about [-1, 1], before and after.
    """
    n, device = len(pixels), pixels.device
    pixels = shifted(pixels, shift)
    pixels = torch.where(torch.rand(n, 1, 1, 1, device=device) < 0.5, pixels.flip(3), pixels)
    contrast = 1 + 0.2 * (2 * torch.rand(n, 1, 1, 1, device=device) - 1)
    pixels = pixels * contrast + 0.1 * (2 * torch.rand(n, 1, 1, 1, device=device) - 1)
    some = n // 4  # the order within a batch is random already
    blurred = gaussian_blur(pixels[:some], [5, 5], [float(0.3 + 0.7 * torch.rand(()))])
    pixels = torch.cat([blurred, pixels[some:]])
    return pixels + noise * torch.rand(n, 1, 1, 1, device=device) * torch.randn_like(pixels)


class Paster:
    """Pastes the last object of another scene's picture at its own place, before or behind what stands there.

    What reaches lower in the picture is nearer to the camera. Half-hidden objects are what a classifier would otherwise
    see too rarely to learn.
    """

    def __init__(self, data: Pictures) -> None:
        self.data, self.before, self.empty = data, predecessors(data), background(data)
        self.added = (self.before >= 0).nonzero().flatten()  # a scene's first object always stands in the middle

    def donors(self, n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """n random objects: pixels (n, 3, 64, 64), mask (n, 64, 64) and one-hot label (n, 24)."""
        chosen = self.added[torch.randint(0, len(self.added), (n,))]
        pixels, without = (to_unit(self.data.pixels[index]) for index in (chosen, self.before[chosen]))
        label = (self.data.labels[chosen] - self.data.labels[self.before[chosen]]).clamp(min=0)
        return pixels, grown(differing(pixels, without, THRESHOLD)), label

    def __call__(self, pixels: torch.Tensor, labels: torch.Tensor, share: float) -> tuple[torch.Tensor, torch.Tensor]:
        """A share of the pictures (N, 3, 64, 64) with one more object each, and their labels (N, 24)."""
        donated, mask, extra = (part.to(pixels.device) for part in self.donors(len(pixels)))
        taken = grown(differing(pixels, self.empty.to(pixels.device), THRESHOLD))
        in_front = lowest(mask) > lowest(taken & mask.any(dim=1, keepdim=True))  # of what is in the donor's columns
        size, overlap = mask.sum(dim=(1, 2)), (mask & taken).sum(dim=(1, 2))
        visible = torch.where(in_front, overlap <= HIDDEN[0], overlap <= HIDDEN[1] * size)  # of whichever is hidden
        fits = visible & (size > SMALLEST) & (size < LARGEST) & (torch.rand(len(pixels), device=pixels.device) < share)
        pasted = mask & fits.view(-1, 1, 1) & (in_front.view(-1, 1, 1) | ~taken)
        return torch.where(pasted.unsqueeze(1), donated, pixels), torch.maximum(labels, extra * fits.unsqueeze(1))
