"""Draws a grid and judges every picture. `axes` says what is in it, `table` how it looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from clevr_demo.serve.axes import Plan
from clevr_demo.serve.drawing import INTERVAL
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.table import Table, TableCell
from clevr_demo.serve.wording import SAMPLER_NAMES, beyond, many

SAME = "The {} draws in one pass: its pictures are the same for every number of steps and every sampler."


def judged(studio: Studio, cell: Cell, pixels: np.ndarray) -> TableCell:
    """A drawn cell with its verdict, and in words for those who cannot see it."""
    contender, request = studio.contenders[cell.contender], cell.request
    how = f", {many(request.steps, 'step')}, {SAMPLER_NAMES[request.sampler]}" if contender.model.has_steps else ""
    words = f"{contender.title}: {', '.join(request.names)}; seed {request.seed}{how}"
    return TableCell(pixels, words, studio.query(studio.alone(cell)), studio.verdicts([pixels], request)[0])


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
    """The table at the start and as it fills; its state is "done" or "stopped" at the end."""
    cells, asked, sent = plan.cells, plan.pictures(), 0.0
    table = table_of(plan, plan.query(studio.query(plan.request, *(cell.contender for cell in cells))))
    yield table
    for number, still in studio.draw([cells[places[0]] for places in asked], stopped):
        for place in asked[number]:
            table.pictures[place] = judged(studio, cells[place], still.predicted)
        table.spent += plan.passes_of(cells[asked[number][0]])
        if still.notice and still.notice not in table.told:
            table.told.append(still.notice)
        if time.monotonic() - sent >= INTERVAL:
            sent = time.monotonic()
            yield table
    table.state = "done" if len(table.pictures) == table.total else "stopped"
    yield table
