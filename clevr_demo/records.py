"""Records: a row for every picture that a published figure counts, and what the rows say together.

    rows = read(ROOT / "ddpm")                    # records.csv.gz beside the weights
    rows[0].request                               # draws the very picture again, on the same kind of processor
    scores(rows)["exact"]                         # Estimate(mean, low, high, number)
    differences(rows, read(ROOT / "acgan"))["exact"].said

Every picture is drawn alone, by the CPU engine that draws the page. The file is a gzipped CSV with a header; its cells
are written as in links: objects "red-cube,blue-sphere", given places "red-cube:30.5:12".
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import CheckpointError, reason, write_bytes
from clevr_demo.estimates import Difference, Estimate, clustered, paired
from clevr_demo.judge.evaluator import Verdict
from clevr_demo.objects import INDEX, OBJECTS, slug
from clevr_demo.request import DEFAULT_STEPS, SAMPLERS, GenerationRequest

FILE = "records.csv.gz"
LARGEST = 2**26
"""Bytes of an unpacked file that are read; a hundred thousand rows have fewer."""
SLUGS = {slug(index): index for index in range(len(OBJECTS))}
Places = tuple[tuple[int, float, float], ...]


@dataclass(frozen=True)
class Record:
    """One picture: who drew and judged it, what was asked for, and what was seen.

    `model` and `judge` are names with fingerprints; `prompts` names the set, `digest` is of its prompts and given
    places. `objects` are indices, `at` the given places as (object, row, column) in pixels. `steps` is 0 and `sampler`
    empty where the model has none. `missing`, `extra` and `doubled` are indices, of what is there too often once for
    every time that it is. `hits` and `teacher` count the requested objects among the k most probable, by the judge's
    classifier and by the teacher. `off` are distances in pixels from the given places, of objects found. `seconds` are
    the drawing's, and no part of what makes two rows the same.
    """

    model: str
    judge: str
    prompts: str
    digest: str
    steps: int
    sampler: str
    seed: int
    objects: tuple[int, ...]
    at: Places
    exact: bool
    missing: tuple[int, ...]
    extra: tuple[int, ...]
    doubled: tuple[int, ...]
    hits: int
    teacher: int
    off: tuple[float, ...]
    seconds: float

    @property
    def request(self) -> GenerationRequest:
        """What draws the picture."""
        given = {index: (row, column) for index, row, column in self.at}
        steps, sampler = self.steps or DEFAULT_STEPS, self.sampler or SAMPLERS[0]
        return GenerationRequest.of(self.objects, self.seed, steps, sampler, places=given)

    @property
    def key(self) -> tuple[Any, ...]:
        """What no two rows of a file share."""
        return self.model, self.judge, self.prompts, self.digest, self.steps, self.sampler, self.seed

    @property
    def right_number(self) -> bool:
        """Whether as many objects are found as were asked for, whichever they are."""
        return len(self.missing) == len(self.extra) + len(self.doubled)


def seen(request: GenerationRequest, verdict: Verdict) -> dict[str, Any]:
    """The fields of a record that the judge's detector and classifier fill."""
    found, asked = Counter(INDEX[one.name] for one in verdict.found), set(request.objects)
    surest = {INDEX[one.name]: (one.row, one.column) for one in reversed(verdict.found)}
    return {
        "exact": verdict.exact,
        "missing": tuple(index for index in request.objects if index not in found),
        "extra": tuple(sorted(index for index in found.elements() if index not in asked)),
        "doubled": tuple(sorted(index for index in (found - Counter(asked)).elements() if index in asked)),
        "hits": verdict.hits,
        "off": tuple(round(math.dist(at, surest[index]), 2) for index, *at in request.places if index in surest),
    }


def _listed(values: Iterable[int]) -> str:
    return ",".join(slug(value) for value in values)


def _indices(text: str) -> tuple[int, ...]:
    return tuple(SLUGS[name] for name in text.split(",")) if text else ()


def _places(text: str) -> Places:
    parts = (part.split(":") for part in text.split(",") if part)
    return tuple((SLUGS[name], float(row), float(column)) for name, row, column in parts)


