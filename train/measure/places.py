"""Whether a model puts objects where real scenes have them.

Compared are the centres that the model means its objects to have, drawn without pixels, with those of held-out scenes
of three objects: the nearest pair of a scene, how far its first, second and third object stand from the middle, and
the share of scenes with a pair nearer than in all but a hundredth of the training scenes. A **two-sample classifier**
(Lopez-Paz and Oquab 2017, arXiv:1610.06545), a small network on the layout's geometry, tries to tell drawn layouts
from real ones: cross-validated, half right is a perfect score. Real centres were found at whole pixels, so drawn ones
are rounded, too. Four and five objects, which no real scene holds, have their nearest pairs beside.

**Given places**, of one or two of the three objects: drawn evenly on the ground, and two of them `APART` pixels from
each other. So they stand where real objects hardly ever do, too, and there is nothing real to tell their layouts from;
the classifier therefore gets others, whose given places are those of real scenes, which were chosen so that one of
their objects is the nearest to a place drawn evenly on the ground. It tells them from as many other scenes that were
chosen so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from clevr_demo.generators.protocol import Generator
from clevr_demo.objects import MAX_TRAINED
from clevr_demo.places import Given
from train.data.iclevr import label_sets
from train.data.layout import Layout
from train.learning.counting import seeded
from train.learning.options import positive
from train.measure.drawing import seeds_of
from train.measure.job import Job, Measure
from train.measure.prompts import BEYOND, Prompt, random_sets, scenes
from train.measure.tables import named_table

GIVEN = {"one given": 1, "two given": 2}
CROWDED = ("four", "five")  # objects, more than a real scene holds
FOLDS, EPOCHS, WIDTH = 5, 200, 64
REPEATS = 3  # divisions into folds; the accuracy is their mean
ROWS = {
    "drawn": "drawn, three objects",
    "held-out": "held-out scenes",
    "training": "training scenes",
    **{name: f"drawn, {name} objects" for name in CROWDED},
    **{name: f"drawn, {name} anywhere" for name in GIVEN},
    "chosen": "training and held-out scenes, chosen",
}
COLUMNS = {
    "scenes": "scenes",
    "nearest mean": "nearest pair, mean",
    "nearest 5 %": "5 %",
    "nearest 1 %": "1 %",
    "first": "1st from the middle",
    "second": "2nd",
    "third": "3rd",
    "too near": "share with a pair too near",
    "told apart": "told from real ones",
}


def pair_distances(centres: torch.Tensor) -> torch.Tensor:
    """(N, k (k - 1) / 2): distances between the objects of layouts (N, k, 2), in pixels."""
    first, second = torch.triu_indices(centres.shape[1], centres.shape[1], offset=1)
    return (centres[:, first] - centres[:, second]).norm(dim=2)


def facts_of(centres: torch.Tensor, middle: torch.Tensor, too_near: float) -> dict[str, float]:
    """What the table says of layouts (N, k, 2)."""
    nearest = pair_distances(centres).amin(dim=1)
    outward = (centres - middle).norm(dim=2).sort(dim=1).values.mean(dim=0)
    found = {
        "scenes": len(centres),
        "nearest mean": float(nearest.mean()),
        "nearest 5 %": float(nearest.quantile(0.05)),
        "nearest 1 %": float(nearest.quantile(0.01)),
        "too near": float((nearest < too_near).float().mean()),
    }
    found |= dict(zip(("first", "second", "third"), outward.tolist(), strict=False))
    return {name: round(value, 3) for name, value in found.items()}


def geometry(centres: torch.Tensor, middle: torch.Tensor) -> torch.Tensor:
    """(N, 15) features of layouts (N, 3, 2), whatever the order of their objects: the objects sorted by their distance
    from the middle, their offsets from it, those distances, and the distances between them with their logarithms."""
    away = centres - middle
    distance, order = away.norm(dim=2).sort(dim=1)
    away = away.gather(1, order.unsqueeze(2).expand_as(away))
    pairs = pair_distances(away)
    return torch.cat([away.flatten(1), distance, pairs, (1 + pairs).log()], dim=1)


def fitted(inputs: torch.Tensor, targets: torch.Tensor) -> nn.Module:
    """A small network that tells apart."""
    network = nn.Sequential(
        nn.Linear(inputs.shape[1], WIDTH), nn.SiLU(), nn.Dropout(0.2), nn.Linear(WIDTH, WIDTH), nn.SiLU(),
        nn.Dropout(0.2), nn.Linear(WIDTH, 1),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.1)
    for _ in range(EPOCHS):
        loss = F.binary_cross_entropy_with_logits(network(inputs).flatten(), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def told_apart(real: torch.Tensor, drawn: torch.Tensor) -> float:
    """How often a classifier of features (n, d) and (n, d) is right on layouts that it was not fitted on."""
    features = torch.cat([real, drawn])
    targets = torch.cat([torch.zeros(len(real)), torch.ones(len(drawn))])
    right = []
    with seeded():
        for _ in range(REPEATS):
            fold = torch.randperm(len(features)) % FOLDS
            for number in range(FOLDS):
                inside, outside = fold != number, fold == number
                mean, deviation = features[inside].mean(dim=0), features[inside].std(dim=0) + 1e-6
                network = fitted((features[inside] - mean) / deviation, targets[inside])
                with torch.inference_mode():
                    said = network((features[outside] - mean) / deviation).flatten() > 0
                right.append((said == (targets[outside] > 0.5)).float())
    return round(float(torch.cat(right).mean()), 4)


def layouts(
    model: Generator, prompts: Sequence[Prompt], repeat: int, given: Sequence[Given] | None = None
) -> torch.Tensor:
    """(N, k, 2) centres that the model draws for prompts of k objects each, rounded to pixels as real ones are."""
    settings = {} if given is None else {"places": given}
    found = model.places(prompts, seeds_of(repeat, len(prompts)), **settings)
    return torch.tensor([places.centres for places in found]).round()


def jittered(centres: torch.Tensor) -> torch.Tensor:
    """Centres somewhere within their pixels, so that no distance is tied."""
    return centres + torch.rand(centres.shape, generator=torch.Generator().manual_seed(0)) - 0.5


def chosen_evenly(centres: torch.Tensor, number: int) -> list[tuple[int, int]]:
    """`number` different scenes, and of each an object, of scenes' centres (S, 3, 2): each time the object that stands
    nearest to another place drawn evenly on the ground."""
    wanted = torch.tensor([centre for scene in scenes(1, number) for centre in scene.values()])
    left, found = centres.clone(), []
    for place in wanted:
        nearest = int((left - place).norm(dim=2).argmin())
        found.append(divmod(nearest, centres.shape[1]))
        left[found[-1][0]] = torch.inf
    return found


def around_given(job: Job, known: Layout, middle: torch.Tensor, too_near: float) -> dict[str, dict[str, float]]:
    """The rows of given places; `known` are scenes of three objects."""
    number = min(job.options.layouts, len(known) // 2)
    chosen = chosen_evenly(known.centres, 2 * number)
    half, other = (known.take(torch.tensor([scene for scene, _ in chosen[part::2]])) for part in (0, 1))
    real, prompts = geometry(jittered(other.centres), middle), label_sets(half.ticked())
    rows = {"chosen": facts_of(jittered(half.centres), middle, too_near)}
    rows["chosen"]["told apart"] = told_apart(real, geometry(jittered(half.centres), middle))
    for name, count in GIVEN.items():
        anywhere = [tuple(scene.values()) for scene in scenes(count, number)]
        given: list[Given] = [
            dict(zip(prompt, centres, strict=False)) for prompt, centres in zip(prompts, anywhere, strict=True)
        ]
        rows[name] = facts_of(jittered(layouts(job.model, prompts, 0, given)), middle, too_near)
        given = [own_places(half.take(slice(row, row + 1)), first, count) for row, (_, first) in enumerate(chosen[::2])]
        rows[name]["told apart"] = told_apart(real, geometry(jittered(layouts(job.model, prompts, 1, given)), middle))
    return rows


def own_places(scene: Layout, first: int, count: int) -> Given:
    """The places of some objects of one scene, from the first one's slot on."""
    slots = [(first + step) % MAX_TRAINED for step in range(count)]
    return {
        int(scene.objects[0, slot]): (float(scene.centres[0, slot, 0]), float(scene.centres[0, slot, 1]))
        for slot in slots
    }


