"""The vocabulary: parsing, its errors, and both encodings."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from hypothesis import given

from clevr_demo.objects import COLOURS, INDEX, OBJECTS, SHAPES, InputError, decode, index_valued, multi_hot, parse, slug
from tests.anything import ANYTHING, Hostile, attempt


def test_indices_are_those_of_objects_json() -> None:
    assert len(OBJECTS) == len(set(OBJECTS)) == 24
    assert OBJECTS[:3] == ("gray cube", "red cube", "blue cube")
    assert (INDEX["gray sphere"], INDEX["purple sphere"], INDEX["yellow cylinder"]) == (8, 13, 23)
    assert all(OBJECTS[8 * s + c] == f"{COLOURS[c]} {SHAPES[s]}" for s in range(3) for c in range(8))


@pytest.mark.parametrize("spelling", ["red cube", "Red Cube", "RED-CUBE", "red_cube", "  red   cube ", "red-_cube"])
def test_any_spelling_of_a_name(spelling: str) -> None:
    assert parse([spelling]) == (1,)


@pytest.mark.parametrize(
    "labels",
    [
        ["blue sphere", "red cube"],
        ("red cube", 10),
        {1, 10},
        [np.int64(10), np.int32(1)],
        torch.tensor([10, 1]),
        np.array([1, 10]),
        "red-cube, blue_sphere",
        "red cube,,blue sphere,",
        (name for name in ("red cube", "blue sphere", "RED-CUBE")),
        [1, 10, 1, "red cube"],
        multi_hot([[1, 10]])[0],
        multi_hot([[1, 10]])[0].bool(),
        multi_hot([[1, 10]])[0].tolist(),
        multi_hot([[1, 10]])[0].int().numpy(),
    ],
)
def test_every_form_of_a_set(labels: object) -> None:
    assert parse(labels) == (1, 10)


def test_every_object_by_name_index_and_slug() -> None:
    for index, name in enumerate(OBJECTS):
        assert parse([name]) == parse([index]) == parse(slug(index)) == (index,)
    assert parse(range(24)) == parse([1.0] * 24) == tuple(range(24))


@pytest.mark.parametrize(
    ("labels", "culprit", "nearest"),
    [
        (["red cub"], "red cub", "red cube"),
        (["blue sphere", "yelow cylinder"], "yelow cylinder", "yellow cylinder"),
        (["Grey-Cube"], "Grey-Cube", "gray cube"),
        (["purple spheres"], "purple spheres", "purple sphere"),
        ("red cube, cyan cilinder", "cyan cilinder", "cyan cylinder"),
    ],
)
def test_unknown_name_is_named_with_its_nearest(labels: object, culprit: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"{culprit}.*{nearest}") as caught:
        parse(labels)
    assert caught.value.field == "objects"
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", ["pink-dog", "red", "x" * 30, "violet box", "sphere of red glass", "roter Würfel"])
def test_a_name_that_is_near_to_none_gets_no_suggestion(name: str) -> None:
    with pytest.raises(InputError) as caught:
        parse([name])
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("labels", [[], "", " , ", (), set(), [0] * 24, torch.zeros(24)])
def test_no_object_is_an_error(labels: object) -> None:
    with pytest.raises(InputError, match="no object was asked for"):
        parse(labels)


@pytest.mark.parametrize(
    ("labels", "culprit"),
    [
        ([24], "24"),
        ([-1], "-1"),
        ([True], "True"),
        ([1.0], "1.0"),
        ([float("nan")], "nan"),
        ([None], "None"),
        ([["red cube"]], "red cube"),
        ([""], "''"),
        (None, "None"),
        (7, "7"),
        ({"red cube": 1}, "red cube"),
        (torch.zeros(2, 24), r"\[0.0"),
        ([0.5] * 24, "0.5"),
        (torch.tensor(3), "3"),
    ],
)
def test_what_is_no_object_is_named(labels: object, culprit: str) -> None:
    with pytest.raises(InputError, match=culprit):
        parse(labels)


def test_multi_hot_has_ones_at_the_objects_alone() -> None:
    vectors = multi_hot([(0, 23), (5,)])
    assert vectors.shape == (2, 24)
    assert vectors.dtype == torch.float32
    assert [row.nonzero().flatten().tolist() for row in vectors] == [[0, 23], [5]]
    assert vectors.sum() == 3


def test_index_valued_puts_index_plus_one_at_each_object() -> None:
    vector = index_valued(multi_hot([(0, 5, 23)]))[0].tolist()
    assert {place: value for place, value in enumerate(vector) if value} == {0: 1.0, 5: 6.0, 23: 24.0}


def test_decode_undoes_multi_hot() -> None:
    for indices in [(0,), (3, 9, 22), tuple(range(24))]:
        assert decode(multi_hot([indices])[0]) == [OBJECTS[index] for index in indices]
    with pytest.raises(ValueError, match="shorter"):
        decode([1.0])


# whatever is handed in ----------------------------------------------------------------------------------------------


def failing() -> Iterator[str]:
    yield "red cube"
    raise OSError("the list broke off")


@pytest.mark.parametrize(
    "labels",
    [
        itertools.repeat("red cube"),
        itertools.count(),
        itertools.cycle(["red cube", "blue sphere"]),
        range(10**12),
        ["red cube"] * 10**6,
        "red cube," * 10**6,
        torch.zeros(10**7),
        torch.zeros(3, 0, 5),
        torch.zeros(24, device="meta"),
        np.zeros((1000, 1000)),
        failing(),
        Hostile(),
        [Hostile()],
        b"\x01\x02",
        bytearray(b"red cube"),
        np.ndarray,
        open,
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_endless_giant_and_failing_sets_are_refused_at_once(labels: object) -> None:
    started = time.process_time()
    with pytest.raises(InputError) as caught:
        parse(labels)
    assert caught.value.field == "objects"
    assert len(str(caught.value)) < 300
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "label", ["x" * 10**7, 10**5000, -(10**5000), ["red cube"] * 10**6, 1 + 10j, Hostile()], ids=type
)
def test_an_error_is_short_however_long_its_culprit(label: object) -> None:
    with pytest.raises(InputError) as caught:
        parse([label])
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "make", [bool, np.bool_, np.float32, np.int8, torch.tensor, lambda value: torch.tensor(bool(value))]
)
def test_a_multi_hot_list_may_hold_scalars_of_any_library(make: Callable[[float], object]) -> None:
    assert parse([make(value) for value in multi_hot([[1, 10]])[0].tolist()]) == (1, 10)


def test_indices_may_be_scalars_of_any_library() -> None:
    assert parse([torch.tensor(10), np.array(1), np.uint8(1)]) == (1, 10)


@given(ANYTHING)
def test_any_value_is_a_set_of_objects_or_an_input_error(labels: object) -> None:
    found = attempt(lambda: parse(labels))
    if isinstance(found, InputError):
        assert found.field == "objects"
        assert 0 < len(str(found)) < 300
    else:
        assert found
        assert list(found) == sorted(set(found))
        assert parse(multi_hot([found])[0]) == parse([OBJECTS[index] for index in found]) == found
