"""The judge: both metrics against a slow reference, verdicts, and the course's own checkpoint."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

import clevr_demo
from clevr_demo.checkpoints import CheckpointError
from clevr_demo.evaluator import Evaluator, Verdict, exact_matches, load_evaluator, topk_hits
from clevr_demo.objects import OBJECTS, InputError, multi_hot
from clevr_demo.pictures import from_image
from tests.conftest import draw, shipped
from train.benchmark import score as pooled_scores
from train.data import load_pictures
from train.evaluator import score


def reference_scores(rows: list[list[float]], sets: list[list[int]]) -> tuple[float, float]:
    """(pooled top-k accuracy, exact match), a picture and an object at a time."""
    hits = wanted = exact = 0
    for row, objects in zip(rows, sets, strict=True):
        left = dict(enumerate(row))
        for _ in objects:
            best = max(left, key=lambda index: left[index])
            del left[best]
            hits += best in objects
            wanted += 1
        exact += {index for index, p in enumerate(row) if p > 0.5} == set(objects)
    return hits / wanted, exact / len(rows)


def random_cases(seed: int, count: int) -> tuple[torch.Tensor, list[list[int]]]:
    """Probabilities that are right about as often as wrong, and the sets that were asked for."""
    pick = random.Random(seed)
    sets = [pick.sample(range(24), pick.randint(1, 5)) for _ in range(count)]
    noise = torch.rand(count, 24, generator=torch.Generator().manual_seed(seed))
    right = torch.tensor([pick.random() < 0.5 for _ in range(count)]).unsqueeze(1)
    return torch.where(right, 0.49 * noise + 0.5 * multi_hot(sets), noise), sets


@pytest.mark.parametrize("seed", range(5))
def test_both_metrics_agree_with_a_slow_reference(seed: int) -> None:
    probabilities, sets = random_cases(seed, 60)
    expected = reference_scores(probabilities.tolist(), sets)
    assert 0.3 < expected[0] < 0.95
    assert 0.2 < expected[1] < 0.8
    assert pooled_scores(probabilities, sets) == pytest.approx(expected)
    rows = probabilities.tolist()
    verdicts = [
        Verdict(dict(zip(OBJECTS, row, strict=True)), tuple(OBJECTS[i] for i in objects))
        for row, objects in zip(rows, sets, strict=True)
    ]
    assert sum(v.hits for v in verdicts) / sum(map(len, sets)) == pytest.approx(expected[0])
    assert sum(v.exact for v in verdicts) / len(sets) == pytest.approx(expected[1])


def test_hits_are_counted_over_objects_not_pictures() -> None:
    probabilities, labels = torch.zeros(2, 24), multi_hot([[0], [0, 1, 2]])
    probabilities[:, 5:9] = torch.tensor([[0.9, 0.8, 0.7, 0.6]])
    probabilities[0, 0] = 1.0
    assert topk_hits(probabilities, labels).tolist() == [1, 0]
    assert pooled_scores(probabilities, [[0], [0, 1, 2]])[0] == pytest.approx(1 / 4)


def test_top_k_does_not_see_extra_objects_but_exact_match_does() -> None:
    probabilities = torch.zeros(1, 24)
    probabilities[0, [3, 7]] = torch.tensor([0.9, 0.8])
    assert pooled_scores(probabilities, [[3]]) == (1.0, 0.0)
    assert exact_matches(probabilities, multi_hot([[3, 7]])).tolist() == [True]


def test_a_verdict_tells_missing_from_extra() -> None:
    seen = dict.fromkeys(OBJECTS, 0.01) | {"red cube": 0.9, "blue sphere": 0.4, "cyan cylinder": 0.7, "gray cube": 0.5}
    verdict = Verdict(seen, ("red cube", "blue sphere"))
    assert (verdict.accuracy, verdict.exact) == (0.5, False)
    assert verdict.seen == ("red cube", "cyan cylinder")
    assert verdict.missing == ("blue sphere",)
    assert verdict.extra == ("cyan cylinder",)
    right = Verdict(seen, ("red cube", "cyan cylinder"))
    assert (right.accuracy, right.exact, right.missing, right.extra) == (1.0, True, (), ())


def test_the_judge_answers_for_pictures_of_any_size(judge_folder: Path) -> None:
    judge = load_evaluator(judge_folder)
    small, large = draw(["red cube"]), draw(["red cube"]).resize((320, 240)).convert("RGBA")
    verdicts = judge.judge([small, large, small], labels=["Red-Cube"])
    assert [list(v.probabilities) for v in verdicts] == [list(OBJECTS)] * 3
    assert all(0 <= p <= 1 for v in verdicts for p in v.probabilities.values())
    assert verdicts[0] == verdicts[2]
    assert verdicts[0].requested == ("red cube",)
    alone = judge(small, labels=[1])
    assert alone.probabilities == pytest.approx(verdicts[0].probabilities, abs=1e-5)
    with pytest.raises(InputError, match="red cone"):
        judge(small, labels=["red cone"])


# checkpoints --------------------------------------------------------------------------------------------------------


def course_network(last: nn.Module) -> nn.Module:
    """The course's evaluator, weights unlike any default."""
    torch.manual_seed(3)
    network = resnet18(weights=None)
    network.fc = last
    return network.eval()


LAYOUTS = {
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
    assert judge.name == "checkpoint.pth"


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


def test_the_judge_is_frozen(judge_folder: Path) -> None:
    judge = clevr_demo.load_evaluator(judge_folder)
    assert isinstance(judge, Evaluator)
    assert not judge.network.training
    assert not any(parameter.requires_grad for parameter in judge.network.parameters())


@pytest.mark.data
@pytest.mark.timeout(600)
def test_the_shipped_judge_knows_the_held_out_pictures(real_data: Path) -> None:
    shipped("evaluator")
    found = score(load_evaluator().network, load_pictures(real_data, progress=False).split()[1])
    assert found["pictures"] == 903
    assert found["accuracy"] >= 0.99
    assert found["exact_match"] >= 0.97
