"""Links, well-formed and otherwise, and the text that is in them: cases of (inputs, answer) for the table.

Characters are of Unicode 14 and older: which are printable depends on the version that a language knows.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from clevr_demo.objects import OBJECTS, InputError, index_of, shown, slug
from clevr_demo.request import FIELDS, MAX_SEED, SAMPLERS, SOURCES, GenerationRequest, from_query, query_of

Case = tuple[list[Any], Any]
ODD = [
    "", " ", "\t", "\x1c", "\x85", "\xa0", "\u3000", "\ufeff", "\u200b", "\x00", "\x7f", "é", "ß", "İ", "Σ", "漢", "😀",
    "\U000e0001", "'", '"', "\\", "\n", "%", "%zz", "%e2%82", "%F0%9F", "+", "&", "&amp;", "=", ";", ",", ":", "?", "#",
    "<", "_", "-", "x" * 50, "y" * 5000, "😀" * 60, "\n" * 45, "'" * 90,
]  # fmt: skip
NUMBERS = [
    "0", "7", "007", "+7", "-7", "- 7", " 7 ", "7.0", "1e3", "1_000", "1__0", "_1", "1_", "", "x", "nan", "-inf",
    "Infinity", str(MAX_SEED), str(MAX_SEED + 1), "9" * 90, "9" * 4097, "-" + "9" * 79, "٣٤", "²", "７", "𝟙𝟚",
    "0x10", "1200", "1201", "8", "9", "30.5", "12.25", "12.75", "62.8", "63", "63.01", "-0", "-0.01", ".5", "5.", ".",
    "1e-7", "1e16", "1.5e300", "1e999", "0.0001", "0.00001234", "123456789012345678", "1_0.5_0", "1e1_0", "\x1c5\x85",
]  # fmt: skip


def names(pick: random.Random) -> str:
    """A name of an object, as somebody may write it, or something near to one, or nothing like it."""
    name = pick.choice(OBJECTS)
    way = pick.randrange(8)
    if way == 0:
        at = pick.randrange(len(name))
        return name[:at] + pick.choice("abcxyz ") + name[at + pick.randint(0, 2) :]
    if way == 1:
        return name.upper().replace(" ", pick.choice(["-", "_", "  ", " - "]))
    if way == 2:
        return " ".join(reversed(name.split()))
    if way == 3:
        return pick.choice(ODD) + pick.choice([name, ""]) + pick.choice(ODD)
    return name.replace(" ", "-")


def placed(pick: random.Random) -> str:
    count = pick.choice([2, 2, 2, 2, 2, 0, 1, 3, 8])
    return ":".join([names(pick), *(pick.choice([*NUMBERS, str(pick.randint(0, 126) / 2)]) for _ in range(count))])


def listed(pick: random.Random, one: Callable[[random.Random], str]) -> str:
    return pick.choice([",", ",", " , ", ",,"]).join(one(pick) for _ in range(pick.choice([1, 2, 3, 5, 8, 30])))


def value_of(pick: random.Random, field: str) -> str:
    if pick.random() < 0.1:
        return pick.choice(ODD) + pick.choice(ODD)
    if field == "objects":
        return listed(pick, names)
    if field == "at":
        return listed(pick, placed)
    if field == "sampler":
        return pick.choice([*SAMPLERS, "DPM", "euler", *ODD])
    if field == "duel":
        some = ["ddpm", "acgan", "quick", "DDPM", "a b", "", "é", "x" * 24, "x" * 25, "'"]
        return ",".join(pick.choices(some, k=pick.choice([1, 2, 2, 2, 3, 9])))
    if field == "v":
        return pick.choice(["1", "2", "3", "", "12345678", "1234567890", *ODD])
    return pick.choice([*NUMBERS, str(pick.randint(0, 1200))])


def query(pick: random.Random) -> str:
    """A link's query of any fields, in any order, some of them misspelt, foreign or doubled."""
    foreign = [
        "object",
        "sedd",
        "step",
        "Seed ",
        "OBJECTS",
        "ddpm",
        "acgan",
        "quick",
        "_gl",
        "utm_source",
        "guidance",
        "grid",
        "é",
        "at",
    ]
    fields = [name for name in FIELDS if pick.random() < 0.55] + pick.choices(foreign, k=pick.choice([0, 0, 1, 4]))
    if pick.random() < 0.5:
        pick.shuffle(fields)
    text = urlencode([(name, value_of(pick, name.strip().lower())) for name in fields])
    return pick.choice(["", "", "?", "??"]) + text.replace("&", pick.choice(["&", "&", "&amp;", "&AMP;&#38;", "&&"]))


