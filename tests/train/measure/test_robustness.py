"""What the judge says of spoiled pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from clevr_demo.objects import OBJECTS, decode, multi_hot
from train.data.composing import Composer
from train.data.iclevr import load_pictures
from train.data.layout import find_layout
from train.measure import robustness
from train.measure.prompts import held_out_prompts


class Knowing:
    """A judge that is told what to see."""

    def __init__(self, seen: Sequence[Counter[str]]) -> None:
        self.left = [tuple(SimpleNamespace(name=name) for name in names.elements()) for names in seen]

    def detect(self, pixels: torch.Tensor) -> list[tuple[Any, ...]]:
        found, self.left = self.left[: len(pixels)], self.left[len(pixels) :]
        return found

    def probabilities(self, pixels: torch.Tensor) -> torch.Tensor:
        found = torch.zeros(len(pixels), len(OBJECTS))
        found[:, 0], found[:, 5] = 1.0, 0.5
        return found


def test_as_asked_and_as_shown_differ_for_a_double() -> None:
    labels = multi_hot([(0,), (0, 1)])
    shown = [Counter({OBJECTS[0]: 2}), Counter({OBJECTS[0]: 1, OBJECTS[1]: 1})]
    found = robustness.judged(Knowing(shown), (torch.zeros(2, 3, 64, 64), shown), labels)
    assert (found["asked"], found["exact"], found["number"]) == (0.5, 1.0, 1.0)
    one_missed = [Counter({OBJECTS[0]: 1}), shown[1]]
    found = robustness.judged(Knowing(one_missed), (torch.zeros(2, 3, 64, 64), shown), labels)
    assert (found["asked"], found["exact"], found["number"]) == (1.0, 0.5, 0.5)
    assert found["accuracy"] == pytest.approx(2 / 3, abs=1e-3)


@pytest.mark.data
def test_spoiled_pictures_show_what_they_are_said_to(real_data: Path) -> None:
    pictures = load_pictures(real_data, progress=False).split()[1]
    held_out, _ = held_out_prompts(pictures, 60)
    torch.manual_seed(0)
    compose = Composer(pictures, find_layout(pictures))
    found = {name: make() for name, make in robustness.versions(pictures, held_out, compose)}
    counts = [Counter(decode(row)) for row in pictures.labels[held_out]]
    plain = found[robustness.AS_THEY_ARE]
    assert plain[1] == counts
    removed, overlapping = found["one object removed"], found["two objects overlapping by a third"]
    assert all(a.total() == b.total() - 1 for a, b in zip(removed[1], counts, strict=True))
    assert sum(a.total() == b.total() + 1 for a, b in zip(overlapping[1], counts, strict=True)) > 50
    assert all(not names for names in found[f"blobs: {robustness.BLOBS['filled']}"][1])
    away = [(pixels - plain[0]).abs().mean() for name, (pixels, _) in found.items() if name.startswith("blurred")]
    assert away == sorted(away)
