"""Trains the detector, settles its threshold on training scenes, and scores it on the held-out pictures.

    python -m train.detector --data data/iclevr
    python -m train.detector --data data/iclevr --preset doubles --start runs/detector-default    # then, more doubles
    python -m train.detector --data data/iclevr --preset anywhere --start runs/detector-doubles     # then, anywhere
    python -m train.detector --data data/iclevr --preset teacher      # another one, which may choose settings
    python -m train.detector --data data/iclevr --score checkpoints/detector

The loss is CenterNet's (Zhou et al. 2019, arXiv:1904.07850): a focal loss on heat maps, where cells near a centre are
forgiven, and the distance from the centre. Pictures are put together by `train.data.composing`, with the presets
anywhere and teacher also by `train.data.anywhere`: objects where the data has none, and pairs that generators fuse into
one. Resumable: run the same command again and it goes on.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from clevr_demo.checkpoints import CONFIG, read_config, write_json
from clevr_demo.judge.detector import STRIDE, Detector, DetectorConfig, DetectorNetwork, Found, load_detector, peaks
from clevr_demo.objects import OBJECTS
from clevr_demo.places import SIZE
from train.data.anywhere import AnywhereComposer, composer
from train.data.batches import Batch
from train.data.blobs import KINDS
from train.data.composing import Composer, Mixture, Scene
from train.data.iclevr import Pictures
from train.data.layout import Layout
from train.data.scenes import MOST, Material, material
from train.data.scenes import compose as composed
from train.learning.counting import counted_exact, detected, named, right_number, seeded, shown_by
from train.learning.loop import LoopSettings, Run
from train.learning.options import arguments, clear_errors, train_and_score
from train.learning.task import OneNetwork

CELLS = SIZE // STRIDE
SPREAD = 2.0  # pixels: standard deviation of the spot around a centre within which a peak is forgiven
NEAR = 3.2  # pixels: from how far a cell knows its way to the centre
UNSAID = 6.0  # pixels around a half-hidden object in which its class is neither asked for nor forbidden
SCENES = 1200  # that are put together for a score
THRESHOLDS = [round(0.1 + 0.05 * step, 2) for step in range(13)]  # that `settle` tries


@dataclass(frozen=True)
class DetectorPreset:
    loop: LoopSettings
    model: DetectorConfig = DetectorConfig()
    mixture: Mixture = Mixture()
    rate: float = 2e-3
    weight_decay: float = 0.05
    offsets: float = 0.2  # weight of the distance from the centre


ANYWHERE = Mixture(paste=0.7, same=0.7, near=0.6, anywhere=0.4, fused=0.3, alike=0.4)
PRESETS = {  # scores on the held-out pictures: checkpoints/detector/metrics.json and README.md
    "default": DetectorPreset(LoopSettings(pictures=136_000, batch=32, seed=11, clip=0.0)),
    # A second run that starts from the first one's weights: doubles were what it missed.
    "doubles": DetectorPreset(
        LoopSettings(pictures=64_000, batch=32, seed=12, clip=0.0), mixture=Mixture(paste=0.7, same=0.7, near=0.6)
    ),
    # A third: objects where the data has none, and two that are fused into one.
    "anywhere": DetectorPreset(  # counted exact 0.9867, doubles told 0.993, blobs counted exact 0.058 at most
        LoopSettings(pictures=64_000, batch=32, seed=13, clip=0.0), mixture=ANYWHERE
    ),
    "teacher": DetectorPreset(LoopSettings(pictures=96_000, batch=32, seed=31, clip=0.0), mixture=ANYWHERE),
}


@dataclass(frozen=True)
class Target:
    """`heat` (N, 24, C, C) with spots of height 1, `asked` (N, 24, C, C) zero where nothing is said, `offsets`
    (N, 2, C, C) to the nearest centre in pixels, `near` (N, 1, C, C) one where those count."""

    heat: torch.Tensor
    asked: torch.Tensor
    offsets: torch.Tensor
    near: torch.Tensor


def target(scene: Scene) -> Target:
    """What the network should say of a scene."""
    middles = (torch.arange(CELLS) + 0.5) * STRIDE - 0.5
    down = scene.centres[..., :1].unsqueeze(3) - middles.view(1, 1, -1, 1)  # (N, K, C, 1)
    across = scene.centres[..., 1:].unsqueeze(3) - middles.view(1, 1, 1, -1)  # (N, K, 1, C)
    squared = down.square() + across.square()
    told, unsaid = scene.told[..., None, None], ((scene.objects >= 0) & ~scene.told)[..., None, None]
    here = (down.abs() <= STRIDE / 2) & (across.abs() <= STRIDE / 2)
    spots = torch.where(here, 1.0, (-0.5 * squared / SPREAD**2).exp()) * told
    hidden = scene.by_class(((squared <= UNSAID**2) & unsaid).float())
    heat = scene.by_class(spots)
    nearest = squared.masked_fill(~told, torch.inf).min(dim=1, keepdim=True)
    offsets = torch.stack([down.expand_as(squared), across.expand_as(squared)], dim=2)  # (N, K, 2, C, C)
    picked = nearest.indices.unsqueeze(2).expand(-1, -1, 2, -1, -1)
    asked = 1 - hidden * (heat < 0.9)
    return Target(heat, asked, offsets.gather(1, picked).squeeze(1), (nearest.values <= NEAR**2).float())


def focal_loss(logits: torch.Tensor, wanted: Target) -> torch.Tensor:
    """CenterNet's focal loss, by the number of objects."""
    found = wanted.heat >= 1
    right = (1 - logits.sigmoid()).square() * F.softplus(-logits)
    wrong = (1 - wanted.heat).pow(4) * logits.sigmoid().square() * F.softplus(logits)
    return (torch.where(found, right, wrong) * wanted.asked).sum() / found.sum().clamp(min=1)


