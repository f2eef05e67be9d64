"""One frozen request = the link's query = the PNG's metadata = the cache key.

    request = GenerationRequest.of(labels=["red cube"], seed=7, steps=20)
    request.query(weights={"ddpm": "1a2b3c4d"})    # "v=1&objects=red-cube&seed=7&steps=20&...&ddpm=1a2b3c4d"
    request, notes, weights = from_query({"objects": "red-cube", "seed": "x"})   # notes: "seed ... 0 is used"

Given places, "at=red-cube:30.5:12" (row and column), and the seeds of single sources of noise, "seed-pixels=3", make a
link of version 2; without them it is one of version 1, as it always was.

Making a request checks it; reading a link never fails: a bad or missing field falls back to its default and a note
says so. Of a link no more than 24 names and `MOST_TEXT` characters are read, of any text that it brings.
"""

from __future__ import annotations

import difflib
import math
import numbers
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from clevr_demo.objects import MAX_TRAINED, MOST_TEXT, OBJECTS, InputError, index_of, parse, shown, slug
from clevr_demo.places import Given, given_places

VERSION = 2
MAX_SEED = 2**31 - 1
MAX_STEPS = 1200
DEFAULT_STEPS = 20
FAST_STEPS = 4
"""Few enough to draw while somebody clicks; the DDPM's distilled painter is made for them."""
MAX_PICTURES = 8
SAMPLERS = ("dpm", "unipc", "ddim", "ddpm")
SOURCES = ("places", "looks", "light", "grain", "pixels")
"""The models' sources of noise; which model has which is in `clevr_demo.models`."""
PAIR = ("ddpm", "acgan")
"""Who draws unless a server was started with others: the contenders whose fingerprints a link carries."""
NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")
"""What a contender may be called, as it stands in links."""


def whole(field: str, value: Any, low: int, high: int) -> int:
    """A whole number within its range, or an InputError that names the field."""
    try:
        # An integer has no largest value, so math.isfinite would fail on the very large ones.
        fits = isinstance(value, numbers.Integral) or (isinstance(value, numbers.Real) and math.isfinite(value))
    except OverflowError:  # a fraction beyond the largest float
        fits = False
    if isinstance(value, bool) or not fits or int(value) != value:
        told = "the field is empty" if value is None else f"not {shown(value)}"
        raise InputError(field, f"{field} must be a whole number, {told}")
    if not low <= value <= high:
        raise InputError(field, f"{field} must be between {low} and {high}, not {shown(int(value))}")
    return int(value)


def duel_of(names: Any) -> tuple[str, ...]:
    """Two different contenders' names, or none; an InputError otherwise."""
    fits = isinstance(names, (tuple, list)) and all(isinstance(name, str) and NAME.fullmatch(name) for name in names)
    if not fits or len(names) not in (0, 2) or len(set(names)) != len(names):
        raise InputError("duel", f"a duel is two different contenders' names, not {shown(names)}")
    return tuple(names)


def seeds_of(value: Any) -> tuple[tuple[str, int], ...]:
    """Checked seeds of sources of noise, in the order of `SOURCES`, out of a mapping; an InputError otherwise."""
    if value is None or (isinstance(value, (tuple, list)) and not value):
        return ()
    if not isinstance(value, Mapping):
        raise InputError("seeds", f"seeds must be given as {{source of noise: seed}}, not {shown(value)}")
    if strangers := [name for name in value if name not in SOURCES]:
        told = f"unknown source of noise {shown(strangers[0])}; choose from {', '.join(SOURCES)}"
        raise InputError("seeds", told)
    return tuple((name, whole("seeds", value[name], 0, MAX_SEED)) for name in SOURCES if name in value)


