"""The same seed with one object changed: both models draw before and after, and the judge says what moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from clevr_demo.judge.evaluator import Verdict
from clevr_demo.objects import InputError, index_of
from clevr_demo.pictures import difference
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.axes import NOTHING
from clevr_demo.serve.grid import judged
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.table import Table, TableCell

STILL = 2.5
"""Pixels, of 64, that an object's centre may be off for it to count as standing still: the judge is that exact."""
CHANGED = 25
"""A pixel counts as changed from this difference of its levels on, of 255."""


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
    """The table after every picture: before, after and their difference, for both models."""
    columns = [", ".join(before.names), ", ".join(after.names), "what differs"]
    title = f"The same seed {before.seed} with one object changed"
    duel = studio.duel(before)
    cells = [Cell(one.name, request) for one in duel for request in (before, after)]
    passes = [one.passes(request) for one in duel for request in (before, after)]
    table = Table(title, columns, [one.title for one in duel], sum(passes))
    yield table
    for number, still in studio.draw(cells, stopped):
        row, column = divmod(number, 2)
        table.pictures[row * len(columns) + column] = judged(studio, cells[number], still.predicted)
        table.spent += passes[number]
        compare(table, row)
        yield table
    table.state = "done" if len(table.pictures) == table.total else "stopped"
    yield table


def compare(table: Table, row: int) -> None:
    """Adds where a row's two pictures differ, and what moved, once both are drawn."""
    place = row * len(table.columns)
    pair = [table.pictures[one] for one in (place, place + 1) if one in table.pictures]
    if len(pair) < 2 or pair[0].verdict is None or pair[1].verdict is None:
        return
    apart = np.asarray(difference(*(Image.fromarray(one.pixels) for one in pair)))
    share = (apart[..., 0] > CHANGED).mean() * 100
    told = f"{table.rows[row]}: where the two pictures differ"
    table.pictures[place + 2] = TableCell(apart, told, note=f"{share:.0f} % of pixels changed")
    moved = f"{table.rows[row]}. {what_moved(pair[0].verdict, pair[1].verdict)}"
    table.told.insert(min(row, len(table.told)), moved)  # in the rows' order, whichever is drawn first
