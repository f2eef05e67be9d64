"""The judge: the course's metrics against a slow reference, verdicts and their words, the course's own checkpoint."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import clevr_demo
from clevr_demo.checkpoints import CheckpointError, write_json
from clevr_demo.judge.detector import Found
from clevr_demo.judge.evaluator import Evaluator, Verdict, exact_matches, load_evaluator, topk_hits
from clevr_demo.objects import OBJECTS, InputError, multi_hot
from clevr_demo.pictures import from_image
from tests.conftest import billion_operations, draw, seconds_of, shipped
from train.classifier import score
from train.data.iclevr import load_pictures
from train.learning.counting import accuracy


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


def pooled_scores(probabilities: torch.Tensor, sets: list[list[int]]) -> tuple[float, float]:
    """The same, all at once."""
    labels = multi_hot(sets)
    return float(accuracy(probabilities, labels)), float(exact_matches(probabilities, labels).float().mean())


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


# verdicts -----------------------------------------------------------------------------------------------------------

ASKED = ("red cube", "blue sphere", "yellow cylinder")


def verdict_on(found: tuple[str, ...], asked: tuple[str, ...] = ASKED) -> Verdict:
    """A verdict on a picture in which these objects are found, side by side."""
    return Verdict(dict.fromkeys(OBJECTS, 0.5), asked, tuple(Found(n, 20.0, 9.0 * x, 0.9) for x, n in enumerate(found)))


@pytest.mark.parametrize("asked", [7, 8, 12, 24])
def test_beyond_the_judges_training_only_what_is_certain_is_said(asked: int) -> None:
    verdict = verdict_on(OBJECTS[:5], OBJECTS[:asked])
    assert verdict.beyond_training
    assert verdict.sentence == (
        f"At least 5 of {asked} drawn: the judge learned with at most 6 objects, so others may be there unseen"
    )
    assert not any(name in verdict.sentence for name in OBJECTS)
    assert verdict_on(OBJECTS[:asked], OBJECTS[:asked]).sentence == f"All {asked} drawn, nothing else"
    six = verdict_on(OBJECTS[:5], OBJECTS[:6])
    assert not six.beyond_training
    assert six.sentence == f"5 of 6 drawn: {OBJECTS[5]} missing"


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (ASKED, "All 3 drawn, nothing else"),
        (ASKED[:2], "2 of 3 drawn: yellow cylinder missing"),
        ((*ASKED, "red cube"), "3 drawn, but red cube twice"),
        ((*ASKED, "cyan cube"), "3 drawn, but also cyan cube"),
        (
            ("blue sphere", "red cube", "cyan cube", "red cube"),
            "2 of 3 drawn: yellow cylinder missing, red cube twice, also cyan cube",
        ),
        ((), "0 of 3 drawn: red cube, blue sphere and yellow cylinder missing"),
        (
            (*ASKED, *["gray cube"] * 7, "red cube", "red cube"),
            "3 drawn, but red cube three times, also gray cube 7 times",
        ),
    ],
)
def test_a_verdict_in_words(found: tuple[str, ...], sentence: str) -> None:
    assert verdict_on(found).sentence == sentence


def test_one_and_two_objects_have_words_of_their_own() -> None:
    assert verdict_on(ASKED[:1], ASKED[:1]).sentence == "Drawn, nothing else"
    assert verdict_on(ASKED[:2], ASKED[:2]).sentence == "Both drawn, nothing else"
    assert verdict_on((), ASKED[:1]).sentence == "0 of 1 drawn: red cube missing"


@given(
    st.lists(st.sampled_from(OBJECTS), min_size=1, max_size=5, unique=True),
    st.lists(st.sampled_from(OBJECTS[:6]), max_size=9),
)
def test_a_verdict_never_contradicts_itself(asked: list[str], found: list[str]) -> None:
    verdict = verdict_on(tuple(found), tuple(asked))
    assert verdict.exact == (sorted(asked) == sorted(found))
    assert ("nothing else" in verdict.sentence) == verdict.exact
    assert ("missing" in verdict.sentence) == bool(verdict.missing)
    assert set(verdict.missing) == set(asked) - set(found)
    assert set(verdict.doubled) == {name for name in asked if found.count(name) > 1}
    assert set(verdict.extra) == (set(found) - set(asked)) | set(verdict.doubled)
    assert verdict.counts == {name: found.count(name) for name in OBJECTS if name in found}
    for name in OBJECTS[:6]:  # what is wrong is named, what is right is not
        assert (name in verdict.sentence) == (name in verdict.missing + verdict.extra)


def test_a_double_is_two_entries_and_an_extra() -> None:
    verdict = verdict_on((*ASKED, "red cube"))
    assert [found.name for found in verdict.found].count("red cube") == 2
    assert (verdict.exact, verdict.missing, verdict.extra, verdict.doubled) == (False, (), ("red cube",), ("red cube",))


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


def test_the_judge_is_frozen(judge_folder: Path) -> None:
    judge = clevr_demo.load_evaluator(judge_folder)
    assert isinstance(judge, Evaluator)
    for network in (judge.classifier, judge.detector.network):
        assert not network.training
        assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_timeline_of_twenty_frames_is_judged_in_twenty_billion_operations_of_one_core(judge_folder: Path) -> None:
    judge, frames, most = load_evaluator(judge_folder, "cpu"), [draw(["red cube"])] * 20, 20 * billion_operations()

    def judged() -> None:
        verdicts = [*judge.judge(frames[1:], ["red cube"], course=False), *judge.judge(frames[:1], ["red cube"])]
        assert len(verdicts) == 20

    assert seconds_of(judged, most) < most


def test_the_temperature_softens_the_probabilities_and_keeps_their_order(judge_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(judge_folder, tmp_path / "judge")
    write_json(tmp_path / "judge" / "config.json", {"temperature": 2.0})
    pixels = from_image(draw(["red cube"])).unsqueeze(0)
    plain, soft = (load_evaluator(path).probabilities(pixels) for path in (judge_folder, tmp_path / "judge"))
    assert torch.allclose(soft.logit(), plain.logit() / 2, atol=1e-4)
    assert not torch.allclose(soft, plain)


def test_the_teacher_is_refused_as_a_judge(judge_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(judge_folder, tmp_path / "teacher")
    write_json(tmp_path / "teacher" / "config.json", {"kind": "teacher"})
    with pytest.raises(CheckpointError, match="holds a teacher and no classifier"):
        load_evaluator(tmp_path / "teacher")


@pytest.mark.data
@pytest.mark.timeout(600)
def test_the_shipped_classifier_knows_the_held_out_pictures(real_data: Path) -> None:
    shipped("classifier")
    found = score(load_evaluator().classifier, load_pictures(real_data, progress=False).split()[1])
    assert found["pictures"] == 903
    assert found["accuracy"] >= 0.99
    assert found["exact_match"] >= 0.97
