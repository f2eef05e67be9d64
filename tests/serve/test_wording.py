"""What is said of places that a request gives."""

from __future__ import annotations

from typing import Any

import pytest

from clevr_demo.places import Places
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.verdicts import plain_places
from clevr_demo.serve.wording import asked, beyond, unusual

NEAR = "are nearer to each other than in 99 of 100 training scenes."


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ({}, ""),
        ({0: (30, 20), 1: (30, 40)}, ""),
        ({0: (30, 20), 1: (30, 26)}, f"Places given to the gray cube and the red cube {NEAR}"),
        ({0: (2, 2)}, "Training pictures show nothing where the gray cube is to stand."),
        ({0: (2, 2), 1: (62, 62)}, "Training pictures show nothing where the gray cube and the red cube are to stand."),
        (
            dict.fromkeys(range(24), (30, 30)),
            f"Places given to the gray cube, the red cube, the blue cube and 21 more {NEAR}",
        ),
    ],
)
def test_what_is_unusual_about_given_places_is_told(places: dict[int, Any], told: str) -> None:
    assert beyond(GenerationRequest.of(range(24), places=places)) == told


def test_more_objects_than_training_pictures_hold_are_unusual_as_well() -> None:
    assert unusual(GenerationRequest.of(range(3))) == ""
    crowd = "4 objects are more than any training picture holds."
    assert unusual(GenerationRequest.of(range(4))) == crowd
    far = GenerationRequest.of(range(4), places={0: (2, 2)})
    assert unusual(far) == f"{crowd} {beyond(far)}"


def test_a_request_in_words_says_what_no_control_shows() -> None:
    request = GenerationRequest.of("red cube, blue sphere", 7, places={"red cube": (30.5, 12)}, seeds={"pixels": 3})
    plain = asked(GenerationRequest.of("red cube, blue sphere", 7))
    told = " Given places (row, column): red cube 30.5, 12. Noise of its own: pixels from seed 3."
    assert asked(request) == plain + told


def test_places_say_whether_they_were_given_only_where_some_were() -> None:
    centres = ((30.5, 12.0), (20.0, 40.0))
    chosen = [{"name": "red cube", "row": 30.5, "column": 12.0}, {"name": "blue sphere", "row": 20.0, "column": 40.0}]
    assert plain_places(Places((1, 10), centres)) == chosen
    given = [{**one, "given": one["name"] == "red cube"} for one in chosen]
    assert plain_places(Places((1, 10), centres, (1,))) == given
