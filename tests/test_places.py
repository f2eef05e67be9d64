"""Places: how given ones are checked, when they are too near or off the ground, and how chosen ones give way."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clevr_demo.objects import InputError, multi_hot
from clevr_demo.places import (
    GROUND,
    MIDDLE,
    NEAREST,
    Places,
    by_object,
    given_places,
    giving_way,
    ground,
    on_ground,
    room,
)
from tests.anything import ANYTHING, Hostile, attempt

ALL = range(24)


def test_given_places_are_rounded_to_half_pixels_and_in_the_objects_order() -> None:
    found = given_places(
        {"blue sphere": (20.26, 63), "Red-Cube": [30.2, np.float32(11.8)], 3: torch.tensor([0, 7])}, ALL
    )
    assert found == ((1, 30.0, 12.0), (3, 0.0, 7.0), (10, 20.5, 63.0))
    assert all(type(value) is float for place in found for value in place[1:])
    assert given_places(None, ALL) == given_places({}, ALL) == given_places((), ALL) == ()


WRONG: list[tuple[Any, str]] = [
    ({"red cone": (1, 2)}, "unknown object 'red cone'; did you mean 'red cube'?"),
    ({24: (1, 2)}, "object index 24 is out of range"),
    ({"gray cube": (1, 2)}, "the gray cube has a place but is not among the objects"),
    ({"red cube": (1, 2), 1: (3, 4)}, "the red cube has two places"),
    ({"red cube": (-0.01, 2)}, "the place of the red cube lies outside the picture: rows and columns are 0 to 63, not"),
    ({"red cube": (2, 63.01)}, "outside the picture"),
    ({"red cube": (2, math.inf)}, "outside the picture"),
    ({"red cube": (2, Fraction(10**400))}, "outside the picture"),
    ({"red cube": (2, math.nan)}, "the place of the red cube must be two numbers, row and column"),
    *(
        ({"red cube": place}, "the place of the red cube must be two numbers")
        for place in (None, 7, "12", "1,2", (), (1,), (1, 2, 3), (1, "2"), (True, 2), (1, None), [[1, 2]], Hostile())
    ),
    *((value, "places must be given as {object: (row, column)}") for value in (7, "x", [("red cube", (1, 2))], True)),
]


@pytest.mark.parametrize(("value", "message"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_a_bad_place_is_named(value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        given_places(value, (1, 10))
    assert message in str(caught.value)
    assert caught.value.field == "places"


@given(ANYTHING | st.dictionaries(st.integers(0, 23), ANYTHING | st.tuples(st.floats(0, 63), ANYTHING)))
def test_any_value_is_places_or_an_input_error(value: Any) -> None:
    made = attempt(lambda: given_places(value, ALL))
    if isinstance(made, InputError):
        assert made.field == "places"
        assert 0 < len(str(made)) < 300
    else:
        assert all(0 <= value <= 63 and value % 0.5 == 0 for place in made for value in place[1:])


def test_the_given_stand_exactly_where_they_were_put() -> None:
    found = Places.of((1, 4, 9), torch.rand(3, 2), {4: (30.5, 12.0)})
    assert found.centres[1] == (30.5, 12.0)
    assert (found.objects, found.given) == ((1, 4, 9), (4,))
    assert Places.of((1,), torch.rand(1, 2)).given == ()


def test_given_ones_too_near_each_other_or_off_the_ground_are_told() -> None:
    near = NEAREST - 0.1
    centres = ((30.0, 30.0), (30.0, 30.0 + near), (30.0, 30.0 - NEAREST), (3.0, 3.0))
    assert Places((0, 1, 2, 3), centres, (0, 1, 2)).near == ("gray cube", "red cube")
    assert Places((0, 1, 2, 3), centres, (0, 2, 3)).near == ()
    assert Places((0, 1, 2, 3), centres, (0, 2, 3)).beyond == ("green cube",)
    assert Places((0, 1, 2, 3), centres).near == Places((0, 1, 2, 3), centres).beyond == ()


def test_the_ground_is_what_lies_within_its_corners() -> None:
    corners = torch.tensor(GROUND)
    assert on_ground(corners.mean(dim=0))
    assert on_ground(corners + 0.01 * (corners.mean(dim=0) - corners)).all()
    assert not on_ground(corners + 0.1 * (corners - corners.mean(dim=0))).any()


def test_the_first_try_with_room_is_taken_and_else_the_one_with_the_most() -> None:
    def layouts(*apart: float) -> Iterator[tuple[torch.Tensor, float]]:
        for distance in apart:
            yield torch.tensor([[30.0, 10.0], [30.0, 10.0], [30.0, 10.0 + distance]]), distance

    fixed = torch.tensor([True, True, False])
    tries = layouts(3.0, NEAREST + 1, 20.0)
    assert giving_way(tries, fixed) == NEAREST + 1
    assert [distance for _, distance in tries] == [20.0], "no more are made than are needed"
    assert giving_way(layouts(3.0, 5.0, 4.0), fixed) == 5.0
    assert room(next(layouts(3.0))[0], torch.tensor([True, True, True])) == math.inf, "the given never give way"
    assert room(next(layouts(3.0))[0], torch.tensor([True, False, False])) == 0


def test_the_ground_is_the_usual_one_where_an_object_fills_the_middle_and_bare_where_none_does() -> None:
    bare, usual = torch.rand(2, 3, 64, 64)
    row, column = MIDDLE
    away = [0.0, 3.0, 3.1, 20.0, 20.0]
    centres = by_object([Places((3, 9), ((12.0, 50.0), (row, column + one))) for one in away])
    centres[-1, 7] = torch.tensor(MIDDLE)  # of an object that nobody asked for
    labels = multi_hot([[3, 9]] * len(away))
    drawn = ground(bare, usual, centres, labels, 3.0)
    assert torch.equal(drawn[0], usual)
    assert torch.equal(drawn[1], usual)
    assert all(torch.equal(one, bare) for one in drawn[2:])
    assert torch.equal(ground(bare, usual, centres[:1], torch.zeros(1, 24), 3.0)[0], bare)