def well_formed(count: int, start: int) -> Iterator[GenerationRequest]:
    pick = random.Random(start)
    for _ in range(count):
        objects = pick.sample(range(24), pick.randint(1, 24))
        places = {index: (pick.uniform(0, 63), pick.uniform(0, 63)) for index in objects if pick.random() < 0.3}
        seeds = {source: pick.randint(0, MAX_SEED) for source in SOURCES if pick.random() < 0.2}
        yield GenerationRequest.of(
            objects, pick.randint(0, MAX_SEED), pick.randint(1, 1200), pick.choice(SAMPLERS), pick.randint(1, 8),
            pick.choice([(), ("ddpm", "quick")]), places, seeds,
        )  # fmt: skip


def queries() -> Iterator[Case]:
    pick = random.Random(8)
    texts = [query(pick) for _ in range(150)] + [
        "".join(pick.choices([*ODD, "a", "seed", "objects"], k=12)) for _ in range(200)
    ]
    for text in [*texts, "a=1&b=2&a=3", "objects=a&seed=1&objects=b", "&" * 5000, "10=x&9=y&__proto__=z"]:
        yield [text], list(query_of(text).items())


def requests() -> Iterator[Case]:
    pick = random.Random(9)
    for number in range(600):
        known = [["ddpm", "acgan"], ["ddpm", "acgan", "quick"]][number % 2]
        text = query(pick)
        request, notes, weights = from_query(query_of(text), known)
        yield [text, known], {"request": asdict(request), "notes": notes, "weights": weights}


def links() -> Iterator[Case]:
    pick = random.Random(10)
    for request in well_formed(100, 11):
        weights = {"ddpm": "0a1b2c3d", "acgan": pick.choice(["", "a b/é~!'()*:,", "deadbeef"])}
        yield [asdict(request), weights], request.query(weights)


def objects() -> Iterator[Case]:
    pick = random.Random(12)
    for name in [*OBJECTS, *map(slug, range(24)), *ODD, *NUMBERS, *(names(pick) for _ in range(400))]:
        try:
            answer: int | str = index_of(name)
        except InputError as error:
            answer = str(error)
        yield [name], answer


def attempted(read: Callable[[str], Any], text: str) -> str:
    try:
        return shown(read(text))
    except ValueError:
        return ""


def numbers() -> Iterator[Case]:
    pick = random.Random(13)
    made = ["".join(pick.choices("0123456789__..eE+- ", k=pick.randint(1, 9))) for _ in range(600)]
    sized = [f"{pick.choice(['', '-'])}{pick.random()}e{pick.randint(-12, 25)}" for _ in range(100)]
    for text in [*NUMBERS, *ODD, *made, *sized]:
        if len(text) <= 4096:  # a link's fields are no longer, and Python reads no longer numbers
            yield [text], [attempted(int, text), attempted(float, text)]


def texts() -> Iterator[Case]:
    pick = random.Random(14)
    made = ["".join(pick.choices([*ODD, "abc", " ", "'"], k=pick.randint(1, 8))) for _ in range(300)]
    for text in [*ODD, *made]:
        yield [text], shown(text)
    for _ in range(60):
        several = tuple("".join(pick.choices([*ODD[:-4], "abc"], k=3)) for _ in range(pick.randint(0, 9)))
        yield [several], shown(several)
