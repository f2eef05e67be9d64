"""The judge: a ResNet18 that says which of the 24 objects it sees in a picture.

    judge = load_evaluator()                      # or load_evaluator("checkpoint.pth"), the course's own weights
    verdict = judge(image, labels=["red cube"])
    verdict.accuracy, verdict.exact, verdict.missing, verdict.extra

**Accuracy** is the course's: of the k objects asked for, the share among the k most probable ones. It cannot see
extra objects, so **exact match** stands beside it: the objects above probability 0.5 are just those asked for.
The judge never teaches, guides or selects a generator.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn
from torchvision.models import resnet18

from clevr_demo.checkpoints import (
    CheckpointError,
    fingerprint,
    folder_of,
    load_weights,
    pick_device,
)
from clevr_demo.objects import OBJECTS, parse
from clevr_demo.pictures import from_image

THRESHOLD = 0.5


class EvaluatorNetwork(nn.Module):
    """ResNet18 with 24 outputs, laid out as the course's so that its checkpoint fits; returns logits."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet18 = resnet18(weights=None)
        self.resnet18.fc = nn.Sequential(nn.Linear(512, len(OBJECTS)), nn.Sigmoid())

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1] to (N, 512), what the last layer reads."""
        net = self.resnet18
        x = net.maxpool(net.relu(net.bn1(net.conv1(pixels))))
        x = net.layer4(net.layer3(net.layer2(net.layer1(x))))
        return torch.flatten(net.avgpool(x), 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1] to (N, 24) logits; their sigmoid is the probability."""
        return self.resnet18.fc[0](self.features(pixels))


@dataclass(frozen=True)
class Verdict:
    """What the judge sees in one picture. `probabilities` holds the 24 names; the rest compares it with a request."""

    probabilities: dict[str, float]
    requested: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """Share of the requested objects among the k most probable ones, k being how many were requested."""
        return self.hits / len(self.requested)

    @property
    def hits(self) -> int:
        ranked = sorted(self.probabilities, key=self.probabilities.__getitem__, reverse=True)
        return len(set(ranked[: len(self.requested)]) & set(self.requested))

    @property
    def seen(self) -> tuple[str, ...]:
        return tuple(name for name, p in self.probabilities.items() if p > THRESHOLD)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in self.requested if name not in self.seen)

    @property
    def extra(self) -> tuple[str, ...]:
        return tuple(name for name in self.seen if name not in self.requested)

    @property
    def exact(self) -> bool:
        return not self.missing and not self.extra


def topk_hits(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """(N,) hits of the course's metric for (N, 24) scores and multi-hot labels: true ones among each row's top k."""
    ranks = scores.argsort(dim=1, descending=True).argsort(dim=1)
    return ((ranks < labels.sum(dim=1, keepdim=True)) * labels).sum(dim=1)


def exact_matches(probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """(N,) booleans: the classes above 0.5 are just the labelled ones."""
    return ((probabilities > THRESHOLD) == (labels > 0.5)).all(dim=1)


class Evaluator:
    """Judges pictures; made by `load_evaluator`."""

    def __init__(self, network: EvaluatorNetwork, device: torch.device, name: str) -> None:
        self.network = network.to(device).eval().requires_grad_(False)
        self.device, self.name = device, name

    @torch.inference_mode()
    def probabilities(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1] to (N, 24) probabilities on the CPU."""
        return self.network(pixels.to(self.device)).sigmoid().cpu()

    @torch.inference_mode()
    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 3, 64, 64) in [-1, 1] to (N, 512) features on the CPU."""
        return self.network.features(pixels.to(self.device)).cpu()

    def __call__(self, image: Image.Image, labels: Any) -> Verdict:
        return self.judge([image], labels)[0]

    def judge(self, images: Sequence[Image.Image], labels: Any) -> list[Verdict]:
        """Verdicts on several pictures of one request, in one pass."""
        requested = tuple(OBJECTS[index] for index in parse(labels))
        rows = self.probabilities(torch.stack([from_image(image) for image in images])).tolist()
        return [Verdict(dict(zip(OBJECTS, row, strict=True)), requested) for row in rows]


def course_state(path: Path) -> dict[str, torch.Tensor]:
    """A ResNet18's weights in the course's checkpoint.pth, read without running anything pickled in it.

    The last layer may stand there as `fc.0` (followed by a sigmoid, as in the course's class) or as plain `fc`.
    """
    try:
        state = dict(torch.load(path, map_location="cpu", weights_only=True)["model"])
    except (OSError, KeyError, IndexError, TypeError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path}: not a checkpoint with weights under 'model' ({error})") from error
    except Exception as error:  # the unpickler's own error: the file holds more than tensors
        raise CheckpointError(f"{path}: refused, it holds more than weights ({error})") from error
    return {re.sub(r"^fc\.(?=weight|bias)", "fc.0.", name.removeprefix("resnet18.")): state[name] for name in state}


def load_evaluator(path: str | Path | None = None, device: str = "auto", name: str = "evaluator") -> Evaluator:
    """The judge that ships with the project, another checkpoint folder, or the course's own checkpoint.pth.

    Raises:
        CheckpointError: names the file that is missing or does not fit.
    """
    network = EvaluatorNetwork()
    if path is not None and Path(path).suffix in (".pth", ".pt"):
        try:
            network.resnet18.load_state_dict(course_state(Path(path)))
        except RuntimeError as error:
            raise CheckpointError(f"{path}: does not fit a ResNet18 with 24 outputs ({error})") from error
        return Evaluator(network, pick_device(device), Path(path).name)
    folder = folder_of(name, path)
    load_weights(network, folder)
    return Evaluator(network, pick_device(device), f"{name}@{fingerprint(folder)}")
