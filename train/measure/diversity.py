"""How varied a model's pictures are: the same object at the same place, from other seeds.

Every class alone, which then stands in the middle, is drawn from 16 seeds; what differs between two crops of one class
whose centres are at most two pixels apart is its turn, its material, light and grain. Beside it stands the same of real
pictures of one label set. The distance is the root mean square over a crop's pixels, in levels of 255. A model that
draws one scene a label set, or one look a class, stays far below 1 times the real distance. This project's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from clevr_demo.objects import OBJECTS
from train.data.iclevr import to_unit
from train.data.layout import Layout
from train.measure.drawing import crops
from train.measure.job import Job, Measure
from train.measure.tables import markdown, spread

SEEDS = 16  # of one prompt
REALS = 64  # pictures of one label set, at most
HELD = 2.0  # pixels: centres at most so far apart count as the same place
NAMES = {"drawn": "16 seeds of one prompt", "real": "real pictures of one label set"}


def pair_distances(cut: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """Distances in levels of 255 of all pairs of crops (M, 3, S, S) whose centres (M, 2) are at most `HELD` apart."""
    away = torch.pdist(cut.flatten(1)) * 127.5 / cut[0].numel() ** 0.5
    return away[torch.pdist(centres) <= HELD]


def class_distances(pixels: torch.Tensor, layout: Layout) -> float | None:
    """Mean distance over the pairs of pictures (M, 3, 64, 64) of one object each; None without a pair."""
    single = (layout.objects >= 0).sum(dim=1) == 1
    if single.sum() < 2:
        return None
    alone = layout.take(single)
    found = pair_distances(crops(pixels[single], alone), alone.centres[:, 0])
    return float(found.mean()) if len(found) else None


def drawn_distances(job: Job) -> list[float | None]:
    """The mean distance of every class."""
    found = []
    for index in range(len(OBJECTS)):
        drawn = job.draw([(index,)] * SEEDS)
        found.append(class_distances(drawn.pixels, job.located(drawn)))
    return found


def real_distances(job: Job) -> list[float | None]:
    """The same of training pictures that show one object alone."""
    found = []
    alone = (job.pictures.labels.sum(dim=1) == 1) & ~job.pictures.held_out
    for index in range(len(OBJECTS)):
        chosen = (alone & (job.pictures.labels[:, index] > 0)).nonzero().flatten()[:REALS]
        found.append(class_distances(to_unit(job.pictures.pixels[chosen]), job.layout.take(chosen)))
    return found


def compared(drawn: Sequence[float | None], real: Sequence[float | None]) -> dict[str, Any]:
    """Means over the classes that both have, and their ratio."""
    pairs = [(a, b) for a, b in zip(drawn, real, strict=True) if a is not None and b is not None]
    columns = {name: spread(values) for name, values in zip(NAMES, zip(*pairs, strict=True), strict=True)}
    least, name = min((a / b, OBJECTS[place]) for place, (a, b) in enumerate(zip(drawn, real, strict=True)) if a and b)
    ratio = round(columns["drawn"]["mean"] / columns["real"]["mean"], 3)
    return columns | {"ratio": ratio, "classes": len(pairs), "least": round(least, 3), "least_of": name}


def table(found: Mapping[str, Any]) -> str:
    """The Markdown table of an entry of the metrics."""
    rows = [[NAMES["drawn"], found["drawn"], found["ratio"]], [NAMES["real"], found["real"], 1.0]]
    head = ["distance between crops of one class, place held", f"mean of {found['classes']} classes, levels of 255"]
    least = f"The least varied class is {found['least_of']}, at {found['least']:.2f} times the real distance."
    return f"{markdown([*head, 'ratio'], rows)}\n\n{least}"


def run(job: Job) -> None:
    found = compared(drawn_distances(job), real_distances(job)) | job.settings
    job.record("diversity", found)
    print(table(found))


MEASURE = Measure(
    name="diversity",
    about=__doc__ or "",
    needs=("data", "model", "judge"),
    run=run,
    card=lambda _, entries: table(entries["diversity"]),
)
