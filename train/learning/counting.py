"""Scores of the judge's eyes, counted the same way by its trainers and by the measures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from clevr_demo.judge.detector import Detector, Found
from clevr_demo.judge.evaluator import Evaluator, topk_hits
from clevr_demo.objects import decode
from train.data.iclevr import to_unit


def shown_by(labels: torch.Tensor) -> list[Counter[str]]:
    """How often each object is shown where labels (N, 24) say which are there: once each."""
    return [Counter(decode(row)) for row in labels]


def detected(judge: Detector | Evaluator, pixels: torch.Tensor, batch: int = 64) -> list[tuple[Found, ...]]:
    """The objects that are found in each of pixels (N, 3, 64, 64), uint8 or in [-1, 1]."""
    parts = [to_unit(part) if part.dtype == torch.uint8 else part for part in pixels.split(batch)]
    return [found for part in parts for found in judge.detect(part)]


def named(found: Sequence[Found]) -> Counter[str]:
    """How often each object is found in one picture."""
    return Counter(one.name for one in found)


def counted_exact(found: Sequence[Sequence[Found]], wanted: Sequence[Counter[str]]) -> float:
    """Share of the pictures in which just the wanted objects are found, each as often as wanted."""
    return sum(named(seen) == count for seen, count in zip(found, wanted, strict=True)) / len(wanted)


def right_number(found: Sequence[Sequence[Found]], wanted: Sequence[Counter[str]]) -> float:
    """Share of the pictures in which as many objects are found as are wanted, whichever they are."""
    return sum(len(seen) == count.total() for seen, count in zip(found, wanted, strict=True)) / len(wanted)


def accuracy(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The course's top-k accuracy of (N, 24) probabilities or logits, pooled over all that labels (N, 24) tick."""
    return topk_hits(scores, labels).sum() / labels.sum()


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """Within, torch's own randomness on the CPU is the seed's; afterwards it is what it was before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
