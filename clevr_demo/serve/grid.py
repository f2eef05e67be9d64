"""Draws a grid and judges every picture. `axes` says what is in it, `table` how it looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from clevr_demo.serve.axes import MODEL_NAMES, Cell, Plan
from clevr_demo.serve.drawing import INTERVAL
from clevr_demo.serve.gate import one_thread
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.table import Picture, Table
from clevr_demo.serve.wording import many

SAME = "The ACGAN draws in one pass: its pictures are the same for every number of steps and every sampler."
Drawn = Iterator[tuple[int, np.ndarray, str]]
"""Of every picture its place among those asked for, its (64, 64, 3) uint8 pixels, and how it was drawn if unusually."""


def by_acgan(studio: Studio, cells: Sequence[Cell]) -> Drawn:
    """The ACGAN's pictures, in one batch."""
    one_thread()
    labels, seeds = [cell.request.objects for cell in cells], [cell.request.seed for cell in cells]
    for place, result in enumerate(studio.acgan.generate_batch(labels, seeds, 1, timeline=False)):
        yield place, np.asarray(result.image), ""


def by_ddpm(studio: Studio, cells: Sequence[Cell], stopped: Callable[[], bool]) -> Drawn:
    """The DDPM's pictures, each as soon as it is drawn: on a GPU in batches, of which it is asked for once."""
    requests = [cell.request for cell in cells]
    for place, still in studio.gate.stills(requests, timeline=False, stopped=stopped):
        yield place, still.predicted, still.notice


def pictures(studio: Studio, cells: Sequence[Cell], stopped: Callable[[], bool]) -> Drawn:
    """The pictures of cells, the ACGAN's first; fewer once stopped."""
    for model, draw in (("acgan", by_acgan), ("ddpm", lambda studio, cells: by_ddpm(studio, cells, stopped))):
        places = [place for place, cell in enumerate(cells) if cell.model == model]
        if not places or stopped():
            continue
        for number, pixels, notice in draw(studio, [cells[place] for place in places]):
            yield places[number], pixels, notice


def judged(studio: Studio, cell: Cell, pixels: np.ndarray) -> Picture:
    """A drawn cell with its verdict, and in words for those who cannot see it."""
    request = cell.request
    how = f", {many(request.steps, 'step')}, {request.sampler}" if cell.model == "ddpm" else ""
    words = f"{MODEL_NAMES[cell.model]}: {', '.join(request.names)}; seed {request.seed}{how}"
    return Picture(pixels, words, request.query(studio.weights), studio.verdicts([pixels], request)[0])


def table_of(plan: Plan, weights: dict[str, str]) -> Table:
    """The empty table of a grid."""
    columns, rows = ([axis.label(value) for value in axis.values] for axis in (plan.columns, plan.rows))
    table = Table(plan.title, columns, rows, plan.passes, means=True, query=plan.query(weights))
    kinds = {plan.rows.kind, plan.columns.kind}
    if "model" in kinds and kinds & {"steps", "sampler"}:
        table.told.append(SAME)
    return table


def draw_grid(studio: Studio, plan: Plan, stopped: Callable[[], bool]) -> Iterator[Table]:
    """The table at the start and as it fills; its state is "done" or "stopped" at the end."""
    cells, table, asked, sent = plan.cells, table_of(plan, studio.weights), plan.pictures(), 0.0
    yield table
    for number, pixels, notice in pictures(studio, [cells[places[0]] for places in asked], stopped):
        for place in asked[number]:
            table.pictures[place] = judged(studio, cells[place], pixels)
        table.spent += cells[asked[number][0]].passes
        if notice and notice not in table.told:
            table.told.append(notice)
        if time.monotonic() - sent >= INTERVAL:
            sent = time.monotonic()
            yield table
    table.state = "done" if len(table.pictures) == table.total else "stopped"
    yield table
