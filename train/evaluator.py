"""Trains the judge, and the teacher that the ACGAN learns from.

    python -m train.evaluator --data data/iclevr                      # the judge (ResNet18)
    python -m train.evaluator --data data/iclevr --preset teacher     # the ACGAN's teacher, another architecture
    python -m train.evaluator --data data/iclevr --score checkpoints/evaluator   # scores on the held-out pictures

Both learn 24 yes-or-no questions (binary cross-entropy) from the training scenes. Augmentation keeps colour and
shape: shifts, mirroring, contrast, blur, noise, and objects of other scenes pasted in, so that no set of
objects can be learnt by heart. Resumable: run the same command again and it goes on.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms.functional import gaussian_blur

from clevr_demo.checkpoints import folder_of, load_weights, read_config, write_json
from clevr_demo.classifier import TeacherNetwork
from clevr_demo.evaluator import EvaluatorNetwork, exact_matches, topk_hits
from train.data import Pictures, background, load_pictures, object_mask, predecessors, to_unit
from train.loop import LoopSettings, Run, learning_rate
from train.options import arguments, chosen, clear_errors, train_task

NETWORKS = {"resnet18": EvaluatorNetwork, "teacher": TeacherNetwork}


@dataclass(frozen=True)
class ClassifierPreset:
    network: str
    loop: LoopSettings
    rate: float = 2e-3
    weight_decay: float = 0.05
    shift: int = 6  # pixels
    noise: float = 0.08  # largest standard deviation, of a range of 2
    paste: float = 0.7  # share of the pictures that are offered another scene's object


PRESETS = {
    "default": ClassifierPreset("resnet18", LoopSettings(pictures=18 * 17106, batch=64, clip=0.0)),
    "teacher": ClassifierPreset("teacher", LoopSettings(pictures=6 * 17106, batch=64, clip=0.0, seed=1)),
}


def shifted(pixels: torch.Tensor, largest: int) -> torch.Tensor:
    """Each picture moved by up to `largest` pixels both ways, its border repeated."""
    n, _, height, width = pixels.shape
    padded = F.pad(pixels, [largest] * 4, mode="replicate")
    dx, dy = torch.randint(0, 2 * largest + 1, (2, n, 1, 1), device=pixels.device)
    rows = torch.arange(height, device=pixels.device).view(1, -1, 1) + dy
    columns = torch.arange(width, device=pixels.device).view(1, 1, -1) + dx
    index = torch.arange(n, device=pixels.device).view(-1, 1, 1)
    return padded[index, :, rows, columns].movedim(-1, 1)


def augment(pixels: torch.Tensor, shift: int, noise: float) -> torch.Tensor:
    """Shifts, mirroring, contrast and brightness, blur on a quarter, noise: what keeps colour and shape."""
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

    What reaches lower in the picture is nearer to the camera. Half-hidden objects are what the judge would otherwise
    see too rarely to learn.
    """

    def __init__(self, data: Pictures) -> None:
        self.data, self.before, self.empty = data, predecessors(data), background(data)
        self.added = (self.before >= 0).nonzero().flatten()  # a scene's first object always stands in the middle

    def donors(self, n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """n random objects: pixels (n, 3, H, W), mask (n, 1, H, W) and one-hot label (n, 24)."""
        chosen = self.added[torch.randint(0, len(self.added), (n,))]
        pixels, without = (to_unit(self.data.pixels[index]) for index in (chosen, self.before[chosen]))
        label = (self.data.labels[chosen] - self.data.labels[self.before[chosen]]).clamp(min=0)
        return pixels, object_mask(pixels, without), label

    def __call__(self, pixels: torch.Tensor, labels: torch.Tensor, share: float) -> tuple[torch.Tensor, torch.Tensor]:
        """A share of the pictures (N, 3, H, W) with one more object each, and their labels (N, 24)."""
        donated, mask, extra = (part.to(pixels.device) for part in self.donors(len(pixels)))
        there = object_mask(pixels, self.empty.to(pixels.device))
        shared = there * mask.amax(dim=2, keepdim=True)  # what stands in the donor's columns
        in_front = lowest_row(mask) > lowest_row(shared)
        size, overlap = mask.sum(dim=(1, 2, 3)), (mask * there).sum(dim=(1, 2, 3))
        visible = torch.where(in_front, overlap <= 35, overlap <= 0.5 * size)  # of whichever is hidden
        # Small differences far from the object are noise of the renderings: a donor must be one sizeable object.
        fits = visible & (size > 30) & (size < 900) & (torch.rand(len(pixels), device=pixels.device) < share)
        pasted = mask * fits.view(-1, 1, 1, 1) * torch.where(in_front.view(-1, 1, 1, 1), 1.0, 1.0 - there)
        return pixels * (1 - pasted) + donated * pasted, torch.maximum(labels, extra * fits.unsqueeze(1))


def lowest_row(mask: torch.Tensor) -> torch.Tensor:
    """(N,) number of the lowest row that a mask (N, 1, H, W) touches; 0 for an empty one."""
    rows = torch.arange(mask.shape[2], device=mask.device).view(1, 1, -1, 1)
    return (mask * rows).amax(dim=(1, 2, 3))


class ClassifierTask:
    """Binary cross-entropy on 24 outputs."""

    averaged = "classifier"

    def __init__(self, preset: ClassifierPreset, data: Pictures) -> None:
        self.preset, self.paster = preset, Paster(data)
        network = NETWORKS[preset.network]()
        self.networks: dict[str, nn.Module] = {"classifier": network}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "adamw": torch.optim.AdamW(network.parameters(), lr=preset.rate, weight_decay=preset.weight_decay)
        }

    def step(self, pixels: torch.Tensor, labels: torch.Tensor, run: Run) -> dict[str, torch.Tensor]:
        preset, steps = self.preset, run.settings.steps
        pixels, labels = self.paster(pixels, labels, preset.paste)
        pixels = augment(pixels, preset.shift, preset.noise).contiguous(memory_format=torch.channels_last)
        with run.autocast():
            logits = self.networks["classifier"](pixels).float()
        loss = F.binary_cross_entropy_with_logits(logits, labels) * len(labels[0])
        rate = preset.rate * learning_rate(run.position, steps, warmup=steps // 5, decay_from=0.2)
        run.descend(loss, "adamw", "classifier", rate)
        seen = logits.detach().sigmoid()
        hits = topk_hits(seen, labels).sum() / labels.sum()
        return {"loss": loss, "accuracy": hits, "exact": exact_matches(seen, labels).float().mean()}

    def sample(self, network: nn.Module) -> None:
        return None

    def config(self) -> dict[str, Any]:
        return {"kind": "classifier", "preset": dataclasses.asdict(self.preset)}


@torch.inference_mode()
def score(network: nn.Module, pictures: Pictures, batch: int = 128) -> dict[str, float]:
    """Top-k accuracy (pooled over labels) and exact match of a classifier on pictures."""
    network.eval()
    device = next(network.parameters()).device
    logits = torch.cat([network(to_unit(part.to(device))).float().cpu() for part in pictures.pixels.split(batch)])
    hits = topk_hits(logits, pictures.labels).sum() / pictures.labels.sum()
    exact = exact_matches(logits.sigmoid(), pictures.labels).float().mean()
    return {"pictures": len(pictures), "accuracy": round(float(hits), 4), "exact_match": round(float(exact), 4)}


def score_checkpoint(folder: Path, held_out: Pictures) -> dict[str, float]:
    """Scores a checkpoint folder on the held-out pictures and writes its metrics.json."""
    folder = folder_of(folder.name, folder)
    network = NETWORKS[read_config(folder)["preset"]["network"]]()
    load_weights(network, folder)
    found = score(network, held_out)
    write_json(folder / "metrics.json", {"held_out": found})
    return found


@clear_errors
def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__ or "", PRESETS)
    parser.add_argument("--score", type=Path, help="only score this checkpoint folder on the held-out pictures")
    options = parser.parse_args(argv)
    if options.score:
        return print(score_checkpoint(options.score, load_pictures(options.data).split()[1]))
    preset: ClassifierPreset = chosen(PRESETS, options)
    if options.dry_run:
        return None
    training, held_out = load_pictures(options.data).split()
    run = train_task("evaluator", options, ClassifierTask(preset, training), training, preset.loop)
    if run.accelerator.is_main_process:
        print(score_checkpoint(run.folder, held_out))
    return None


if __name__ == "__main__":
    main()
