"""What the endpoint is asked, in every form that clients send."""

from __future__ import annotations

from typing import Any

import pytest

from clevr_demo.objects import InputError
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.asked import asked, meant, truth


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('["red cube"]', ["red cube"]),
        (" [1, 2] ", [1, 2]),
        ("7", 7),
        ('"ddim"', "ddim"),
        ("red cube", "red cube"),
        ("[" * 4000, "[" * 4000),
        ("9" * 5000, "9" * 5000),
        (7, 7),
        (None, None),
    ],
)
def test_a_text_that_is_json_says_what_it_means(value: Any, expected: Any) -> None:
    assert meant(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("true", True), ("True", True), (1, True), ("1", True), (False, False), ("false", False)]
    + [("FALSE", False), (0, False), ("0", False), (0.0, False)],
)
def test_true_and_false_in_every_writing(value: Any, expected: bool) -> None:
    assert truth("timeline", value) is expected


@pytest.mark.parametrize("value", [None, "", "no", "maybe", 2, -1, [], ["true"], {}, float("nan"), "x" * 5000])
def test_anything_else_is_neither(value: Any) -> None:
    with pytest.raises(InputError, match="^timeline must be true or false, not ") as caught:
        truth("timeline", value)
    assert caught.value.field == "timeline"
    assert len(str(caught.value)) < 150


def test_a_request_of_texts_is_that_of_values() -> None:
    assert asked("[1, 10]", "7", "5", '"ddim"', "2") == GenerationRequest.of([1, 10], 7, 5, "ddim", 2)


@pytest.mark.parametrize(("steps", "pictures"), [(1200, 2), ("151", "8")])
def test_too_much_work_is_refused(steps: Any, pictures: Any) -> None:
    with pytest.raises(InputError, match="steps times pictures may be 1200 at most here, not"):
        asked(["red cube"], 7, steps, "dpm", pictures)
