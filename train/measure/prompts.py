"""Prompt sets by name: the course's two files, and sets that are drawn from the pictures' labels or from a seed; and
scenes, whose objects are asked for at places anywhere on the ground."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import torch

from clevr_demo.objects import MAX_TRAINED, OBJECTS
from clevr_demo.places import Given
from train.data.iclevr import DataError, Pictures, find_prompts, label_sets, listing_folder, load_prompts
from train.data.scenes import spots

FILES = ("test", "new_test")
VALIDATION = ("held-out", "seen-triples", "unseen-triples")
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
BEYOND = {name: count for count, name in enumerate(NUMBERS, start=1) if count > MAX_TRAINED}
RANDOM_SETS = 64  # as many prompts as both files together
NAMES = (*FILES, *VALIDATION, *BEYOND)
ANYWHERE = "anywhere"  # the set of scenes
SCENES = 200  # of it, of each number of objects
APART = 9.0  # pixels between two objects of a scene, at least

Prompt = tuple[int, ...]


def random_sets(count: int, number: int = RANDOM_SETS, seed: int = 0) -> list[Prompt]:
    """`number` random sets of `count` objects, the same ones every time."""
    choice = random.Random(f"{seed} {count}")
    return [tuple(sorted(choice.sample(range(len(OBJECTS)), count))) for _ in range(number)]


def scenes(objects: int, number: int) -> list[Given]:
    """`number` scenes of so many objects, the same ones every time."""
    generator, whole = torch.Generator().manual_seed(objects), torch.zeros(0, objects, 2)
    while len(whole) < number:
        centres = spots(torch.full((number,), objects), APART, generator)[:, :objects]
        whole = torch.cat([whole, centres[~centres.flatten(1).isnan().any(dim=1)]])
    sets = zip(random_sets(objects, number), whole[:number].tolist(), strict=True)
    return [dict(zip(prompt, map(tuple, centres), strict=True)) for prompt, centres in sets]


def read_prompts(name: str, data: Path, pictures: Callable[[], Pictures]) -> list[Prompt]:
    """The prompts of a set: one of `NAMES`, or the path or name of another prompt file.

    `pictures` is only called for the sets that are made from labels.

    Raises:
        DataError: names the file that is missing or broken.
    """
    if name in BEYOND:
        return random_sets(BEYOND[name])
    if name in VALIDATION:
        return validation_prompts(name, pictures())
    try:
        return load_prompts(listing_folder(data) / f"{name}.json" if name in FILES else find_prompts(name, data))
    except DataError as error:
        raise DataError(f"{error} (prompt sets by name: {', '.join(NAMES)})") from None


def validation_prompts(name: str, pictures: Pictures) -> list[Prompt]:
    """Prompts to choose settings by, so that test.json and new_test.json are only scored at the end.

    "held-out": 128 label sets of the held-out scenes, evenly spread; "unseen-triples": every triple that no picture
    shows at all; "seen-triples": as many that training pictures show, to compare those with.
    """
    training, held_out = pictures.split()
    if name == "held-out":
        return evenly(distinct(held_out), 128)
    unseen = unseen_triples(pictures)
    if name == "unseen-triples":
        return unseen
    return evenly([prompt for prompt in distinct(training) if len(prompt) == 3], len(unseen))


def distinct(pictures: Pictures) -> list[Prompt]:
    """The sets of objects that pictures show, each once, sorted."""
    return sorted(set(label_sets(pictures.labels)))


def unseen_triples(pictures: Pictures) -> list[Prompt]:
    """All sets of three objects that no picture shows."""
    seen = set(label_sets(pictures.labels))
    return [triple for triple in combinations(range(len(OBJECTS)), 3) if triple not in seen]


def evenly(found: Sequence[Prompt], number: int) -> list[Prompt]:
    """At most `number` of them, evenly spread."""
    return list(found[:: max(1, len(found) // max(1, number))][:number])


def held_out_prompts(pictures: Pictures, number: int = 0) -> tuple[torch.Tensor, list[Prompt]]:
    """Indices of at most `number` held-out pictures, evenly spread, or of all of them for 0; and what they show."""
    found = pictures.held_out.nonzero().flatten()
    if 0 < number < len(found):
        found = found[torch.linspace(0, len(found) - 1, number).long()]
    return found, label_sets(pictures.labels[found])
