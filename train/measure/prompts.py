"""Prompt sets by name: the course's two files, and sets that are drawn from the pictures' labels or from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from clevr_demo.objects import OBJECTS
from train.data.iclevr import VALIDATION, DataError, Pictures, find_prompts, load_prompts, validation_prompts

FILES = ("test", "new_test")
BEYOND = {"four": 4, "five": 5}  # how many objects; the training pictures hold three at most
RANDOM_SETS = 64  # as many prompts as both files together
NAMES = (*FILES, *VALIDATION, *BEYOND)

Prompt = tuple[int, ...]


def random_sets(count: int, number: int = RANDOM_SETS, seed: int = 0) -> list[Prompt]:
    """`number` random sets of `count` objects, the same ones every time."""
    choice = random.Random(f"{seed} {count}")
    return [tuple(sorted(choice.sample(range(len(OBJECTS)), count))) for _ in range(number)]


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
        return load_prompts(find_prompts(f"{name}.json" if name in FILES else name, data))
    except DataError as error:
        raise DataError(f"{error} (prompt sets by name: {', '.join(NAMES)})") from None
