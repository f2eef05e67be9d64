"""Measures what the page's lessons claim, by real draws: python -m tests.lessons (about ten minutes on one core).

Prints a line a claim; compare them with the answers in `clevr_demo.serve.lessons`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import clevr_demo
from clevr_demo.generators import acgan, ddpm
from clevr_demo.objects import OBJECTS
from clevr_demo.places import NEAREST, room

MODELS = {name: clevr_demo.load(name) for name in ("ddpm", "acgan")}
judge = clevr_demo.load_evaluator()
Place = tuple[float, float]


def exact(model: str, labels: list[str], seed: int, steps: int = 4, **given: Any) -> bool:
    return judge(MODELS[model].generate(labels, seed, steps, **given).image, labels=labels).exact


def placed(model: str, labels: list[str], seed: int, given: dict[str, Place]) -> dict[str, Place]:
    """Where a model places a request's objects."""
    found = MODELS[model].places([labels], [seed], places=[given or None])[0]
    return {OBJECTS[index]: place for index, place in zip(found.objects, found.centres, strict=True)}


def far(one: Place, other: Place) -> float:
    return float(np.hypot(one[0] - other[0], one[1] - other[1]))


def halves(place: Place) -> Place:
    return round(2 * place[0]) / 2, round(2 * place[1]) / 2


def how_few_steps(count: int = 30) -> Iterator[str]:
    draw = random.Random(1)
    requests = [draw.sample(OBJECTS, 3) for _ in range(count)]
    for steps in (1, 2, 4, 20):
        right = sum(exact("ddpm", labels, seed, steps) for seed, labels in enumerate(requests))
        yield f"{steps} steps: {right} of {count} exact"


def what_dice_own(count: int = 12) -> Iterator[str]:
    draw = random.Random(1)
    for name, model in MODELS.items():
        for source in {"ddpm": ("places", "pixels"), "acgan": ("places", "looks", "light", "grain")}[name]:
            moved, inside, outside = [], [], []
            for seed in range(count):
                labels = draw.sample(OBJECTS, 3)
                one, other = (model.generate(labels, seed, 4, seeds=seeds) for seeds in ({}, {source: 1000 + seed}))
                pairs = zip(one.places.centres, other.places.centres, strict=True)
                moved.append(max(far(before, after) for before, after in pairs))
                change = np.abs(np.asarray(one.image, float) - np.asarray(other.image, float)).mean(2)
                rows, columns = np.mgrid[:64, :64]
                near = np.zeros((64, 64), bool)
                for row, column in one.places.centres:
                    near |= np.hypot(rows - row, columns - column) < 8
                inside.append(change[near].mean())
                outside.append(change[~near].mean())
            told = f"objects change by {np.mean(inside):.1f} levels, the rest by {np.mean(outside):.1f}"
            yield f"{name}, {source}: places move by {np.median(moved):.1f} pixels; {told}"


def dragged(count: int = 30) -> Iterator[str]:
    draw = random.Random(1)
    for name, steps in (("ddpm", 20), ("acgan", 1)):
        there, others, tried = 0, 0, 0
        for seed in range(count):
            labels = draw.sample(OBJECTS, 3)
            given, target = placed(name, labels, seed, {}), (draw.uniform(24, 44), draw.uniform(14, 50))
            if min(far(target, given[one]) for one in labels[1:]) < 14:
                continue
            tried += 1
            given = {one: halves(target if one == labels[0] else place) for one, place in given.items()}
            picture = MODELS[name].generate(labels, seed, steps, places=given).image
            close = [one.name for one in judge(picture, labels=labels).found if one.name in labels
                     and far((one.row, one.column), given[one.name]) < 4]  # fmt: skip
            there += labels[0] in close
            others += set(labels[1:]) <= set(close)
        yield f"{name}: of {tried} moved, {there} are where they were put, and all others in {others}"


def around_what_is_fixed(count: int = 40) -> Iterator[str]:
    for name in MODELS:
        draw, same = random.Random(1), 0
        for seed in range(count):
            labels = draw.sample(OBJECTS, 3)
            free, target = placed(name, labels, seed, {}), (0.0, 0.0)
            while min(far(target, free[one]) for one in labels[1:]) < 14 or target == (0.0, 0.0):
                target = (draw.uniform(22, 44), draw.uniform(12, 52))
            after = placed(name, labels, seed, {labels[0]: halves(target)})
            same += all(far(free[one], after[one]) < 0.01 for one in labels[1:])
        yield f"{name}: with one fixed clear of them, the others stay in {same} of {count}"


def first_tries(count: int = 100) -> Iterator[str]:
    for name, module in (("ddpm", ddpm), ("acgan", acgan)):
        module.giving_way, later = lambda tries, fixed: next(iter(tries))[1], module.giving_way  # type: ignore[attr-defined]
        draw, bad = random.Random(3), 0
        for seed in range(count):
            labels = draw.sample(OBJECTS, 3)
            given = {labels[0]: halves((draw.uniform(22, 44), draw.uniform(12, 52)))}
            after = placed(name, labels, seed, given)
            bad += room(torch.tensor(list(after.values())), torch.tensor([one in given for one in after])) < NEAREST
        module.giving_way = later  # type: ignore[attr-defined]
        yield f"{name}: the first try is too near in {bad} of {count}"


def where_they_fail(count: int = 30) -> Iterator[str]:
    draw = random.Random(1)
    for number in (1, 2, 3, 4, 5, 6):
        requests = [draw.sample(OBJECTS, number) for _ in range(count)]
        right = {name: sum(exact(name, labels, seed) for seed, labels in enumerate(requests)) for name in MODELS}
        yield f"{number} objects: {right} of {count} exact"
    draw = random.Random(4)
    for name in MODELS:
        near, wall = 0, 0
        for seed in range(20):
            pair, row, column = draw.sample(OBJECTS, 2), draw.uniform(26, 42), draw.uniform(18, 46)
            near += exact(name, pair, seed, places={pair[0]: (row, column), pair[1]: (row + 1, column + 4)})
            one = draw.sample(OBJECTS, 1)
            wall += exact(name, one, seed, places={one[0]: (draw.uniform(2, 9), draw.uniform(4, 60))})
        yield f"{name}: four pixels apart {near} of 20 exact, on the wall {wall}"


CLAIMS: tuple[Callable[[], Iterator[str]], ...] = (
    how_few_steps, what_dice_own, dragged, around_what_is_fixed, first_tries, where_they_fail,
)  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    for claim in CLAIMS:
        for line in claim():
            print(f"{claim.__name__}: {line}", flush=True)
