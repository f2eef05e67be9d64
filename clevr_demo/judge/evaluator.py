"""The judge: a detector that counts what a picture shows, and beside it the classifier of the course's measure.

    judge = load_evaluator()                      # or load_evaluator("checkpoint.pth"), the course's own weights
    verdict = judge(image, labels=["red cube"])
    verdict.sentence, verdict.exact, verdict.found, verdict.missing, verdict.extra, verdict.accuracy

**Counted exact** asks that what the detector finds is what was asked for, each object once and nothing else.
**Accuracy** is the course's: of the k objects asked for, the share among the k that the classifier holds most
probable; it cannot see extra objects, nor count. The judge never teaches, guides or selects a generator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from clevr_demo.checkpoints import fingerprint, folder_of, pick_device, read_config
from clevr_demo.engine import NO_GRAPHS, Graphs, open_graphs, without_weights
from clevr_demo.judge.classifier import GRAPHS, load_classifier
from clevr_demo.judge.course import is_course, load_course_resnet
from clevr_demo.judge.detector import Detector, Found, load_detector
from clevr_demo.objects import OBJECTS, parse
from clevr_demo.pictures import from_image

THRESHOLD = 0.5
MAX_JUDGED = 6
"""The most objects of a picture that the detector learned from. Of more it may miss some; what it finds is there."""
BEYOND = f"the judge learned with at most {MAX_JUDGED} objects, so others may be there unseen"
TIMES = {2: "twice", 3: "three times", 4: "four times", 5: "five times", 6: "six times"}
ALL = {1: "Drawn", 2: "Both drawn"}  # and else "All 3 drawn"


@dataclass(frozen=True)
class Verdict:
    """What the judge sees in one picture, compared with what was asked for.

    `probabilities` are the classifier's, of the 24 names, and empty where it was not asked; `requested` the names asked
    for; `found` every object that the detector sees, doubles as two entries.
    """

    probabilities: dict[str, float]
    requested: tuple[str, ...]
    found: tuple[Found, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How often each object is found, in the vocabulary's order."""
        seen = Counter(found.name for found in self.found)
        return {name: seen[name] for name in OBJECTS if name in seen}

    @property
    def seen(self) -> tuple[str, ...]:
        """The names found, each once."""
        return tuple(self.counts)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in self.requested if name not in self.counts)

    @property
    def doubled(self) -> tuple[str, ...]:
        """Of the requested ones, those found more often than once."""
        return tuple(name for name in self.requested if self.counts.get(name, 0) > 1)

    @property
    def extra(self) -> tuple[str, ...]:
        """What is there and should not be: unwanted objects, and wanted ones found more often than once."""
        return tuple(name for name in self.counts if name not in self.requested or name in self.doubled)

    @property
    def exact(self) -> bool:
        """Counted exact: what is found is what was asked for, each once."""
        return not self.missing and not self.extra

    @property
    def beyond_training(self) -> bool:
        """Whether more objects are asked for than the detector ever saw in one picture."""
        return len(self.requested) > MAX_JUDGED

    @property
    def hits(self) -> int:
        """The course's: how many of the k requested objects are among the k most probable ones. A ValueError where the
        classifier was not asked."""
        if not self.probabilities:
            raise ValueError("the classifier was not asked, of whose probabilities the course's measure is made")
        ranked = sorted(self.probabilities, key=self.probabilities.__getitem__, reverse=True)
        return len(set(ranked[: len(self.requested)]) & set(self.requested))

    @property
    def accuracy(self) -> float:
        """The course's measure of this picture, in [0, 1]."""
        return self.hits / len(self.requested)

    @property
    def sentence(self) -> str:
        """The verdict in words: "2 of 3 drawn: yellow cylinder missing", "3 drawn, but red cube twice"; of more objects
        than the judge learned with, only what is certain."""
        asked, drawn = len(self.requested), len(self.requested) - len(self.missing)
        if self.beyond_training and self.missing:
            return f"At least {drawn} of {asked} drawn: {BEYOND}"
        faults = [self.counted(name) for name in self.doubled]
        if unwanted := [self.counted(name) for name in self.counts if name not in self.requested]:
            faults.append(f"also {listed(unwanted)}")
        if self.missing:
            return f"{drawn} of {asked} drawn: " + ", ".join([f"{listed(self.missing)} missing", *faults])
        if faults:
            return f"{drawn} drawn, but " + ", ".join(faults)
        return f"{ALL.get(asked, f'All {asked} drawn')}, nothing else"

    def counted(self, name: str) -> str:
        """A name that is found, and how often, unless once: "red cube twice"."""
        count = self.counts[name]
        return name if count == 1 else f"{name} {TIMES.get(count, f'{count} times')}"


