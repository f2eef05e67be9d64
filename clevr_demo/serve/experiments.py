"""The two experiments on one request, drawn and judged: a grid of pictures along two free axes, and the same seed with
one object changed. `axes` says what is in a grid, `table` how both look.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image

from clevr_demo.judge.evaluator import Verdict
from clevr_demo.objects import InputError, index_of
from clevr_demo.pictures import difference
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.axes import NOTHING, Plan
from clevr_demo.serve.drawing import INTERVAL, work
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.table import Table, TableCell
from clevr_demo.serve.wording import SAMPLER_NAMES, beyond, many

SAME = "The {} draws in one pass: its pictures are the same for every number of steps and every sampler."
STILL = 2.5
"""Pixels, of 64, that an object's centre may be off for it to count as standing still: the judge is that exact."""
CHANGED = 25
"""A pixel counts as changed from this difference of its levels on, of 255."""


@dataclass(frozen=True)
class Drawable:
    """A checked experiment: `draw(stopped)` yields its table as it fills, `work` is about its network evaluations."""

    work: float
    draw: Callable[[Callable[[], bool]], Iterator[Table]]


def judged(studio: Studio, cell: Cell, pixels: np.ndarray) -> TableCell:
    """A drawn cell with its verdict, and in words for those who cannot see it."""
    contender, request = studio.contenders[cell.contender], cell.request
    how = f", {many(request.steps, 'step')}, {SAMPLER_NAMES[request.sampler]}" if contender.model.has_steps else ""
    words = f"{contender.title}: {', '.join(request.names)}; seed {request.seed}{how}"
    return TableCell(pixels, words, studio.query(studio.alone(cell)), studio.verdicts([pixels], request)[0])


def filled(
    studio: Studio, table: Table, cells: Mapping[int, Cell], pictures: Sequence[Sequence[int]],
    stopped: Callable[[], bool],
) -> Iterator[Table]:  # fmt: skip
    """The table at the start and as it fills; its state is "done" or "stopped" at the end.

    `cells` are those to draw, by their places; `pictures` the places of each picture, which may fill several.
    """
    sent = 0.0
    yield table
    for number, still in studio.draw([cells[places[0]] for places in pictures], stopped):
        for place in pictures[number]:
            table.pictures[place] = judged(studio, cells[place], still.predicted)
        cell = cells[pictures[number][0]]
        table.spent += studio.contenders[cell.contender].passes(cell.request)
        if still.notice and still.notice not in table.told:
            table.told.append(still.notice)
        if time.monotonic() - sent >= INTERVAL:
            sent = time.monotonic()
            yield table
    table.state = "done" if cells.keys() <= table.pictures.keys() else "stopped"
    yield table


def table_of(plan: Plan, query: str) -> Table:
    """The empty table of a grid, whose link's query is given."""
    columns, rows = ([plan.label(axis, value) for value in axis.values] for axis in (plan.columns, plan.rows))
    table = Table(plan.title, columns, rows, plan.passes, means=True, query=query)
    table.told += filter(None, [beyond(plan.request)])
    if {plan.rows.kind, plan.columns.kind} & {"steps", "sampler"}:
        names = dict.fromkeys(cell.contender for cell in plan.cells)
        table.told += [
            SAME.format(plan.contenders[name].title) for name in names if not plan.contenders[name].model.has_steps
        ]
    return table


def draw_grid(studio: Studio, plan: Plan, stopped: Callable[[], bool]) -> Iterator[Table]:
    """The grid's table as it fills."""
    cells = dict(enumerate(plan.cells))
    names = (cell.contender for cell in cells.values())
    table = table_of(plan, plan.query(studio.query(plan.request, *names)))
    return filled(studio, table, cells, plan.pictures(), stopped)


def grid(studio: Studio, plan: Plan) -> Drawable:
    """A grid that was checked."""
    return Drawable(plan.passes, partial(draw_grid, studio, plan))