Form = tuple[Callable[[Any], str], Callable[[str], Any]]
"""How a cell is written, and how it is read."""
NAMES: Form = (_listed, _indices)
FORMS: dict[str, Form] = {
    **dict.fromkeys(("steps", "seed", "hits", "teacher"), (str, int)),
    **dict.fromkeys(("objects", "missing", "extra", "doubled"), NAMES),
    "at": (lambda at: ",".join(f"{slug(index)}:{row:g}:{column:g}" for index, row, column in at), _places),
    "exact": (lambda exact: str(int(exact)), lambda text: {"0": False, "1": True}[text]),
    "off": (lambda off: " ".join(f"{one:g}" for one in off), lambda text: tuple(map(float, text.split()))),
    "seconds": (lambda seconds: f"{seconds:.3f}", float),
}
COLUMNS = {field.name: FORMS.get(field.name, (str, str)) for field in fields(Record)}


def read(folder: Path) -> list[Record]:
    """The rows of a checkpoint folder; none where it has no records.

    Raises:
        CheckpointError: names the file, and the line that does not fit.
    """
    path = folder / FILE
    if not path.exists():
        return []
    try:
        with gzip.open(path) as file:
            text = file.read(LARGEST + 1)
        lines = csv.reader(io.StringIO(text.decode(), newline=""))
        header = next(lines, [])
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise CheckpointError(f"{path}: not readable as a gzipped CSV ({reason(error)})") from None
    if header != list(COLUMNS) or len(text) > LARGEST:
        raise CheckpointError(f"{path}: holds no records, or too many; its columns are {', '.join(COLUMNS)}")
    readers = [reader for _, reader in COLUMNS.values()]
    found = []
    try:
        for line in lines:
            found.append(Record(*(reader(cell) for reader, cell in zip(readers, line, strict=True))))
    except (ValueError, KeyError, csv.Error) as error:
        raise CheckpointError(f"{path}: line {lines.line_num} is no record ({reason(error)})") from None
    return found


def write(folder: Path, rows: Iterable[Record]) -> None:
    """Writes all rows in one go, sorted, so that the same rows are the same file whoever drew them in what order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=attrgetter("key")):
        writer.writerow([form(getattr(row, name)) for name, (form, _) in COLUMNS.items()])
    write_bytes(folder / FILE, gzip.compress(text.getvalue().encode(), mtime=0))


SCORES: dict[str, Callable[[Record], tuple[float, float]]] = {
    "exact": lambda row: (row.exact, 1),
    "number": lambda row: (row.right_number, 1),
    "accuracy": lambda row: (row.hits, len(row.objects)),
    "teacher": lambda row: (row.teacher, len(row.objects)),
}
"""A picture's part in each score: how many of how many are right."""


def _prompt(row: Record) -> tuple[Any, ...]:
    return row.objects, row.at


def scores(rows: Sequence[Record]) -> dict[str, Estimate]:
    """Every score of the pictures together; a ValueError where there are none."""
    prompts = [_prompt(row) for row in rows]
    found = {}
    for name, part in SCORES.items():
        hits, tries = zip(*map(part, rows), strict=True) if rows else ((), ())
        found[name] = clustered(hits, tries, prompts)
    return found


def differences(first: Iterable[Record], second: Iterable[Record]) -> dict[str, Difference]:
    """Every score's difference, first - second, over pictures of the same prompt and seed.

    Raises:
        ValueError: fewer than two prompts are common to both and judged by the same judge.
    """

    def pair(row: Record) -> tuple[Any, ...]:
        return row.judge, row.prompts, row.digest, row.seed

    others = {pair(row): row for row in second}
    here = [row for row in first if pair(row) in others]
    there = [others[pair(row)] for row in here]
    found = {}
    for name, part in SCORES.items():
        left, right = ([above / below for above, below in map(part, side)] for side in (here, there))
        found[name] = paired(left, right, [_prompt(row) for row in here])
    return found