def table(found: Mapping[str, Any]) -> str:
    """The Markdown table of an entry of the metrics."""
    return named_table("layouts", COLUMNS, {ROWS[name]: row for name, row in found["rows"].items()})


def compared(job: Job) -> dict[str, dict[str, float]]:
    """The rows of the table."""
    full = job.layout.objects.amin(dim=1) >= 0  # a scene's full layout: its picture of three objects
    held_out, training = ((full & part).nonzero().flatten() for part in (job.pictures.held_out, ~job.pictures.held_out))
    real = {name: jittered(job.layout.centres[part]) for name, part in (("held-out", held_out), ("training", training))}
    middle = real["training"][:, 0].mean(dim=0)
    too_near = float(pair_distances(real["training"]).amin(dim=1).quantile(0.01))
    # The classifier needs more scenes than are held out: training scenes join them, others are its floor.
    number = job.options.layouts
    mixed = training[torch.randperm(len(training), generator=torch.Generator().manual_seed(0))]
    chosen = torch.cat([held_out, mixed])[:number]
    known, other = (geometry(jittered(job.layout.centres[part]), middle) for part in (chosen, mixed[-number:]))
    prompts = label_sets(job.pictures.labels[chosen])
    drawn = jittered(torch.cat([layouts(job.model, prompts, repeat) for repeat in range(job.options.draws)]))
    rows = {name: facts_of(part, middle, too_near) for name, part in {"drawn": drawn, **real}.items()}
    rows["drawn"]["told apart"] = told_apart(known, geometry(drawn[: len(prompts)], middle))
    rows["training"]["told apart"] = told_apart(known, other)
    for name in CROWDED:
        rows[name] = facts_of(jittered(layouts(job.model, random_sets(BEYOND[name], 500), 0)), middle, too_near)
    return rows | around_given(job, job.layout.take(full), middle, too_near)


def run(job: Job) -> None:
    found = {"rows": compared(job), "layouts": job.options.layouts, "draws": job.options.draws}
    job.record("places", found)
    print(table(found))


MEASURE = Measure(
    name="places",
    about=__doc__ or "",
    needs=("data", "model"),
    run=run,
    options={
        "--layouts": {"type": positive, "default": 500, "help": "how many scenes of three objects are drawn"},
        "--draws": {"type": positive, "default": 3, "help": "how often each is drawn, for all but the classifier"},
    },
    card=lambda _, entries: table(entries["places"]),
)
