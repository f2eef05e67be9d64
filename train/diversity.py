"""Measures how varied a generator's pictures are: one scene per label set would score well on accuracy alone.

    python -m train.diversity --model ddpm --data data/iclevr

Two figures, written to the checkpoint's metrics.json under "diversity":

- **Frechet distance** (Heusel et al. 2017, arXiv:1706.08500) on the judge's 512 features, between the held-out
  pictures and pictures drawn for the same label sets, one each. Its floor, real against real, is the distance between
  the held-out pictures and as many training pictures. Not comparable with FID on Inception features.
- **Pairwise distance**: mean distance of the judge's features between the pictures of one prompt drawn from 16 seeds,
  beside that between real pictures with one label set.

Needs torchmetrics (requirements-dev.txt).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torchmetrics.image.fid import FrechetInceptionDistance
from tqdm.auto import tqdm

import clevr_demo
from clevr_demo.checkpoints import ROOT
from clevr_demo.request import DEFAULT_STEPS
from train.benchmark import CHUNK, merge_metrics, quantised
from train.data import Pictures, evenly, label_sets, load_pictures, to_unit
from train.options import clear_errors

SEEDS = 16
PROMPTS = 16


class HasFeatures(Protocol):
    """The judge or the teacher."""

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1] to (N, d)."""
        ...


class Features(torch.nn.Module):
    """A classifier's features as torchmetrics asks for them: pictures in [0, 1] to (N, d)."""

    def __init__(self, classifier: HasFeatures) -> None:
        super().__init__()
        self.classifier = classifier
        self.num_features = classifier.features(torch.zeros(1, 3, 64, 64)).shape[1]

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.classifier.features(pictures.float() * 2 - 1)


def frechet(classifier: HasFeatures, real: torch.Tensor, drawn: torch.Tensor) -> float:
    """Frechet distance between two sets of pixels (N, 3, 64, 64) in [-1, 1], on a classifier's features."""
    metric = FrechetInceptionDistance(Features(classifier), normalize=True, input_img_size=(3, 64, 64))
    for pixels, is_real in ((real, True), (drawn, False)):
        for part in pixels.split(128):
            metric.update((part + 1) / 2, real=is_real)
    return round(float(metric.compute()), 3)


def pairwise(features: torch.Tensor) -> float:
    """Mean Euclidean distance over all pairs of (N, d) features."""
    return float(torch.pdist(features).mean())


def draw_all(model: Any, label_lists: Sequence[Sequence[int]], seeds: Sequence[int], steps: int) -> torch.Tensor:
    """Pixels (N, 3, 64, 64) of one picture per pair of labels and seed."""
    drawn = []
    for start in tqdm(range(0, len(seeds), CHUNK), desc=model.name, unit="batch"):
        part = slice(start, start + CHUNK)
        results = model.generate_batch(label_lists[part], seeds[part], steps, timeline=False)
        drawn += [result.frames[-1].predicted_pixels for result in results]
    return quantised(torch.stack(drawn))


def seeds_apart(model: Any, classifier: HasFeatures, prompts: Sequence[Sequence[int]], steps: int) -> float:
    """Mean pairwise distance of 16 seeds a prompt."""
    repeated = [prompt for prompt in prompts for _ in range(SEEDS)]
    pixels = draw_all(model, repeated, list(range(SEEDS)) * len(prompts), steps)
    return sum(pairwise(classifier.features(part)) for part in pixels.split(SEEDS)) / len(prompts)


def reals_apart(classifier: HasFeatures, pictures: Pictures, prompts: Sequence[Sequence[int]]) -> float:
    """The same for real pictures, at most 16 with one label set."""
    distances = []
    for prompt in prompts:
        wanted = torch.zeros(pictures.labels.shape[1])
        wanted[list(prompt)] = 1
        same = (pictures.labels == wanted).all(dim=1).nonzero().flatten()[:SEEDS]
        distances.append(pairwise(classifier.features(to_unit(pictures.pixels[same]))))
    return sum(distances) / len(distances)


def common_prompts(pictures: Pictures) -> list[tuple[int, ...]]:
    """Label sets of one and two objects that many pictures show, evenly spread."""
    small = [labels for labels in label_sets(pictures.labels) if len(labels) <= 2]
    return evenly(small, PROMPTS)


@clear_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, choices=sorted(clevr_demo.LOADERS))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, help="checkpoint folder (default: the one in checkpoints/)")
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    options = parser.parse_args(argv)
    folder = options.checkpoint or ROOT / options.model
    model, judge = (
        clevr_demo.load(options.model, folder, options.device),
        clevr_demo.load_evaluator(None, options.device),
    )
    if options.model == "ddpm":
        model.chunk = CHUNK  # type: ignore[union-attr]
    training, held_out = load_pictures(options.data).split()
    real = to_unit(held_out.pixels)
    other = to_unit(training.pixels[torch.linspace(0, len(training) - 1, len(held_out)).long()])
    labels = [row.nonzero().flatten().tolist() for row in held_out.labels]
    prompts = common_prompts(training)
    found = {
        "frechet": frechet(judge, real, draw_all(model, labels, range(len(labels)), options.steps)),
        "frechet_floor": frechet(judge, real, other),
        "pairwise": round(seeds_apart(model, judge, prompts, options.steps), 3),
        "pairwise_real": round(reals_apart(judge, training, prompts), 3),
        "pictures": len(held_out),
        "steps": options.steps,
        "model": model.name,
        "judge": judge.name,
        "command": f"python -m train.diversity --model {options.model} --data DIR --steps {options.steps}",
    }
    merge_metrics(folder / "metrics.json", {"diversity": found})
    print(found)


if __name__ == "__main__":
    main()