def listed(names: Sequence[str]) -> str:
    """Names as they are read out: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def topk_hits(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """(N,) hits of the course's metric for (N, 24) scores and multi-hot labels: true ones among each row's top k."""
    ranks = scores.argsort(dim=1, descending=True).argsort(dim=1)
    return ((ranks < labels.sum(dim=1, keepdim=True)) * labels).sum(dim=1)


def exact_matches(probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """(N,) booleans: the classes above 0.5 are just the labelled ones."""
    return ((probabilities > THRESHOLD) == (labels > 0.5)).all(dim=1)


class Evaluator:
    """Judges pictures; made by `load_evaluator`. Where there are `graphs` of the classifier, those run."""

    def __init__(
        self, classifier: nn.Module, detector: Detector, device: torch.device, name: str, temperature: float = 1.0,
        graphs: Graphs = NO_GRAPHS,
    ) -> None:  # fmt: skip
        classifier = classifier.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.classifier = classifier.eval().requires_grad_(False)
        self.detector, self.device, self.name, self.temperature = detector, device, name, temperature
        self.graphs = graphs
        if graphs:
            without_weights(classifier)

    @torch.inference_mode()
    def probabilities(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1] to (N, 24) probabilities on the CPU, calibrated on held-out pictures."""
        if self.graphs:
            logits = self.graphs["classifier"](pixels=pixels)
        else:
            logits = self.classifier(pixels.to(self.device, memory_format=torch.channels_last))
        # Each picture's by themselves: the last digit depends on where in its vector register a number stands.
        return torch.stack([row.sigmoid() for row in (logits / self.temperature).cpu()])

    def detect(self, pixels: torch.Tensor) -> list[tuple[Found, ...]]:
        """The objects in each of pixels (N, 3, 64, 64) in [-1, 1], the surest first."""
        return self.detector.detect(pixels)

    def __call__(self, image: Image.Image, labels: Any) -> Verdict:
        return self.judge([image], labels)[0]

    def judge(self, images: Sequence[Image.Image], labels: Any, course: bool = True) -> list[Verdict]:
        """Verdicts on several pictures of one request; without the `course`'s measure, by the detector alone."""
        requested = tuple(OBJECTS[index] for index in parse(labels))
        pixels = torch.stack([from_image(image) for image in images])
        rows = self.probabilities(pixels).tolist() if course else [[]] * len(pixels)
        return [
            Verdict(dict(zip(OBJECTS, row, strict=course)), requested, seen)
            for row, seen in zip(rows, self.detect(pixels), strict=True)
        ]


def load_evaluator(
    path: str | Path | None = None,
    device: str = "auto",
    detector: str | Path | None = None,
    revision: str | None = None,
) -> Evaluator:
    """The judge that ships with the project.

    Args:
        path: another classifier's checkpoint folder, its name on the Hub, or the course's own checkpoint.pth (see
            `judge.course`); it serves the course's measure only.
        detector: another detector's checkpoint folder, or its name on the Hub.
        revision: of the classifier on the Hub.

    Raises:
        CheckpointError: names the file that is missing or does not fit.
    """
    eye, place = load_detector(detector, device), pick_device(device)
    if path is not None and is_course(Path(path)):
        course, name = load_course_resnet(Path(path))
        return Evaluator(course, eye, place, f"{eye.name}+{name}")
    folder = folder_of("classifier", path, revision)
    name = f"{eye.name}+classifier@{fingerprint(folder)}"
    classifier, temperature = load_classifier(folder, "classifier"), read_config(folder).get("temperature", 1.0)
    return Evaluator(classifier, eye, place, name, temperature, open_graphs(folder, GRAPHS, place))
