"""What the records say of all contenders: the scoreboard's figures, and which pictures stand behind each.

    board = board_of(studio.contenders, studio.fingerprint)
    board.table["test"].scores["ddpm"]["exact"]   # Estimate(mean, low, high, number)
    board.chosen(Choice("ddpm", 20, prompts="test"))         # [("ddpm", record), ...], failures first

A board is made once of the files as they lie there, and again when they change.
"""

from __future__ import annotations

import statistics
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from clevr_demo.checkpoints import ROOT, CheckpointError, read_metrics
from clevr_demo.estimates import Difference, Estimate, wilson
from clevr_demo.judge.evaluator import MAX_JUDGED
from clevr_demo.models import Contender
from clevr_demo.objects import InputError, shown
from clevr_demo.records import FILE, Record, differences, read, scores
from clevr_demo.request import DEFAULT_STEPS, SAMPLERS
from clevr_demo.serve.scoreboard.confusions import KINDS, counted, number_found, numbers, seen_as, valued
from clevr_demo.serve.scoreboard.failures import worst
from clevr_demo.serve.scoreboard.trained import Trained, trained

SETS = {
    "test": "test.json",
    "new_test": "new_test.json",
    "seen-triples": "three objects, sets that training shows",
    "unseen-triples": "three objects, sets that no picture shows",
    "four": "four objects",
    "five": "five objects",
    "six": "six objects",
    "seven": "seven objects",
    "eight": "eight objects",
    "anywhere": "one to eight objects, each at a given random place",
}
"""The prompt sets in the table's order, and what they are called."""
FILES = ("test", "new_test")
Chosen = list[tuple[str, Record]]


@dataclass(frozen=True)
class Choice:
    """Which pictures of a contender: by so many steps (0 where it has none), and of those what else is said.

    `prompts` is a set, or several with a comma between; `asked` and `found` are numbers of objects, `wanted` is the
    index of a requested one; `swap` is "colour:red:blue", red asked for and blue seen. `against` another contender:
    pictures of the same prompt and seed that the one draws exactly and the other does not. `worst` 1: of every set the
    one with the most faults. `shared` 1: those of the prompt files that were drawn by all steps, see `Side.shared`.
    """

    model: str
    steps: int
    prompts: str = ""
    asked: int = -1
    found: int = -1
    wanted: int = -1
    swap: str = ""
    against: str = ""
    worst: int = -1
    shared: int = -1

    @classmethod
    def of(cls, query: str) -> Choice:
        """Reads what `query` writes; an InputError for anything else."""
        given = dict(parse_qsl(query[:400]))
        kinds = {field.name: int if field.type == "int" else str for field in fields(cls)}
        try:
            told: dict[str, Any] = {name: kinds[name](value) for name, value in given.items()}
            return cls(**told)
        except (KeyError, ValueError, TypeError):
            raise InputError("choice", f"no figure of this page: {shown(query)}") from None

    @property
    def query(self) -> str:
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return urlencode({name: value for name, value in told.items() if value not in ("", -1)}, safe=",:")

    def fits(self, row: Record) -> bool:
        kind, _, pair = self.swap.partition(":")
        return (
            row.steps == self.steps
            and (not self.prompts or row.prompts in self.prompts.split(","))
            and (self.asked < 0 or (len(row.objects) == self.asked and not row.at))
            and (self.found < 0 or number_found(row) == self.found)
            and (self.wanted < 0 or (plain(row) and self.wanted in row.objects))
            and (not self.swap or (plain(row) and pair in swaps(kind, row)))
        )


def plain(row: Record) -> bool:
    """Whether a picture counts by object, colour and shape: without given places, and of as many as the judge knows."""
    return not row.at and len(row.objects) <= MAX_JUDGED


def swaps(kind: str, row: Record) -> set[str]:
    return {f"{valued(kind, asked)}:{valued(kind, seen)}" for asked, seen in seen_as(row)} if kind in KINDS else set()


@dataclass(frozen=True)
class Source:
    """Where a contender's records lie, and of which weights they have to be; `changed` says when they were written."""

    name: str
    title: str
    mark: str
    steps: int
    folder: Path
    changed: int

    @classmethod
    def of(cls, contender: Contender, mark: str) -> Source:
        folder = Path(contender.path) if contender.path else ROOT / contender.kind
        steps = contender.settings.get("steps", DEFAULT_STEPS) if contender.model.has_steps else 0
        file = folder / FILE
        changed = file.stat().st_mtime_ns if file.is_file() else 0
        return cls(contender.name, contender.title, mark, steps, folder, changed)


@dataclass(frozen=True)
class Side:
    """A contender with the rows of its weights, at all steps; `steps` are its usual ones, 0 where it has none."""

    name: str
    title: str
    mark: str
    steps: int
    rows: tuple[Record, ...]

    @classmethod
    def of(cls, source: Source) -> Side:
        """A broken file counts as none: the measures name what is wrong with it."""
        try:
            every = read(source.folder) if source.changed else []
        except CheckpointError:
            every = []
        own = (row for row in every if row.model.partition("@")[2] == source.mark)
        rows = tuple(row for row in own if row.sampler in ("", SAMPLERS[0]) and row.prompts in SETS)
        return cls(source.name, source.title, source.mark, source.steps, rows)

    @cached_property
    def usual(self) -> list[Record]:
        """The rows of its usual steps."""
        return [row for row in self.rows if row.steps == self.steps]

    @cached_property
    def shared(self) -> list[Record]:
        """The rows of both prompt files whose prompt and seed were drawn by all of its steps, so that these compare."""
        own = [row for row in self.rows if row.prompts in FILES]
        times = Counter((row.prompts, row.digest, row.seed) for row in own)
        every = len({row.steps for row in own})
        return [row for row in own if times[row.prompts, row.digest, row.seed] == every]

    def choice(self, **what: Any) -> Choice:
        """Of this contender's pictures those that `what` says, by its usual steps unless it says others."""
        settings: dict[str, Any] = {"steps": self.steps} | what
        return Choice(self.name, **settings)