def changed(request: GenerationRequest, out: str, into: str) -> GenerationRequest:
    """The request with one object taken out, put in or swapped; an InputError says why it cannot be."""
    objects = set(request.objects)
    if out != NOTHING:
        if index_of(out) not in objects:
            raise InputError("change", f"the {out} is not among the ticked objects, so it cannot be taken out")
        objects -= {index_of(out)}
    if into != NOTHING:
        objects |= {index_of(into)}
    if not objects:
        raise InputError("change", "nothing would be left; put an object in")
    if objects == set(request.objects):
        raise InputError("change", "choose an object to take out, one to put in, or both")
    return replace(request.of_objects(objects), pictures=1)


def centres(verdict: Verdict) -> dict[str, tuple[float, float]]:
    """(row, column) of every requested object that the judge finds just once."""
    once = [one for one in verdict.found if verdict.counts[one.name] == 1 and one.name in verdict.requested]
    return {one.name: (one.row, one.column) for one in once}


def what_moved(before: Verdict, after: Verdict) -> str:
    """What became of the objects that both pictures were asked for, by where the judge finds them."""
    shared = [name for name in before.requested if name in after.requested]
    if not shared:
        return "No object is in both pictures."
    there, here = centres(before), centres(after)
    moved, stayed, lost = [], [], []
    for name in shared:
        if name not in there or name not in here:
            lost.append(name)
            continue
        way = math.dist(there[name], here[name])
        if way > STILL:
            moved.append(f"the {name} by {way:.0f} pixels")
        else:
            stayed.append(f"the {name}")
    parts = [f"moved: {', '.join(moved)}"] if moved else []
    parts += [f"stood still: {', '.join(stayed)}"] if stayed else []
    parts += [f"not found once in both: {', '.join(f'the {name}' for name in lost)}"] if lost else []
    told = "; ".join(parts)
    return f"{told[0].upper()}{told[1:]}."


def draw_change(
    studio: Studio, before: GenerationRequest, after: GenerationRequest, stopped: Callable[[], bool]
) -> Iterator[Table]:
    """The table as it fills: before, after and their difference, for both models."""
    columns = [", ".join(before.names), ", ".join(after.names), "what differs"]
    duel, requests = studio.duel(before), (before, after)
    passes = sum(one.passes(request) for one in duel for request in requests)
    table = Table(f"The same seed {before.seed} with one object changed", columns, [one.title for one in duel], passes)
    cells = {
        row * len(columns) + column: Cell(one.name, request)
        for row, one in enumerate(duel)
        for column, request in enumerate(requests)
    }
    for _ in filled(studio, table, cells, [[place] for place in cells], stopped):
        for row in range(len(duel)):
            compare(table, row)
        yield table


def compare(table: Table, row: int) -> None:
    """Adds where a row's two pictures differ, and what moved, once both are drawn."""
    place = row * len(table.columns)
    pair = [table.pictures[one] for one in (place, place + 1) if one in table.pictures]
    if place + 2 in table.pictures or len(pair) < 2 or pair[0].verdict is None or pair[1].verdict is None:
        return
    apart = np.asarray(difference(*(Image.fromarray(one.pixels) for one in pair)))
    share = (apart[..., 0] > CHANGED).mean() * 100
    told = f"{table.rows[row]}: where the two pictures differ"
    table.pictures[place + 2] = TableCell(apart, told, note=f"{share:.0f} % of pixels changed")
    moved = f"{table.rows[row]}. {what_moved(pair[0].verdict, pair[1].verdict)}"
    table.told.insert(min(row, len(table.told)), moved)  # in the rows' order, whichever is drawn first


def change(studio: Studio, request: GenerationRequest, out: str, into: str) -> Drawable:
    """One object of a request changed; an InputError says why it cannot be."""
    before = request.single(0)
    after = changed(before, out, into)
    return Drawable(work(before) + work(after), partial(draw_change, studio, before, after))