@dataclass(frozen=True)
class GenerationRequest:
    """Everything that decides a picture, checked. Make it with `GenerationRequest.of`.

    `objects` are indices, ascending. `pictures` counts consecutive seeds, so picture i has seed + i. `duel` names the
    two contenders that draw it, where they are not the server's first two. `places` are (object, row, column) in half
    pixels, ascending by object, of those whose places are given. `seeds` are of single sources of noise, which the
    pictures share; the others take `seed`.
    """

    objects: tuple[int, ...]
    seed: int = 0
    steps: int = DEFAULT_STEPS
    sampler: str = "dpm"
    pictures: int = 1
    duel: tuple[str, ...] = ()
    places: tuple[tuple[int, float, float], ...] = ()
    seeds: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(
        cls,
        labels: Any,
        seed: Any = 0,
        steps: Any = DEFAULT_STEPS,
        sampler: Any = "dpm",
        pictures: Any = 1,
        duel: Any = (),
        places: Any = (),
        seeds: Any = (),
    ) -> GenerationRequest:
        """Checks every field; whether a server knows the contenders of a duel is the server's to say. `places` map
        objects to (row, column), `seeds` sources of noise to their seeds.

        Raises:
            InputError: a ValueError whose `field` and message name the culprit.
        """
        if not isinstance(sampler, str) or sampler not in SAMPLERS:
            raise InputError("sampler", f"unknown sampler {shown(sampler)}; choose one of {', '.join(SAMPLERS)}")
        objects = parse(labels)
        return cls(
            objects=objects,
            seed=whole("seed", seed, 0, MAX_SEED),
            steps=whole("steps", steps, 1, MAX_STEPS),
            sampler=sampler,
            pictures=whole("pictures", pictures, 1, MAX_PICTURES),
            duel=duel_of(duel),
            places=given_places(places, objects),
            seeds=seeds_of(seeds),
        )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(OBJECTS[index] for index in self.objects)

    @property
    def stem(self) -> str:
        """What its files are called: "red-cube_blue-sphere_seed7"."""
        return "_".join(slug(index) for index in self.objects[:4]) + f"_seed{self.seed}"

    @property
    def beyond_training(self) -> bool:
        """Whether more objects are asked for than any training picture holds."""
        return len(self.objects) > MAX_TRAINED

    @property
    def given(self) -> Given:
        """The given places by object."""
        return {index: (row, column) for index, row, column in self.places}

    def seed_of(self, source: str) -> int:
        """The seed of a source of noise."""
        return dict(self.seeds).get(source, self.seed)

    def of_objects(self, objects: Iterable[int]) -> GenerationRequest:
        """The request for other objects, without the places of those that it no longer has."""
        kept = tuple(sorted(objects))
        return replace(self, objects=kept, places=tuple(place for place in self.places if place[0] in kept))

    def single(self, number: int) -> GenerationRequest:
        """The request of picture `number` alone; seeds wrap around at the largest."""
        return replace(self, seed=(self.seed + number) % (MAX_SEED + 1), pictures=1)

    def fields(self) -> dict[str, str]:
        """The request as readable strings, for links and metadata."""
        found = {
            "v": "2" if self.places or self.seeds else "1",
            "objects": ",".join(slug(index) for index in self.objects),
            "seed": str(self.seed),
            "steps": str(self.steps),
            "sampler": self.sampler,
        }
        if self.pictures != 1:
            found["pictures"] = str(self.pictures)
        if self.duel:
            found["duel"] = ",".join(self.duel)
        if self.places:
            found["at"] = ",".join(f"{slug(index)}:{row:g}:{column:g}" for index, row, column in self.places)
        return found | {f"seed-{source}": str(seed) for source, seed in self.seeds}

    def query(self, weights: Mapping[str, str] | None = None) -> str:
        """The link's query, without "?": the fields and, per contender, the fingerprint of the weights."""
        return urlencode(self.fields() | dict(weights or {}), safe=",:", quote_via=quote)


SEED_FIELDS = {f"seed-{source}": source for source in SOURCES}
PARSERS: dict[str, Callable[[str], Any]] = {
    "seed": int,
    "steps": int,
    "sampler": str.lower,
    "pictures": int,
    "duel": lambda text: tuple(text.lower().split(",")),
    **dict.fromkeys(SEED_FIELDS, int),
}
FIELDS = ("v", "objects", "at", *PARSERS)
"""A link's own fields, beside the contenders' names."""
MOST_NAMED = 3
"""How many unknown names are told one by one, each with its nearest; the rest is one note."""


def query_of(text: str) -> dict[str, str]:
    """The fields of a query; of a longer one than a link of ours ever is, those of its first part.

    Of a field that is there several times the last one counts, but objects and places add up. Links that went through
    HTML have "&amp;" between their fields, once or several times over, and a shouting keyboard writes large letters.
    """
    plain = re.sub(r"&(amp;|#38;|#x26;)+", "&", text[:MOST_TEXT], flags=re.IGNORECASE)
    pairs = [
        (name.strip().lower(), value) for name, value in parse_qsl(plain.removeprefix("?"), keep_blank_values=True)
    ]
    lists = {name: [value for other, value in pairs if other == name] for name in ("objects", "at")}
    return dict(pairs) | {name: ",".join(values) for name, values in lists.items() if values}