@dataclass(frozen=True)
class Line:
    """A set of the table: the scores of every contender that has drawn it, and how far the first two are apart."""

    prompts: str
    scores: dict[str, dict[str, Estimate]]
    apart: dict[str, Difference]


@dataclass(frozen=True)
class Point:
    """What a contender scores on both prompt files together, at a number of steps, and its cost a picture."""

    model: str
    steps: int
    seconds: float
    scores: dict[str, Estimate]

    @property
    def passes(self) -> int:
        return self.steps or 1


@dataclass(frozen=True)
class Board:
    """All figures; made by `of`."""

    sides: tuple[Side, ...]
    table: dict[str, Line]
    costs: tuple[Point, ...]
    bounds: dict[str, dict[str, Any]]
    copies: dict[str, dict[str, Any]]
    report: dict[str, dict[str, Trained]]

    @classmethod
    def of(cls, sides: Sequence[Side], root: Path = ROOT) -> Board:
        names = [name for name in SETS if any(row.prompts == name for side in sides for row in side.usual)]
        lines = {name: _line(name, sides) for name in names}
        costs = tuple(point for side in sides for point in _costs(side))
        copies = {side.title: found for side in sides if (found := _metrics(root / side.name).get("copies"))}
        bounds = _metrics(root / "detector").get("bounds", {}).get("rows", {})
        return cls(tuple(sides), lines, costs, bounds, copies, trained(root / "acgan" / "experiments"))

    @property
    def lacking(self) -> list[Side]:
        """Contenders without records."""
        return [side for side in self.sides if not side.usual]

    @property
    def drawn(self) -> list[Side]:
        return [side for side in self.sides if side.usual]

    def side(self, name: str) -> Side:
        for side in self.sides:
            if side.name == name:
                return side
        raise InputError("choice", f"no contender of this page: {shown(name)}")

    def numbers(self, side: Side) -> dict[int, Estimate]:
        """Counted exact by the number of objects asked for, of pictures without given places."""
        counts = sorted({len(row.objects) for row in side.usual if not row.at})
        return {count: scores([*_fitting(side, asked=count)])["exact"] for count in counts}

    def objects(self, side: Side) -> dict[int, Estimate]:
        """How often each object is found where it was asked for."""
        found: dict[int, list[bool]] = {}
        for row in filter(plain, side.usual):
            for index in row.objects:
                found.setdefault(index, []).append(index not in row.missing)
        return {index: wilson(sum(hits), len(hits)) for index, hits in sorted(found.items())}

    def confusions(self, side: Side, kind: str) -> Mapping[tuple[Any, Any], int]:
        """How often what was asked for was seen as what: of colours, shapes or numbers ("number")."""
        if kind == "number":
            return numbers(row for row in side.usual if not row.at)
        return counted(kind, filter(plain, side.usual))

    def chosen(self, choice: Choice) -> Chosen:
        """The pictures behind a figure, failures first."""
        side = self.side(choice.model)
        rows = [row for row in (side.shared if choice.shared > 0 else side.rows) if choice.fits(row)]
        if choice.worst > 0:
            found = worst(rows)
            return [(side.name, row) for row in sorted(found, key=lambda row: [*SETS].index(row.prompts))]
        if choice.against:
            return _disagreeing(side, self.side(choice.against), rows)

        def order(row: Record) -> tuple[Any, ...]:
            return choice.wanted not in row.missing if choice.wanted >= 0 else row.exact, row.exact, row.key

        return [(side.name, row) for row in sorted(rows, key=order)]


def _fitting(side: Side, **what: Any) -> Iterable[Record]:
    choice = side.choice(**what)
    return (row for row in side.usual if choice.fits(row))


def _line(name: str, sides: Sequence[Side]) -> Line:
    rows = {side.name: [row for row in side.usual if row.prompts == name] for side in sides}
    first, second = (list(rows.values()) + [[], []])[:2]
    try:
        apart = differences(first, second)
    except ValueError:
        apart = {}
    return Line(name, {side: scores(own) for side, own in rows.items() if own}, apart)


def _costs(side: Side) -> Iterable[Point]:
    for steps in sorted({row.steps for row in side.shared}):
        some = [row for row in side.shared if row.steps == steps]
        yield Point(side.name, steps, statistics.median(row.seconds for row in some), scores(some))


def _metrics(folder: Path) -> dict[str, Any]:
    """What was measured beside a folder's weights."""
    try:
        return read_metrics(folder)
    except CheckpointError:
        return {}


def _disagreeing(side: Side, other: Side, rows: Iterable[Record]) -> Chosen:
    theirs = {(row.prompts, row.digest, row.seed): row for row in other.usual}
    found: Chosen = []
    for row in sorted(rows, key=lambda row: row.key):
        twin = theirs.get((row.prompts, row.digest, row.seed))
        if twin and twin.exact != row.exact:
            found += [(side.name, row), (other.name, twin)]
    return found


_lock = threading.Lock()


def board_of(contenders: Mapping[str, Contender], fingerprint: Callable[[str], str]) -> Board:
    """The board of the files as they are now; made by one visitor at a time, and kept."""
    with _lock:
        return _board(tuple(Source.of(one, fingerprint(name)) for name, one in contenders.items()))


@lru_cache(maxsize=2)
def _board(sources: tuple[Source, ...]) -> Board:
    return Board.of([Side.of(source) for source in sources])
