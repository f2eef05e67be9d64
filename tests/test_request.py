"""The request: its checks, and the link that carries it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clevr_demo.objects import OBJECTS, InputError
from clevr_demo.request import MAX_SEED, SAMPLERS, SOURCES, GenerationRequest, from_query, query_of
from tests.anything import ANYTHING, Hostile, attempt

GOOD = {"labels": ["red cube"], "seed": 7, "steps": 20, "sampler": "ddim", "pictures": 3}


@pytest.mark.parametrize(("field", "low", "high"), [("seed", 0, 2**31 - 1), ("steps", 1, 1200), ("pictures", 1, 8)])
def test_ranges(field: str, low: int, high: int) -> None:
    for value in (low, high):
        assert getattr(GenerationRequest.of(**GOOD | {field: value}), field) == value
    for value in (low - 1, high + 1, 10**400, -(10**400)):
        with pytest.raises(InputError, match=f"{field} must be between {low} and {high}") as caught:
            GenerationRequest.of(**GOOD | {field: value})
        assert caught.value.field == field


@pytest.mark.parametrize("field", ["seed", "steps", "pictures"])
@pytest.mark.parametrize("value", [True, "7", float("nan"), float("inf"), [7], 7j, b"7"])
def test_wrong_types_name_the_field_and_the_value(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{field} must be a whole number, not") as caught:
        GenerationRequest.of(**GOOD | {field: value})
    assert caught.value.field == field
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("field", ["seed", "steps", "pictures"])
def test_whole_numbers_only(field: str) -> None:
    numbers: list[Any] = [4, 4.0, np.int64(4), np.float32(4)]
    for value in numbers:
        found = getattr(GenerationRequest.of(**GOOD | {field: value}), field)
        assert found == 4
        assert type(found) is int
    for value in [4.5, None]:
        with pytest.raises(InputError, match="whole number"):
            GenerationRequest.of(**GOOD | {field: value})


@pytest.mark.parametrize("sampler", ["euler", "", None, 3, "DDIM"])
def test_unknown_sampler(sampler: Any) -> None:
    with pytest.raises(InputError, match="dpm, unipc, ddim, ddpm") as caught:
        GenerationRequest.of(["red cube"], sampler=sampler)
    assert caught.value.field == "sampler"


def test_equal_requests_are_one_cache_key() -> None:
    one = GenerationRequest.of(["Blue-Sphere", 1], seed=7.0)
    other = GenerationRequest.of("red cube,blue sphere", seed=7)
    assert one == other
    assert len({one, other, GenerationRequest.of("red cube,blue sphere", seed=8)}) == 2
    with pytest.raises(AttributeError):
        one.seed = 8  # type: ignore[misc]


def test_beyond_training_starts_at_four_objects() -> None:
    assert [GenerationRequest.of(range(n)).beyond_training for n in (1, 3, 4, 24)] == [False, False, True, True]


def test_pictures_have_consecutive_seeds_that_wrap_around() -> None:
    request = GenerationRequest.of(["red cube"], seed=MAX_SEED - 1, pictures=3)
    singles = [request.single(number) for number in range(3)]
    assert [single.seed for single in singles] == [MAX_SEED - 1, MAX_SEED, 0]
    assert {single.pictures for single in singles} == {1}


def test_the_query_is_readable() -> None:
    request = GenerationRequest.of(["red cube", "blue sphere"], seed=7, steps=20)
    assert request.query() == "v=1&objects=red-cube,blue-sphere&seed=7&steps=20&sampler=dpm"
    assert request.query({"ddpm": "1a2b3c4d"}).endswith("&ddpm=1a2b3c4d")


def random_request(pick: random.Random) -> GenerationRequest:
    objects = pick.sample(range(24), pick.randint(1, 24))
    placed = [index for index in objects if pick.random() < pick.choice([0, 0.5, 1])]
    sources = [source for source in SOURCES if pick.random() < pick.choice([0, 0.5])]
    return GenerationRequest.of(
        objects,
        seed=pick.choice([0, MAX_SEED, pick.randint(0, MAX_SEED)]),
        steps=pick.randint(1, 1200),
        sampler=pick.choice(SAMPLERS),
        pictures=pick.randint(1, 8),
        places={index: (pick.uniform(0, 63), pick.uniform(0, 63)) for index in placed},
        seeds={source: pick.randint(0, MAX_SEED) for source in sources},
    )


def test_a_link_brings_back_the_very_request() -> None:
    pick = random.Random(0)
    for _ in range(500):
        request = random_request(pick)
        weights = {model: f"{pick.getrandbits(32):08x}" for model in ("ddpm", "acgan") if pick.random() < 0.5}
        assert from_query(query_of(request.query(weights))) == (request, [], weights)
        assert from_query(request.fields())[0] == request


def test_places_and_seeds_make_a_link_of_version_2() -> None:
    request = GenerationRequest.of(["blue sphere", "red cube"], 7, places={"red cube": (30.4, 12)})
    assert request.query() == "v=2&objects=red-cube,blue-sphere&seed=7&steps=20&sampler=dpm&at=red-cube:30.5:12"
    request = GenerationRequest.of(["red cube"], 7, seeds={"pixels": 3, "places": 0})
    assert request.query() == "v=2&objects=red-cube&seed=7&steps=20&sampler=dpm&seed-places=0&seed-pixels=3"
    assert (request.seed_of("places"), request.seed_of("looks")) == (0, 7)
    assert GenerationRequest.of(["red cube"], places={}, seeds={}) == GenerationRequest.of(["red cube"])
    assert from_query(GenerationRequest.of(**GOOD).fields() | {"v": "2"})[:2] == (GenerationRequest.of(**GOOD), [])


def test_places_of_a_link_add_up_and_a_second_one_is_told() -> None:
    text = "objects=red-cube,blue-sphere&seed=1&steps=4&at=red-cube:30:3&at=blue-sphere:40:4,red-cube:20:9"
    request, notes, _ = from_query(query_of(text))
    assert request.given == {1: (20.0, 9.0), 10: (40.0, 4.0)}
    assert notes == ["The link has several places for the red cube; the last one is used."]


def test_a_link_with_all_objects_placed_is_short_and_read_whole() -> None:
    places = dict.fromkeys(range(24), (10.5, 20.5))
    seeds = dict.fromkeys(SOURCES, MAX_SEED)
    most = GenerationRequest.of(range(24), MAX_SEED, 1200, "unipc", 8, ("a" * 24, "b" * 24), places, seeds)
    weights = {"a" * 24: "0" * 16, "b" * 24: "1" * 16}
    query = most.query(weights)
    assert len("https://huggingface.co/spaces/somebody/clevr-duel?" + query) <= 1500
    assert from_query(query_of(query), weights) == (most, [], weights)


@pytest.mark.parametrize(
    ("part", "note"),
    [
        ("red-cone:1:2", "unknown object 'red-cone'; did you mean 'red cube'? It was left out."),
        (
            "gray-cube:1:2",
            "the gray cube has a place but is not among the objects that are asked for. It was left out.",
        ),
        ("red-cube", "the place of the red cube must be two numbers, row and column, not (). It was left out."),
        ("red-cube:1", "the place of the red cube must be two numbers, row and column, not (1.0,). It was left out."),
        ("red-cube:x:2", "the place of the red cube must be two numbers, row and column, not (). It was left out."),
        (
            "red-cube:nan:2",
            "the place of the red cube must be two numbers, row and column, not (nan, 2.0). It was left",
        ),
        (
            "red-cube:64:2",
            "the place of the red cube lies outside the picture: rows and columns are 0 to 63, not (64.0",
        ),
    ],
)
def test_a_bad_place_of_a_link_is_left_out_with_a_note(part: str, note: str) -> None:
    wanted = GenerationRequest.of("red cube, blue sphere", places={"blue sphere": (20, 40)})
    request, notes, _ = from_query(wanted.fields() | {"at": f"{part},blue-sphere:20:40"})
    assert request == wanted
    assert len(notes) == 1
    assert notes[0].startswith(note)


def test_many_bad_places_are_four_notes() -> None:
    fields = GenerationRequest.of("red cube").fields() | {"at": ",".join(f"thing{n}:1:2" for n in range(9))}
    assert from_query(fields)[1][3:] == ["6 more places are wrong; they were left out."]


@pytest.mark.parametrize("text", ["x", "-1", "", "1.5", "9" * 400])
def test_a_bad_seed_of_a_source_falls_back_with_a_note(text: str) -> None:
    request, notes, _ = from_query(GenerationRequest.of("red cube", 7).fields() | {"seed-looks": text})
    assert request == GenerationRequest.of("red cube", 7)
    assert len(notes) == 1
    assert notes[0].startswith("seed-looks ")
    assert notes[0].endswith("; the seed of the rest is used.")


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        (7, "seeds must be given as {source of noise: seed}, not 7"),
        ({"pixel": 3}, "unknown source of noise 'pixel'; choose from places, looks, light, grain, pixels"),
        ({"pixels": -1}, "seeds must be between 0 and 2147483647, not -1"),
        ({"pixels": "3"}, "seeds must be a whole number, not '3'"),
    ],
)
def test_a_bad_seed_of_a_source_is_named(seeds: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        GenerationRequest.of("red cube", seeds=seeds)
    assert (caught.value.field, str(caught.value)) == ("seeds", message)


def test_other_objects_leave_the_places_of_those_that_stay() -> None:
    request = GenerationRequest.of([1, 2, 3], places={1: (30, 12), 3: (20, 40)})
    assert request.of_objects({5, 3}) == GenerationRequest.of([3, 5], places={3: (20, 40)})


def test_no_query_is_the_default_without_a_note() -> None:
    request, notes, weights = from_query({})
    assert request == GenerationRequest(objects=(), seed=0, steps=20, sampler="dpm", pictures=1)
    assert (notes, weights) == ([], {})
    assert from_query({"__theme": "dark"}) == (request, [], {})


BROKEN = [
    ("seed", "x", 0),
    ("seed", "-1", 0),
    ("seed", str(2**31), 0),
    ("seed", "9" * 400, 0),
    ("seed", "9" * 5000, 0),
    ("seed", "", 0),
    ("seed", "7.5", 0),
    ("steps", "0", 20),
    ("steps", "1201", 20),
    ("steps", "nan", 20),
    ("sampler", "euler", "dpm"),
    ("pictures", "9", 1),
]


@pytest.mark.parametrize(("field", "text", "default"), BROKEN)
def test_a_bad_field_falls_back_with_a_note(field: str, text: str, default: Any) -> None:
    link = GenerationRequest.of(**GOOD).fields() | {field: text}
    request, notes, _ = from_query(link)
    assert getattr(request, field) == default
    assert len(notes) == 1
    assert field in notes[0]
    others = {"objects", "seed", "steps", "sampler", "pictures"} - {field}
    assert all(getattr(request, other) == getattr(GenerationRequest.of(**GOOD), other) for other in others)


@pytest.mark.parametrize(("field", "default"), [("seed", 0), ("steps", 20)])
def test_a_missing_field_falls_back_with_a_note(field: str, default: int) -> None:
    link = GenerationRequest.of(**GOOD).fields()
    del link[field]
    request, notes, _ = from_query(link)
    assert getattr(request, field) == default
    assert notes == [f"The link names no {field}; {default} is used."]


def test_unknown_objects_are_left_out_with_a_note_each() -> None:
    request, notes, _ = from_query({"objects": "red-cube,green-cone,7,blue-sphere,", "seed": "1", "steps": "2"})
    assert request.names == ("red cube", "blue sphere")
    assert len(notes) == 2
    assert "green-cone" in notes[0]


@pytest.mark.parametrize("link", [{"objects": ""}, {"seed": "7"}, {"objects": "cone"}])
def test_a_link_without_objects_says_so(link: dict[str, str]) -> None:
    request, notes, _ = from_query(link)
    assert request.objects == ()
    assert notes[-1] == "The link names no object that can be drawn."


@pytest.mark.parametrize(
    "change",
    [
        lambda link: link.replace("&", "&amp;"),
        lambda link: link.replace("&", "&amp;amp;"),
        lambda link: link.replace("&", "&#38;"),
        lambda link: link.replace("&", "&AMP;"),
        lambda link: link.upper(),
        lambda link: link.title(),
        lambda link: link.replace("seed=", " Seed ="),
    ],
)
def test_a_link_that_went_through_html_or_a_shouting_keyboard_is_read(change: Callable[[str], str]) -> None:
    wanted = GenerationRequest.of(["red cube", "blue sphere"], 7, 12, "ddim", 2)
    weights = {"ddpm": "0123abcd", "acgan": "89ef4567"}
    found, notes, theirs = from_query(query_of("?" + change(wanted.query(weights))))
    assert (found, notes) == (wanted, [])
    assert {name: mark.lower() for name, mark in theirs.items()} == weights


@pytest.mark.parametrize(
    ("text", "said"),
    [("object=red-cube", "objects"), ("objects=red-cube&sedd=7", "seed"), ("objekts=red-cube", "objects")],
)
def test_a_field_that_is_not_understood_is_said(text: str, said: str) -> None:
    _, notes, _ = from_query(query_of(text))
    assert notes[0].endswith(f"was not understood; did you mean {said!r}?")


@pytest.mark.parametrize("text", ["__theme=dark", "view=api", "utm_source=mail&fbclid=x", "logs=container"])
def test_fields_of_others_are_left_alone(text: str) -> None:
    assert from_query(query_of(text))[1] == []


def test_another_version_is_read_with_a_note() -> None:
    request, notes, _ = from_query(GenerationRequest.of(**GOOD).fields() | {"v": "3"})
    assert request == GenerationRequest.of(**GOOD)
    assert len(notes) == 1
    assert "version 3" in notes[0]


HUGE: list[Any] = [10**5000, -(10**5000), Fraction(10**400), Fraction(10**5000, 3), "9" * 10**7, Hostile(), [7] * 10**6]


@pytest.mark.parametrize("field", ["seed", "steps", "pictures", "sampler", "labels"])
@pytest.mark.parametrize("value", HUGE, ids=lambda value: type(value).__name__)
def test_an_error_names_its_field_and_is_short_whatever_came(field: str, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        GenerationRequest.of(**GOOD | {field: value})
    assert caught.value.field == {"labels": "objects"}.get(field, field)
    assert len(str(caught.value)) < 300


def test_an_array_is_no_sampler() -> None:
    with pytest.raises(InputError, match="unknown sampler"):
        GenerationRequest.of(["red cube"], sampler=np.array(["dpm", "ddim"]))


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("labels", *GOOD, "places", "seeds"), ANYTHING)))
def test_any_values_are_a_request_or_an_input_error(changes: dict[str, Any]) -> None:
    made = attempt(lambda: GenerationRequest.of(**GOOD | changes))
    if isinstance(made, InputError):
        assert made.field in {"objects", *GOOD, "places", "seeds"}
        assert 0 < len(str(made)) < 300
    else:
        assert from_query(query_of(made.query()))[:2] == (made, [])


@pytest.mark.parametrize("text", ["2.5", "7", "nan", "x", ""])
def test_guidance_of_an_old_link_is_one_note(text: str) -> None:
    request, notes, _ = from_query(GenerationRequest.of(**GOOD).fields() | {"guidance": text})
    assert request == GenerationRequest.of(**GOOD)
    assert notes == ["The link asks for guidance, which the DDPM no longer needs; it was left out."]


# links of strangers -------------------------------------------------------------------------------------------------

FORTY_THOUSAND = ",".join(f"thing-{number}" for number in range(40_000))


@pytest.mark.parametrize(
    "objects", [FORTY_THOUSAND, "x" * 10**7, "," * 10**6, "red-cube," * 10**5, "red-cube," + FORTY_THOUSAND]
)
def test_a_giant_link_is_read_in_part_with_few_short_notes(objects: str) -> None:
    started = time.process_time()
    request, notes, _ = from_query({"objects": objects, "seed": "1", "steps": "2"})
    assert time.process_time() - started < 0.5
    assert request.names == (("red cube",) if objects.startswith("red") else ())
    assert len(notes) <= 6
    assert all(len(note) < 300 for note in notes)


def test_names_beyond_24_are_one_note() -> None:
    names = ["red-cube"] * 24 + ["blue-sphere"] * 3
    request, notes, _ = from_query({"objects": ",".join(names), "seed": "1", "steps": "2"})
    assert request.names == ("red cube",)
    assert notes == ["The link names more than 24 objects; only its first 24 names were read."]
    assert from_query({"objects": ",".join(names[:24]), "seed": "1", "steps": "2"})[1] == []


def test_many_unknown_names_are_four_notes() -> None:
    _, notes, _ = from_query({"objects": "red-cube," + ",".join("abcdefgh"), "seed": "1", "steps": "2"})
    assert len(notes) == 4
    assert notes[-1] == "5 more names are unknown; they were left out."


def test_a_long_query_is_read_as_far_as_links_go() -> None:
    good = GenerationRequest.of(**GOOD)
    assert from_query(query_of(good.query() + "&junk=" + "x" * 10**7))[:2] == (good, [])
    assert len(query_of("&".join(f"f{number}=1" for number in range(10**6)))) < 1000
    whole = GenerationRequest.of(range(24), MAX_SEED, 1200, "unipc", pictures=8)
    assert from_query(query_of("?" + whole.query({"ddpm": "0" * 8, "acgan": "1" * 8})))[:2] == (whole, [])


FIELDS = (
    "v", "objects", "seed", "steps", "sampler", "guidance", "pictures", "ddpm", "acgan", "other", "at", "seed-places",
)  # fmt: skip
NUMBERS = st.integers().map(str) | st.floats().map(str)
NAMES = st.lists(st.sampled_from(OBJECTS) | st.text(max_size=20), max_size=40).map(",".join)
PLACED = st.tuples(st.sampled_from(OBJECTS), NUMBERS, st.floats(-1, 64).map(str)).map(":".join)
TEXTS = st.text() | NUMBERS | st.sampled_from(SAMPLERS) | NAMES | st.lists(PLACED, max_size=40).map(",".join)


@given(st.dictionaries(st.sampled_from(FIELDS), TEXTS))
def test_any_link_is_read_without_an_error(link: dict[str, str]) -> None:
    request, notes, weights = from_query(link)
    assert all(0 < len(note) < 400 for note in notes)
    assert len(notes) <= 22
    assert set(weights) <= {"ddpm", "acgan"}
    if request.objects:
        assert from_query(query_of(request.query(weights)))[:2] == (request, [])


@given(st.text() | st.dictionaries(st.sampled_from(FIELDS), TEXTS).map(lambda link: urlencode(link, errors="replace")))
def test_any_text_is_a_query(text: str) -> None:
    from_query(query_of(text))


def test_objects_of_a_query_add_up() -> None:
    assert query_of("objects=a,b&seed=1&objects=c&seed=2") == {"objects": "a,b,c", "seed": "2"}
