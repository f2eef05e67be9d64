"""Counting: what is found against what is wanted."""

from __future__ import annotations

import torch

from clevr_demo.judge.detector import Found
from clevr_demo.objects import OBJECTS, multi_hot
from train.learning.counting import counted_exact, right_number, seeded, shown_by


def test_counting_sees_doubles_missing_and_extra_objects() -> None:
    def seen(*names: int) -> list[Found]:
        return [Found(OBJECTS[name], 0.0, 0.0, 1.0) for name in names]

    found = [seen(1, 2), seen(2, 1), seen(1, 1), seen(1), seen(1, 2, 3), seen(1, 3)]
    wanted = shown_by(multi_hot([(1, 2)] * 6))
    assert counted_exact(found, wanted) == 2 / 6
    assert right_number(found, wanted) == 4 / 6


def test_a_seed_holds_within_and_leaves_what_comes_after() -> None:
    torch.manual_seed(5)
    with seeded(3):
        inside = torch.rand(2)
    after = torch.rand(2)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(2))
    torch.manual_seed(3)
    assert torch.equal(inside, torch.rand(2))