def misspelt(query: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Notes on fields that a link of ours does not have, where one that it lacks is near: "object", "sedd"."""
    fields = [name for name in (*FIELDS[1:], "grid", "rows", "columns") if name not in query]
    strangers = [name for name in query if name not in {*FIELDS, *known} and not name.startswith("_")]
    near = {name: difflib.get_close_matches(name[:24], fields, n=1, cutoff=0.75) for name in strangers[:MOST_NAMED]}
    return [
        f"The link's {shown(name)} was not understood; did you mean {found[0]!r}?"
        for name, found in near.items()
        if found
    ]


T = TypeVar("T")


def _parts(text: str, read: Callable[[str], T], thing: str, fault: str, notes: list[str]) -> list[T]:
    """What a link's list says, part by part, as `read` reads it; bad parts are left out, with a note. `thing` is what
    a part is, "name", and `fault` what a bad one is."""
    parts = [part.strip() for part in text[:MOST_TEXT].split(",") if part.strip()]
    some, beyond = parts[: len(OBJECTS)], len(parts) > len(OBJECTS) or len(text) > MOST_TEXT
    found, bad = list[T](), 0
    for part in some:
        try:
            found.append(read(part))
        except InputError as error:
            bad += 1
            if bad <= MOST_NAMED:
                notes.append(f"{error}{'' if str(error).endswith('?') else '.'} It was left out.")
    if bad > MOST_NAMED:
        notes.append(f"{bad - MOST_NAMED} more {thing}s are {fault}; they were left out.")
    if beyond:
        told = f"The link names more than {len(OBJECTS)} objects; only its first {len(some)} {thing}s were read."
        notes.append(told)
    return found


def _place(part: str, objects: tuple[int, ...]) -> tuple[int, float, float]:
    """The place in "red-cube:30.5:12"; an InputError for anything else."""
    name, *numbers = part.split(":")
    try:
        pair = tuple(map(float, numbers))
    except ValueError:
        pair = ()
    return given_places({name: pair}, objects)[0]


def _checked(field: str, text: str) -> Any:
    """A link's field as a request has it; a ValueError if it is bad."""
    value = PARSERS[field](text[:MOST_TEXT])
    if field in SEED_FIELDS:
        return whole(field, value, 0, MAX_SEED)
    GenerationRequest.of([0], **{field: value})
    return value


def from_query(
    query: Mapping[str, str], known: Collection[str] = PAIR
) -> tuple[GenerationRequest, list[str], dict[str, str]]:
    """(request, notes, weights) of a link's query or a picture's metadata; `known` are the contenders there are.

    The request may have no objects, if the link names none. Notes say which fields were bad and what stands in.
    """
    notes: list[str] = []
    default = GenerationRequest(objects=())
    if (version := query.get("v", "1")) not in ("1", str(VERSION)):
        told = version if len(version) <= 9 else shown(version)
        notes.append(f"The link is of version {told}, this page of version {VERSION}; fields may differ.")
    notes += misspelt(query, known)
    is_link = any(field in query for field in ("objects", *PARSERS))
    notes += [
        f"The link names no {field}; {getattr(default, field)} is used."
        for field in ("seed", "steps")
        if is_link and field not in query
    ]
    good: dict[str, Any] = {}
    for field in [field for field in PARSERS if field in query]:
        try:
            good[field] = _checked(field, query[field])
        except ValueError as error:
            reason = str(error) if isinstance(error, InputError) else f"{field} {shown(query[field])} is not a number"
            usual = {"duel": "the usual one", **dict.fromkeys(SEED_FIELDS, "the seed of the rest")}
            notes.append(f"{reason}; {usual.get(field) or getattr(default, field)} is used.")
    seeds = seeds_of({source: good.pop(field) for field, source in SEED_FIELDS.items() if field in good})
    if strangers := [name for name in good.get("duel", ()) if name not in known]:
        notes.append(f"The link names {shown(strangers[0])}, which does not draw here; the usual two do.")
        del good["duel"]
    if "guidance" in query:
        notes.append("The link asks for guidance, which the DDPM no longer needs; it was left out.")
    objects = tuple(sorted({*_parts(query.get("objects", ""), index_of, "name", "unknown", notes)}))
    reader = partial(_place, objects=objects)
    given = _parts(query.get("at", ""), reader, "place", "wrong", notes)
    places = {place[0]: place for place in given}
    twice = [index for index in sorted(places) if sum(place[0] == index for place in given) > 1]
    notes += [f"The link has several places for the {OBJECTS[index]}; the last one is used." for index in twice]
    request = replace(
        default, objects=objects, places=tuple(places[index] for index in sorted(places)), seeds=seeds, **good
    )
    if is_link and not request.objects:
        notes.append("The link names no object that can be drawn.")
    return request, notes, {name: query[name][:16] for name in known if name in query}
