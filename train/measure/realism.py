"""How near drawn pictures are to real ones, whole and cut out around the objects, by nobody's classifier.

Sliced Wasserstein distances (Karras et al. 2017, arXiv:1710.10196), density and coverage (Naeem et al. 2020,
arXiv:2002.09797) of `train.measure.distances`, on whole pictures, levels 64, 32 and 16 of the pyramid, and on crops of
24x24 pixels around the objects, which cover little of a picture and hide in it; the detector only cuts out where a
model does not say where its objects stand. The reference is the held-out pictures.
Beside the drawn pictures of the same label sets stand real training pictures of those label sets, the floor, and the
floor slightly blurred and slightly noisy. What is told is the ratio to the floor: 1 is as near as real pictures come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.transforms.functional import gaussian_blur

from train.data.iclevr import Pictures, to_unit
from train.data.layout import Layout
from train.learning.options import not_negative, positive
from train.measure.distances import density_coverage, features_of, sliced_wasserstein
from train.measure.drawing import crops, quantised
from train.measure.job import Job, Measure
from train.measure.prompts import Prompt, held_out_prompts
from train.measure.tables import named_table, spread

LEVELS = (64, 32, 16)  # of the whole picture, by their side in pixels; crops have the two finest
BLUR, NOISE = 0.35, 1.0  # the spoiled floors: standard deviations in pixels and in levels of 255
SETS = {"drawn": "drawn", "floor": "real, the floor", "blurred": "real, blurred", "noisy": "real, noisy"}


def twins(training: Pictures, wanted: torch.Tensor, draw_number: int) -> torch.Tensor:
    """(N,) indices of training pictures with the label sets `wanted` (N, 24), drawn at random.

    A set that no training picture shows is stood for by the sets that share most objects with it.
    """
    generator = torch.Generator().manual_seed(draw_number)
    shared = wanted @ training.labels.T - 0.5 * training.labels.sum(dim=1)  # largest for the very same set
    chance = torch.rand(shared.shape, generator=generator)
    return (shared + 0.1 * chance).argmax(dim=1)


def spoiled(pixels: torch.Tensor, number: int, blur: float = BLUR, noise: float = NOISE) -> dict[str, torch.Tensor]:
    """The floor's two slightly worse versions of pixels (N, 3, H, W), so slightly that hardly anybody sees it."""
    grain = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(number))
    blurred = torch.cat([gaussian_blur(part, [5, 5], [blur, blur]) for part in pixels.split(256)])
    return {"blurred": quantised(blurred), "noisy": quantised(pixels + grain * noise / 127.5)}


Set = tuple[torch.Tensor, Layout]  # pixels, and where their objects stand


def compared(reference: Set, sets: Mapping[tuple[str, int], Set]) -> dict[str, dict[str, Any]]:
    """Rows of the table, by set: distances by level, whole and on crops, with ratio to the floor; density, coverage.

    `sets` holds one set a name and draw; means and standard deviations are over the draws.
    """
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    parts = {
        "whole": (reference[0], {key: pair[0] for key, pair in sets.items()}, LEVELS),
        "crops": (crops(*reference), {key: crops(*pair) for key, pair in sets.items()}, LEVELS[:2]),
    }
    for part, (real, others, levels) in parts.items():
        for level, distances in sliced_wasserstein(real, others, levels).items():
            for (name, _), value in distances.items():
                found[name][f"{part} {level}"].append(value)
        mean = real.mean(dim=0)
        features = features_of(real, mean)
        for (name, _), pixels in others.items():
            both = density_coverage(features, features_of(pixels, mean))
            for column, value in zip(("density", "coverage"), both, strict=True):
                found[name][f"{part} {column}"].append(value)
    rows: dict[str, dict[str, Any]] = {}
    for name, columns in found.items():
        rows[name] = {column: spread(values) for column, values in columns.items()}
        for column, values in columns.items():
            if floor := float(np.mean(found["floor"][column])):
                rows[name][f"{column} ratio"] = spread([value / floor for value in values])
    return rows


def drawn_sets(job: Job, prompts: Sequence[Prompt], draws: int) -> dict[tuple[str, int], Set]:
    """Pictures that the model draws of the prompts, `draws` times, and where their objects stand."""
    found = {}
    for number in range(draws):
        drawn = job.draw(prompts, number, f"draw {number + 1}")
        found["drawn", number] = drawn.pixels, job.located(drawn)
    return found


def real_sets(job: Job, reference: torch.Tensor, draws: int) -> tuple[Set, dict[tuple[str, int], Set]]:
    """(the held-out pictures at the indices `reference`, the floor and its spoiled versions for every draw)."""
    outside = ~job.pictures.held_out
    training, layout = job.pictures.take(outside), job.layout.take(outside)
    found = {}
    for number in range(draws):
        chosen = twins(training, job.pictures.labels[reference], number)
        pixels = to_unit(training.pixels[chosen])
        for name, version in {"floor": pixels, **spoiled(pixels, number)}.items():
            found[name, number] = version, layout.take(chosen)
    return (to_unit(job.pictures.pixels[reference]), job.layout.take(reference)), found


COLUMNS = [f"whole {level}" for level in LEVELS] + [f"crops {level}" for level in LEVELS[:2]]
OTHERS = ["whole density", "whole coverage", "crops density", "crops coverage"]


def table(found: Mapping[str, Any]) -> str:
    """The Markdown table of an entry of the metrics: ratios to the floor, which is 1."""
    columns = {f"{column} ratio": column for column in COLUMNS} | dict(zip(OTHERS, OTHERS, strict=True))
    return named_table("pictures", columns, {SETS[name]: row for name, row in found["rows"].items()}, 2)


def card(_: Path, entries: Mapping[str, Any]) -> str:
    """The tables, and what stands in them."""
    parts = [f"{name.partition(', ')[2]}\n\n{table(found)}".strip() for name, found in entries.items()]
    found = next(iter(entries.values()))
    words = (
        f"Ratios to the floor of the sliced Wasserstein distance to {found['pictures']} held-out pictures, by level of "
        f"the Laplacian pyramid, whole and on crops around the objects; density and coverage as they are. Mean and "
        f"standard deviation of {found['draws']} draws."
    )
    return "\n\n".join([*parts, words])


def run(job: Job) -> None:
    chosen, prompts = held_out_prompts(job.pictures, job.options.pictures)
    reference, sets = real_sets(job, chosen, job.options.draws)
    found: dict[str, Any] = {"rows": compared(reference, drawn_sets(job, prompts, job.options.draws) | sets)}
    found |= {"pictures": len(chosen), "draws": job.options.draws, **job.settings}
    job.record(f"realism{job.variant}", found)
    print(table(found))


MEASURE = Measure(
    name="realism",
    about=__doc__ or "",
    needs=("data", "model", "judge"),
    run=run,
    options={
        "--pictures": {"type": not_negative, "default": 0, "help": "held-out pictures to compare with (0: all 903)"},
        "--draws": {"type": positive, "default": 3, "help": "how often each label set is drawn"},
    },
    card=card,
)
