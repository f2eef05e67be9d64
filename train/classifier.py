"""Trains the classifier that scores the course's measure, and the teacher, another one that may choose settings.

    python -m train.classifier --data data/iclevr                      # the classifier
    python -m train.classifier --data data/iclevr --preset anywhere --start runs/classifier-default    # then, anywhere
    python -m train.classifier --data data/iclevr --preset teacher     # the teacher: another seed, kinder pictures
    python -m train.classifier --data data/iclevr --score checkpoints/classifier   # scores on the held-out pictures

Both learn 24 yes-or-no questions (binary cross-entropy) from the training scenes. The classifier is strict: it sees
pasted objects, shifts and changes of light (`train.data.composing`), but no blur and no noise, which would teach it to
forgive them. Its probabilities are calibrated by one temperature (Guo et al. 2017, arXiv:1706.04599), fitted on one
half of the held-out scenes and checked on the other. The teacher sees blur and noise too. Resumable: run the same
command again and it goes on.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from clevr_demo.checkpoints import CONFIG, folder_of, read_config, write_json
from clevr_demo.judge.classifier import ClassifierNetwork, load_classifier
from clevr_demo.judge.evaluator import exact_matches
from train.data.anywhere import composer
from train.data.augmenting import Paster, augment
from train.data.batches import Batch
from train.data.composing import Mixture, Scene
from train.data.iclevr import HELD_OUT_EVERY, Pictures, to_unit
from train.learning.counting import accuracy
from train.learning.loop import LoopSettings, Run
from train.learning.options import arguments, clear_errors, train_and_score
from train.learning.task import OneNetwork

BINS = 10  # of the reliability curve
STRICT = Mixture(blob_pasted=0.0, blob_one=0.0, blob_all=0.0)


@dataclass(frozen=True)
class ClassifierPreset:
    """`mixture` puts pictures together; without one, pictures are blurred, noisy and shifted (the teacher's)."""

    loop: LoopSettings
    mixture: Mixture | None = None
    rate: float = 2e-3
    weight_decay: float = 0.05
    shift: int = 6  # pixels
    noise: float = 0.08  # largest standard deviation, of a range of 2
    paste: float = 0.7  # share of the pictures that are offered another scene's object


PRESETS = {  # scores on the held-out pictures: checkpoints/classifier and teacher, metrics.json
    "default": ClassifierPreset(LoopSettings(pictures=80_000, batch=64, clip=0.0, seed=7), STRICT),
    "anywhere": ClassifierPreset(  # after that, objects where the data has none: accuracy 0.9939, exact 0.9756
        LoopSettings(pictures=40_000, batch=64, clip=0.0, seed=8),
        dataclasses.replace(STRICT, anywhere=0.4, fused=0.15, alike=0.2),
    ),
    "teacher": ClassifierPreset(  # accuracy 0.9934, exact 0.9823
        LoopSettings(pictures=6 * 17106, batch=64, clip=0.0, seed=1)
    ),
}


def labelled(scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 24) multi-hot labels of a scene, and (N, 24) ones for the classes that anything is said about."""
    labels, unsaid = (scene.by_class(told.float()) for told in (scene.told, ~scene.told))
    return labels, 1 - unsaid * (1 - labels)


class ClassifierTask(OneNetwork):
    """Binary cross-entropy on 24 outputs."""

    averaged = "classifier"

    def __init__(self, preset: ClassifierPreset, data: Pictures) -> None:
        self.compose = composer(data, preset.mixture, preset.loop.seed) if preset.mixture else None
        self.paster = None if preset.mixture else Paster(data)
        network = ClassifierNetwork()
        adamw = torch.optim.AdamW(network.parameters(), lr=preset.rate, weight_decay=preset.weight_decay)
        super().__init__(preset, network, {"adamw": adamw})

    def shown(self, batch: Batch) -> tuple[torch.Tensor, ...]:
        """What the network is shown in this step: pixels, labels and which of these count."""
        preset = self.preset
        if self.compose:
            scene = self.compose(batch.pictures.cpu())
            labels, said = labelled(scene)
            device = batch.pixels.device
            return scene.pixels.to(device), labels.to(device), said.to(device)
        assert self.paster
        pixels, labels = self.paster(batch.pixels, batch.labels, preset.paste)
        return augment(pixels, preset.shift, preset.noise), labels, torch.ones_like(labels)

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        pixels, labels, said = self.shown(batch)
        with run.autocast():
            logits = self.networks[self.averaged](pixels.contiguous(memory_format=torch.channels_last)).float()
        loss = F.binary_cross_entropy_with_logits(logits, labels, said) * len(labels[0])
        self.descend(loss, run, warmup=run.settings.steps // 5, decay_from=0.2)
        seen = logits.detach().sigmoid()
        exact = exact_matches(seen, labels).float().mean()
        return {"loss": loss, "accuracy": accuracy(seen, labels), "exact": exact}

    def config(self) -> dict[str, Any]:
        kind = "classifier" if self.compose else "teacher"
        return {"kind": kind, "temperature": 1.0, "preset": dataclasses.asdict(self.preset)}


@torch.inference_mode()
def logits_of(network: nn.Module, pictures: Pictures, batch: int = 128) -> torch.Tensor:
    """(N, 24) logits of a classifier on pictures."""
    network.eval()
    device = next(network.parameters()).device
    return torch.cat([network(to_unit(part.to(device))).float().cpu() for part in pictures.pixels.split(batch)])


def score(network: nn.Module, pictures: Pictures) -> dict[str, float]:
    """Top-k accuracy (pooled over labels) and exact match of a classifier on pictures."""
    logits = logits_of(network, pictures)
    exact = float(exact_matches(logits.sigmoid(), pictures.labels).float().mean())
    right = float(accuracy(logits, pictures.labels))
    return {"pictures": len(pictures), "accuracy": round(right, 4), "exact_match": round(exact, 4)}


# calibration ------------------------------------------------------------------------------------------------------


def fitted_temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The temperature between a fifth and five whose probabilities fit the labels best, by cross-entropy."""
    candidates: list[float] = torch.logspace(-0.7, 0.7, 141).tolist()
    return min(candidates, key=lambda t: float(F.binary_cross_entropy_with_logits(logits / t, labels)))


def reliability(probabilities: torch.Tensor, labels: torch.Tensor) -> dict[str, Any]:
    """How often what was said with a probability was so: a row a tenth, and the mean distance between the two.

    The calibration error weighs each tenth by its number of answers (Guo et al. 2017).
    """
    p, truth = probabilities.flatten(), labels.flatten()
    bins = (p * BINS).long().clamp(max=BINS - 1)
    rows, error = [], 0.0
    for index in range(BINS):
        inside = bins == index
        if inside.any():
            said, so = float(p[inside].mean()), float(truth[inside].mean())
            error += abs(said - so) * float(inside.float().mean())
            rows.append({"answers": int(inside.sum()), "said": round(said, 4), "so": round(so, 4)})
    return {"calibration_error": round(error, 5), "curve": rows}


def calibrate(network: nn.Module, held_out: Pictures) -> tuple[float, dict[str, Any]]:
    """The temperature by every other held-out scene, and the reliability on the rest, before and after."""
    logits = logits_of(network, held_out)
    fit = held_out.scenes % (2 * HELD_OUT_EVERY) == 0
    temperature = round(fitted_temperature(logits[fit], held_out.labels[fit]), 3)
    labels = held_out.labels[~fit]
    return temperature, {
        "pictures": len(labels),
        "uncalibrated": reliability(logits[~fit].sigmoid(), labels),
        "calibrated": reliability((logits[~fit] / temperature).sigmoid(), labels),
    }


def score_folder(folder: Path, held_out: Pictures) -> dict[str, Any]:
    """What metrics.json should hold of a checkpoint folder; its temperature is written into its config.json."""
    config = read_config(folder_of("classifier", folder))
    network = load_classifier(folder, config["kind"])
    temperature, reliable = calibrate(network, held_out)
    write_json(folder / CONFIG, config | {"temperature": temperature})
    return {"held_out": score(network, held_out), "temperature": temperature, "reliability": reliable}


@clear_errors
def main(argv: list[str] | None = None) -> None:
    train_and_score("classifier", PRESETS, ClassifierTask, score_folder, arguments(__doc__ or "", PRESETS), argv)


if __name__ == "__main__":
    main()
