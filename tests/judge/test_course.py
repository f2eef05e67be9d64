"""The course's own checkpoint, in whatever file it was saved: read where that is safe, and checked like ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from clevr_demo.checkpoints import CheckpointError
from clevr_demo.judge.course import load_course_resnet
from clevr_demo.judge.evaluator import load_evaluator
from clevr_demo.pictures import from_image
from tests.conftest import draw


def course_network(last: nn.Module) -> nn.Module:
    """The course's evaluator, weights unlike any default."""
    torch.manual_seed(3)
    network = resnet18(weights=None)
    network.fc = last
    return network.eval()


LAYOUTS: dict[str, Callable[[], tuple[nn.Module, str]]] = {
    "fc.0, as in the course's class": lambda: (nn.Sequential(nn.Linear(512, 24), nn.Sigmoid()), ""),
    "plain fc": lambda: (nn.Linear(512, 24), ""),
    "with the class's prefix": lambda: (nn.Sequential(nn.Linear(512, 24), nn.Sigmoid()), "resnet18."),
}


@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.parametrize("zipped", [True, False])
def test_the_course_checkpoint_drops_in(tmp_path: Path, layout: str, zipped: bool) -> None:
    last, prefix = LAYOUTS[layout]()
    network = course_network(last)
    state = {prefix + name: value for name, value in network.state_dict().items()}
    path = tmp_path / "checkpoint.pth"
    torch.save({"model": state, "epoch": 3}, path, _use_new_zipfile_serialization=zipped)
    judge = load_evaluator(path, device="cpu")
    image = draw(["red cube", "blue sphere"])
    with torch.inference_mode():
        expected = network(from_image(image).unsqueeze(0))[0]
    if not isinstance(last, nn.Sequential):
        expected = expected.sigmoid()
    assert list(judge(image, ["red cube"]).probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-5)
    assert re.fullmatch(r"detector@[0-9a-f]{8}\+checkpoint@[0-9a-f]{8}", judge.name)


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_malicious_pickle_is_refused_unrun(tmp_path: Path) -> None:
    path, trace = tmp_path / "checkpoint.pth", tmp_path / "trace"
    torch.save({"model": Malicious(trace)}, path)
    with pytest.raises(CheckpointError, match=f"{path}: refused"):
        load_evaluator(path)
    assert not trace.exists()
    torch.load(path, weights_only=False)  # it would have run
    assert trace.exists()


@pytest.mark.parametrize(
    "content", [{"weights": {}}, [], 3, {"model": 3}, {"model": torch.zeros(3)}, {"model": {}}, {"model": {"fc": 1}}]
)
def test_another_layout_is_named(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "checkpoint.pth"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=str(path)):
        load_evaluator(path)


def test_a_missing_and_a_broken_file_are_named(tmp_path: Path, judge_folder: Path) -> None:
    with pytest.raises(CheckpointError, match=str(tmp_path / "checkpoint.pth")):
        load_evaluator(tmp_path / "checkpoint.pth")
    (tmp_path / "checkpoint.pth").write_bytes(b"not weights")
    with pytest.raises(CheckpointError, match=str(tmp_path / "checkpoint.pth")):
        load_evaluator(tmp_path / "checkpoint.pth")
    with pytest.raises(CheckpointError, match=f"{tmp_path / 'nowhere'}.*missing"):
        load_evaluator(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match=f"{tmp_path / 'nowhere'}.*missing"):
        load_evaluator(judge_folder, detector=tmp_path / "nowhere")


def state(value: float | None = None) -> dict[str, torch.Tensor]:
    """Weights of a ResNet18 with 24 outputs; one of them may be another number."""
    torch.manual_seed(0)
    network = resnet18(weights=None, num_classes=24)
    if value is not None:
        with torch.no_grad():
            network.layer3[0].conv1.weight[0, 0, 0, 0] = value
    return network.state_dict()


FORMS: dict[str, Callable[[], Any]] = {
    "under model": lambda: {"model": state()},
    "under state_dict": lambda: {"state_dict": state(), "epoch": 7},
    "raw": state,
    "of DataParallel": lambda: {"model": {f"module.{name}": value for name, value in state().items()}},
    "compiled": lambda: {f"_orig_mod.resnet18.{name}": value for name, value in state().items()},
    "of Lightning": lambda: {"state_dict": {f"model.{name}": value for name, value in state().items()}},
    "beside a NumPy number": lambda: {"model": state(), "accuracy": np.float64(0.97), "best": np.float32(1)},
    "in half precision": lambda: {"model": {n: v.half() if v.is_floating_point() else v for n, v in state().items()}},
    "without counters": lambda: {n: v for n, v in state().items() if not n.endswith("num_batches_tracked")},
}


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("name", ["checkpoint.pth"])
def test_weights_are_found_wherever_a_checkpoint_holds_them(form: str, name: str, tmp_path: Path) -> None:
    torch.save(FORMS[form](), tmp_path / name)
    network, _ = load_course_resnet(tmp_path / name)
    weight = network.resnet18.layer3[0].conv1.weight
    assert torch.allclose(weight, state()["layer3.0.conv1.weight"], atol=1e-3)


@pytest.mark.parametrize("name", ["best.PTH", "model.pth.tar", "last.ckpt", "weights.pt", "pytorch_model.BIN"])
def test_a_checkpoint_may_be_called_as_people_call_it(name: str, tmp_path: Path) -> None:
    torch.save({"model": state()}, tmp_path / name)
    network: Any = load_evaluator(tmp_path / name, "cpu").classifier
    assert network.resnet18.fc[0].out_features == 24


def test_two_files_of_one_name_are_two_judges(tmp_path: Path) -> None:
    names = []
    for number, value in enumerate((0.5, 0.25)):
        path = tmp_path / str(number) / "checkpoint.pth"
        path.parent.mkdir()
        torch.save({"model": state(value)}, path)
        names.append(load_course_resnet(path)[1])
    assert len(set(names)) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    torch.save({"model": state(value)}, path)
    with pytest.raises(CheckpointError, match=rf"{path}: layer3.0.conv1.weight holds numbers that are not finite"):
        load_evaluator(path, "cpu")


def test_a_whole_pickled_network_is_refused_with_how_to_save_it(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    torch.save(resnet18(weights=None, num_classes=24), path)
    with pytest.raises(CheckpointError, match=r"refused, .*; save the weights alone: torch.save"):
        load_course_resnet(path)


def test_a_network_of_other_outputs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    torch.save({"model": resnet18(weights=None).state_dict()}, path)
    with pytest.raises(CheckpointError, match=r"fit a ResNet18 with 24 outputs \(fc.0.weight is \[1000, 512\]"):
        load_course_resnet(path)