class DetectorTask(OneNetwork):
    """Heat maps of scenes that are put together anew in every step."""

    averaged = "detector"

    def __init__(self, preset: DetectorPreset, data: Pictures) -> None:
        self.compose = composer(data, preset.mixture, preset.loop.seed)
        network = DetectorNetwork(preset.model)
        adamw = torch.optim.AdamW(network.parameters(), lr=preset.rate, weight_decay=preset.weight_decay)
        super().__init__(preset, network, {"adamw": adamw})

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        scene = self.compose(batch.pictures.cpu())
        wanted = target(scene)
        with run.autocast():
            outputs = self.networks[self.averaged](scene.pixels.contiguous(memory_format=torch.channels_last)).float()
        heat = focal_loss(outputs[:, : len(OBJECTS)], wanted)
        away = (outputs[:, len(OBJECTS) :] - wanted.offsets).abs() * wanted.near
        offsets = away.sum() / wanted.near.sum().clamp(min=1) / 2
        self.descend(heat + self.preset.offsets * offsets, run, warmup=run.settings.steps // 20, decay_from=0.3)
        seen = peaks(outputs.detach(), self.preset.model)
        return {"heat": heat, "offset": offsets, "exact": torch.tensor(counted_exact(seen, scene.names()))}

    def config(self) -> dict[str, Any]:
        preset = dataclasses.asdict(self.preset)
        return {"kind": "detector", "model": preset.pop("model"), "preset": preset}


# scores -------------------------------------------------------------------------------------------------------------


def distances(found: Sequence[tuple[Found, ...]], layout: Layout) -> torch.Tensor:
    """(M,) pixels between each object that is found and where the layout says that it stands."""
    away: list[tuple[float, float]] = []
    for seen, objects, centres in zip(found, layout.objects.tolist(), layout.centres.tolist(), strict=True):
        at = {OBJECTS[index]: centre for index, centre in zip(objects, centres, strict=True) if index >= 0}
        away += [(one.row - at[one.name][0], one.column - at[one.name][1]) for one in seen if one.name in at]
    return torch.tensor(away or [(torch.nan, torch.nan)]).norm(dim=1)


def doubles(detector: Detector, compose: Composer, shown: float = 0.75) -> tuple[float, float]:
    """Of the pictures with an object pasted a second time, shares in which both are found by their name, and in which
    the picture is not counted exact for what it showed before.

    Pictures in which less than `shown` of any object is seen are left out.
    """
    scene = compose.with_double(torch.arange(len(compose.pictures)))
    names = scene.names()
    twice = [next((name for name, count in row.items() if count > 1), "") for row in names]
    seen_well = ((scene.objects < 0) | (scene.shown >= shown)).all(dim=1)
    able = [index for index, name in enumerate(twice) if name and seen_well[index]]
    found = detected(detector, scene.pixels[able])
    told = sum(named(seen)[twice[index]] > 1 for index, seen in zip(able, found, strict=True)) / len(able)
    asked = [Counter(dict.fromkeys(names[index], 1)) for index in able]
    return told, 1 - counted_exact(found, asked)


def score(detector: Detector, pictures: Pictures) -> dict[str, Any]:
    """How a detector counts real pictures; and how many doubles it tells, and blobs it takes for objects."""
    given = material(pictures)
    compose = AnywhereComposer(pictures, given, Mixture())
    found, wanted = detected(detector, pictures.pixels), shown_by(pictures.labels)
    with seeded():
        every = torch.arange(len(pictures))
        spoilt = {kind: detected(detector, compose.with_blobs(every, kind).pixels) for kind in KINDS}
        told, caught = doubles(detector, compose)
        anywhere = anywhere_scores(detector, compose, given)
    return {
        "pictures": len(pictures),
        "counted_exact": round(counted_exact(found, wanted), 4),
        "number_right": round(right_number(found, wanted), 4),
        "centre_pixels": round(float(distances(found, given.places).median()), 2),
        **anywhere,
        "doubles_told": round(told, 4),
        "doubles_caught": round(caught, 4),
        "blobs_counted_exact": {kind: round(counted_exact(seen, wanted), 4) for kind, seen in spoilt.items()},
    }


def anywhere_scores(detector: Detector, compose: AnywhereComposer, given: Material) -> dict[str, Any]:
    """How a detector counts pictures without their middle object, scenes of one to eight objects anywhere, by number,
    and pairs that are fused into one, which are not two."""
    lifted, (scenes, layout) = given.lifted.pictures, composed(given, SCENES, seed=0)
    numbers = (layout.objects >= 0).sum(dim=1)
    pairs, names = compose.fused_alone(SCENES)

    def exact(pictures: Pictures) -> float:
        return round(counted_exact(detected(detector, pictures.pixels), shown_by(pictures.labels)), 4)

    return {
        "lifted_counted_exact": exact(lifted),
        "anywhere_counted_exact": [exact(scenes.take(numbers == number)) for number in range(1, MOST + 1)],
        "fused_counted_exact": round(counted_exact(detected(detector, pairs.pixels), names), 4),
    }


def settle(task: DetectorTask, folder: Path, pictures: int = 600) -> None:
    """Writes the threshold that counts best into config.json, by training pictures only: as many real ones, ones with
    a pasted double, and ones whose objects are all blobs, of which none should be counted."""
    detector, compose = load_detector(folder, "cpu"), task.compose
    detector.config = dataclasses.replace(detector.config, threshold=min(THRESHOLDS))
    with seeded():
        chosen = torch.randperm(len(compose.pictures))[:pictures]
        doubled = compose.with_double(chosen)
        spoilt = [compose.with_blobs(part, kind) for part, kind in zip(chosen.chunk(len(KINDS)), KINDS, strict=True)]
    with seeded():
        scattered = [compose.scattered(pictures)] if isinstance(compose, AnywhereComposer) else []
    real, wanted = detected(detector, compose.pictures.pixels[chosen]), shown_by(compose.pictures.labels[chosen])
    blobs = detected(detector, torch.cat([scene.pixels for scene in spoilt]))
    right = [(real, wanted)]
    for scene in [doubled, *scattered]:
        pixels, names = scene.clear_ones()
        right.append((detected(detector, pixels), names))

    def goodness(level: float) -> float:
        counts = [([above(seen, level) for seen in found], row) for found, row in right]
        fooled = counted_exact([above(seen, level) for seen in blobs], wanted)
        return sum(counted_exact(*count) for count in counts) - fooled

    config = read_config(folder)
    config["model"]["threshold"] = max(THRESHOLDS, key=goodness)
    write_json(folder / CONFIG, config)


def above(found: tuple[Found, ...], threshold: float) -> tuple[Found, ...]:
    return tuple(seen for seen in found if seen.confidence >= threshold)


def score_folder(folder: Path, held_out: Pictures) -> dict[str, Any]:
    """What metrics.json should hold of a checkpoint folder."""
    return {"held_out": score(load_detector(folder), held_out)}


@clear_errors
def main(argv: list[str] | None = None) -> None:
    train_and_score("detector", PRESETS, DetectorTask, score_folder, arguments(__doc__ or "", PRESETS), argv, settle)


if __name__ == "__main__":
    main()
