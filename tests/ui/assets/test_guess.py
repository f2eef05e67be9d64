"""Guessing without a page: what is right, what an answer is worth, what the browser kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.ui.assets.node import in_node

EMPTY: dict[str, Any] = {"asked": 0, "right": 0, "real": {}}
SEATED = json.dumps([{"name": "ddpm", "title": "DDPM"}, {"name": "acgan", "title": "ACGAN"}])


def ask(expression: str) -> Any:
    return in_node(expression, "guess/model.js")


def pair(ddpm: bool, acgan: bool) -> str:
    return json.dumps({"ddpm": {"last": {"exact": ddpm}}, "acgan": {"last": {"exact": acgan}}})


@pytest.mark.parametrize(
    ("ddpm", "acgan", "swapped", "truth"),
    [
        (True, True, False, "both"), (False, False, True, "neither"), (True, False, False, "left"),
        (True, False, True, "right"), (False, True, False, "right"), (False, True, True, "left"),
    ],
)  # fmt: skip
def test_the_truth_is_where_the_exact_picture_stands(ddpm: bool, acgan: bool, swapped: bool, truth: str) -> None:
    assert ask(f"truth({pair(ddpm, acgan)}, {SEATED}, {json.dumps(swapped)})") == truth


def test_an_answer_counts_and_says_who_was_who() -> None:
    found = ask(f"judgeGuess('right', 'left', {pair(False, True)}, {SEATED}, true, emptyScore())")
    assert found["score"] == EMPTY | {"asked": 1, "right": 1}
    assert found["told"] == "Well guessed: by the judge the left one is exact; left is the ACGAN, right is the DDPM."
    found = ask(f"judgeGuess('right', 'both', {pair(False, True)}, {SEATED}, false, emptyScore())")
    assert found["score"] == EMPTY | {"asked": 1}
    assert found["told"].startswith("No: by the judge the right one is exact")


def test_what_looks_more_real_is_a_vote() -> None:
    found = ask(f"judgeGuess('real', 'right', {pair(True, True)}, {SEATED}, false, emptyScore())")
    assert found["score"] == EMPTY | {"real": {"acgan": 1}}
    assert found["told"] == "You chose the ACGAN: left is the DDPM, right is the ACGAN."


@pytest.mark.parametrize("text", ["null", "'{broken'", "'{}'", "'{\"asked\": -1}'", "'[]'", "'7'"])
def test_a_broken_score_starts_anew(text: str) -> None:
    assert ask(f"scoreOf({text})") == EMPTY


def test_the_question_names_what_was_asked_for() -> None:
    assert ask("questionOf('right', ['red cube', 'cyan sphere'])") == (
        "Asked for: red cube, cyan sphere. Which picture shows each of them once, and nothing else?"
    )
    assert ask("questionOf('right', ['red cube'])") == (
        "Asked for: red cube. Which picture shows it once, and nothing else?"
    )
    assert ask("questionOf('real', ['red cube'])").startswith("Asked for: red cube. Which picture looks more like")


def test_the_score_in_words() -> None:
    kept = {"asked": 5, "right": 3, "real": {"ddpm": 2, "acgan": 1}}
    assert ask(f"scoreOf({json.dumps(json.dumps(kept))})") == kept
    assert (
        ask(f"scoreWords({json.dumps(kept)}, {SEATED})")
        == "Score: 3 of 5 guessed right; more real to you: DDPM 2, ACGAN 1."
    )
    assert ask(f"scoreWords(emptyScore(), {SEATED})") == "No guess yet."
