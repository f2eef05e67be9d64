"""What a grid of pictures holds: two free axes, a request a cell, and the link that draws it again.

    plan = Plan.of(request, "ddpm", ("seed", "7-9"), ("steps", "4, 8, 20"), studio.contenders)
    plan.cell(0, 2).request.steps                 # 20
    plan.query(request.query())                   # "...&grid=ddpm&rows=seed:7,8,9&columns=steps:4,8,20"

An axis varies the seed, the steps, the sampler, the model, or one object that joins the ticked ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import quote

from clevr_demo.models import Contender
from clevr_demo.objects import OBJECTS, InputError, index_of, slug
from clevr_demo.request import MAX_SEED, MAX_STEPS, SAMPLERS, GenerationRequest, whole
from clevr_demo.serve.studio import Cell
from clevr_demo.serve.wording import SAMPLER_NAMES, many

MOST = 8
"""The most values of an axis, so that a grid has at most 64 cells."""
NOTHING = "nothing"
AXES = {"seed": "Seed", "steps": "Steps", "sampler": "Sampler", "model": "Model", "object": "One object more"}
FIELDS = ("grid", "rows", "columns")
"""The fields that a grid's link has besides a request's."""


def fault(text: str) -> InputError:
    return InputError("grid", text)


def _numbers(parts: list[str], kind: str, low: int, high: int) -> list[int]:
    """Whole numbers out of "7", "9" and spans such as "7-12"."""
    found: list[int] = []
    for part in parts:
        try:
            first, last = (int(end) for end in (part.split("-", 1) * 2)[:2])
        except ValueError:
            raise fault(f"{part!r} is not a whole number; write the {kind} as 5, 10, 20 or as 7-12") from None
        if last < first:
            raise fault(f"the {kind} {part!r} run backwards")
        if last - first >= MOST:
            raise fault(f"{part!r} are more than {MOST} values; an axis has at most {MOST}")
        found += [whole("grid", number, low, high) for number in range(first, last + 1)]
    return found


def _named(parts: list[str], kind: str, known: Collection[str]) -> list[str]:
    for part in parts:
        if part.lower() not in known:
            raise fault(f"unknown {kind} {part!r}; choose from {', '.join(known)}")
    return [part.lower() for part in parts]


def _objects(parts: list[str]) -> list[str]:
    try:
        return [part if part.lower() == NOTHING else OBJECTS[index_of(part)] for part in parts]
    except InputError as error:
        raise fault(str(error)) from None


READERS: dict[str, Callable[[list[str], Collection[str]], list[Any]]] = {
    "seed": lambda parts, _: _numbers(parts, "seeds", 0, MAX_SEED),
    "steps": lambda parts, _: _numbers(parts, "steps", 1, MAX_STEPS),
    "sampler": lambda parts, _: _named(parts, "sampler", SAMPLERS),
    "model": lambda parts, contenders: _named(parts, "model", contenders),
    "object": lambda parts, _: _objects(parts),
}


@dataclass(frozen=True)
class Axis:
    """One axis of a grid: what it varies and the values it takes, each once."""

    kind: str
    values: tuple[Any, ...]

    @classmethod
    def of(cls, kind: str, text: str, contenders: Collection[str] = ()) -> Self:
        """Reads "5, 10, 20", "7-12" or "red cube, nothing"; a model is one of the contenders' names.

        Raises:
            InputError: for an unknown kind, no value, more than MOST values, or a value that makes no sense.
        """
        if kind not in AXES:
            raise fault(f"unknown axis {kind!r}; choose from {', '.join(AXES)}")
        parts = [part.strip() for part in str(text).split(",") if part.strip()]
        if not parts:
            raise fault(f"write the values of the axis {AXES[kind].lower()!r}, separated by commas")
        if len(parts) > MOST:
            raise fault(f"{len(parts)} values are too many; an axis has at most {MOST}")
        values = tuple(dict.fromkeys(READERS[kind](parts, contenders)))
        if len(values) > MOST:
            raise fault(f"{len(values)} values are too many; an axis has at most {MOST}")
        return cls(kind, values)

    def label(self, value: Any) -> str:
        """How a row or a column is headed."""
        if self.kind == "steps":
            return many(value, "step")
        if self.kind == "object":
            return "as ticked" if value == NOTHING else f"+ {value}"
        if self.kind == "sampler":
            return SAMPLER_NAMES[value]
        return f"seed {value}" if self.kind == "seed" else str(value)

    def put(self, cell: Cell, value: Any) -> Cell:
        """The cell with this axis at a value."""
        if self.kind == "model":
            return replace(cell, contender=value)
        if self.kind != "object":
            return replace(cell, request=replace(cell.request, **{self.kind: value}))
        more = set() if value == NOTHING else {index_of(value)}
        if more & set(cell.request.objects):
            raise fault(f"the {value} is ticked already; the axis adds one object to the ticked ones")
        return replace(cell, request=cell.request.of_objects({*cell.request.objects, *more}))

    @property
    def text(self) -> str:
        """The values as they are typed."""
        return ", ".join(map(str, self.values))

    @property
    def query(self) -> str:
        """The axis as it stands in a link: "steps:4,8,20", "object:red-cube"."""
        named = self.kind == "object"
        values = (slug(index_of(v)) if named and v != NOTHING else str(v) for v in self.values)
        return f"{self.kind}:{','.join(values)}"


@dataclass(frozen=True)
class Plan:
    """A grid to draw: the request at the left of the page, a contender's name, the two axes, and who there is."""

    request: GenerationRequest
    model: str
    rows: Axis
    columns: Axis
    contenders: Mapping[str, Contender]

    @classmethod
    def of(
        cls, request: GenerationRequest, model: str, rows: tuple[str, str], columns: tuple[str, str],
        contenders: Mapping[str, Contender],
    ) -> Self:  # fmt: skip
        """Checks everything, also every cell. `rows` and `columns` are (kind, values as typed).

        Raises:
            InputError: whose field is "grid"; the message names the culprit.
        """
        if model not in contenders:
            raise fault(f"unknown model {model!r}; choose from {', '.join(contenders)}")
        if rows[0] == columns[0]:
            raise fault(f"rows and columns both vary the {AXES.get(rows[0], rows[0]).lower()}; choose two things")
        down, across = (Axis.of(*axis, contenders) for axis in (rows, columns))
        plan = cls(request.single(0), model, down, across, contenders)
        kinds, one = {rows[0], columns[0]}, contenders[model]
        if not one.model.has_steps and "model" not in kinds and kinds & {"steps", "sampler"}:
            others = " or ".join(f"the {other.title}" for other in contenders.values() if other.model.has_steps)
            raise fault(f"the {one.title} draws in one pass, so steps and samplers change nothing; choose {others}")
        plan.cells  # noqa: B018  # a value that does not fit the request is told before anything is drawn
        return plan

    def label(self, axis: Axis, value: Any) -> str:
        """How a row or a column is headed."""
        return self.contenders[value].title if axis.kind == "model" else axis.label(value)

    def cell(self, row: int, column: int) -> Cell:
        """The cell at a place, both from 0."""
        start = Cell(self.model, self.request)
        return self.columns.put(self.rows.put(start, self.rows.values[row]), self.columns.values[column])

    @property
    def cells(self) -> list[Cell]:
        """All cells in reading order."""
        return [self.cell(row, column) for row in range(len(self.rows.values)) for column in range(self.width)]

    @property
    def width(self) -> int:
        return len(self.columns.values)

    @property
    def title(self) -> str:
        """What the grid shows, in one line."""
        varied = {self.rows.kind, self.columns.kind}
        told = [", ".join(self.request.names)]
        told += [] if "model" in varied else [self.contenders[self.model].title]
        told += [] if "seed" in varied else [f"seed {self.request.seed}"]
        if self.contenders[self.model].model.has_steps or "model" in varied:
            told += [] if "steps" in varied else [Axis("steps", ()).label(self.request.steps)]
            told += [] if "sampler" in varied else [SAMPLER_NAMES[self.request.sampler]]
        return f"{AXES[self.rows.kind]} by {AXES[self.columns.kind].lower()}. {'; '.join(told)}"

    @property
    def passes(self) -> int:
        """Passes of the pixel networks that the whole grid takes."""
        passes = {self.drawing(cell): self.contenders[cell.contender].passes(cell.request) for cell in self.cells}
        return sum(passes.values())

    def drawing(self, cell: Cell) -> tuple[Any, ...]:
        """What decides the pixels: cells with equal ones hold the same picture, which is drawn once."""
        contender = self.contenders[cell.contender]
        request = contender.request(cell.request)
        steps = (request.steps, request.sampler) if contender.model.has_steps else ()
        return cell.contender, request.objects, request.seed, *steps

    def pictures(self) -> list[list[int]]:
        """The pictures to draw, each as the places of the cells that it fills."""
        found: dict[tuple[Any, ...], list[int]] = {}
        for place, cell in enumerate(self.cells):
            found.setdefault(self.drawing(cell), []).append(place)
        return list(found.values())

    def query(self, request: str) -> str:
        """The query of a link that draws the grid again, given that of its request."""
        rows, columns = (quote(axis.query, safe=":,") for axis in (self.rows, self.columns))
        return f"{request}&grid={self.model}&rows={rows}&columns={columns}"


def from_query(
    query: Mapping[str, str], request: GenerationRequest, contenders: Mapping[str, Contender]
) -> tuple[Plan | None, list[str]]:
    """(plan, notes) of a link: no plan where it names no grid, or one that cannot be drawn, as a note then says."""
    if not set(FIELDS) & set(query):
        return None, []
    rows, columns = (query.get(name, "").partition(":") for name in ("rows", "columns"))
    try:
        if not request.objects:
            raise fault("the link names no object")
        model = query.get("grid", next(iter(contenders)))
        return Plan.of(request, model, (rows[0], rows[2]), (columns[0], columns[2]), contenders), []
    except InputError as error:
        return None, [f"The link's grid cannot be drawn: {error}."]
