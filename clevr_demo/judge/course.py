"""The course's own evaluator, a ResNet18, out of whatever file its weights were saved in.

Nothing pickled in it is run: tensors, numbers and texts are read, anything else is refused with how to save it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from clevr_demo.checkpoints import CheckpointError, fitting, reason
from clevr_demo.objects import OBJECTS

ENDINGS = (".pth", ".pt", ".pth.tar", ".tar", ".ckpt", ".bin")
HOLDERS = ("model", "state_dict", "model_state_dict", "net", "network", "evaluator")
"""Under which names the weights of a checkpoint are sought, before its own first level."""
PREFIXES = re.compile(r"^(module\.|_orig_mod\.|model\.|resnet18\.)+")
"""What wrappers put before a weight's name: DataParallel, torch.compile, and the course's own class."""
NUMPY = [(np.float64().__reduce__()[0], f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
SAFE: list[Any] = [*NUMPY, np.dtype, *(kind for kind in vars(np.dtypes).values() if isinstance(kind, type))]
"""What a NumPy number, such as the accuracy beside the weights, is pickled with."""
HOW = "save the weights alone: torch.save({'model': network.state_dict()}, 'checkpoint.pth')"


class CourseResNet18(nn.Module):
    """ResNet18 with 24 outputs, laid out as the course's so that its checkpoint fits; returns logits."""

    def __init__(self) -> None:
        from torchvision.models import resnet18  # here: it takes much memory, and few have such a file

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
        logits: torch.Tensor = self.resnet18.fc[0](self.features(pixels))
        return logits


def is_course(path: Path) -> bool:
    """Whether a path is such a file, by its ending, however it is written; a folder is none."""
    return path.name.lower().endswith(ENDINGS) and not path.is_dir()


def weights_in(found: Any) -> dict[str, torch.Tensor]:
    """The tensors by their names in a plain ResNet18, wherever in a checkpoint they stand; empty if nowhere."""
    if not isinstance(found, Mapping):
        return {}
    if inner := next(filter(None, (weights_in(found[name]) for name in HOLDERS if name in found)), {}):
        return inner
    tensors = {PREFIXES.sub("", str(name)): value for name, value in found.items() if isinstance(value, torch.Tensor)}
    return {re.sub(r"^fc\.(?=weight|bias)", "fc.0.", name): value for name, value in tensors.items()}


def load_course_resnet(path: Path) -> tuple[CourseResNet18, str]:
    """The network with the file's weights, and its name: the file's, with the first eight hex digits of its SHA-256.

    Raises:
        CheckpointError: the file cannot be read, holds more than weights, or weights that are not a ResNet18's with 24
            outputs, or not finite.
    """
    try:
        with torch.serialization.safe_globals(SAFE):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    except Exception as error:  # a cut file, no file of torch's, or the unpickler's own error: more than tensors
        told = reason(error)
        if "nsupported" in str(error) or "weights_only" in str(error).lower():
            raise CheckpointError(f"{path}: refused, it holds more than weights; {HOW}") from error
        raise CheckpointError(f"{path}: not a checkpoint of torch's ({told})") from error
    state, network = weights_in(found), CourseResNet18()
    if not state:
        raise CheckpointError(f"{path}: holds no weights under 'model' or elsewhere; {HOW}")
    expected = network.resnet18.state_dict()
    counters = {name: value for name, value in expected.items() if name.endswith("num_batches_tracked")}
    network.resnet18.load_state_dict(fitting(counters | state, expected, path, "a ResNet18 with 24 outputs"))
    return network, f"{path.stem}@{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
