"""The pictures behind a figure of the scoreboard, drawn anew from their records: same weights, prompt, places, seed and
steps, so the same pixels on the same kind of processor.

    opened(studio, board, choice, page=0).draw(stopped)     # a table as it fills, failures first
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from clevr_demo.objects import InputError
from clevr_demo.records import seen
from clevr_demo.serve.experiments import Drawable, filled
from clevr_demo.serve.scoreboard.board import Board, Choice, Chosen
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.table import Table

PAGE, COLUMNS = 12, 6
OTHERWISE = "{} of {} verdicts are not those of the records: they were drawn on another kind of processor, or by a GPU."


@dataclass(frozen=True)
class Page(Drawable):
    """A page of the pictures behind a figure, and whether there are others."""

    others: bool = False


def pages(found: Chosen) -> int:
    return -(-len(found) // PAGE)


def opened(studio: Studio, board: Board, choice: Choice, page: int) -> Page:
    """A page of a choice's pictures; an InputError where there is none."""
    found = board.chosen(choice)
    if not found:
        raise InputError("choice", "no picture stands behind that figure")
    some = found[page % pages(found) * PAGE :][:PAGE]
    for name, row in some:
        if studio.fingerprint(name) != row.model.partition("@")[2]:
            raise InputError("choice", "the weights have changed; open the page anew")
    work = sum(studio.contenders[name].passes(row.request) for name, row in some)
    return Page(work, partial(_draw, studio, title_of(found, page), some), pages(found) > 1)


def title_of(found: Chosen, page: int) -> str:
    failed, start = sum(not row.exact for _, row in found), page % pages(found) * PAGE
    last = min(start + PAGE, len(found))
    return f"Pictures {start + 1} to {last} of {len(found):,}, failures first; {failed:,} are not counted exact"


def _draw(studio: Studio, title: str, some: Chosen, stopped: Callable[[], bool]) -> Iterator[Table]:
    columns, who = min(COLUMNS, len(some)), [name for name, _ in some]
    heads = [studio.contenders[name].title if len(set(who)) > 1 else "" for name in who[:columns]]
    rows = [f"{start + 1}\u2013{min(start + columns, len(some))}" for start in range(0, len(some), columns)]
    passes = sum(studio.contenders[name].passes(row.request) for name, row in some)
    table = Table(title, heads, rows, passes, len(some))
    cells = {place: Cell(name, row.request) for place, (name, row) in enumerate(some)}
    for _ in filled(studio, table, cells, [[place] for place in cells], stopped):
        if table.state != "drawing" and (turned := _turned(table, some)):
            table.told.append(OTHERWISE.format(turned, len(table.pictures)))
        yield table


def _turned(table: Table, some: Chosen) -> int:
    """How many of the drawn pictures are judged otherwise than their records say."""
    turned = 0
    for place, one in table.pictures.items():
        row = some[place][1]
        if one.verdict is not None:
            again = seen(row.request, one.verdict)
            turned += any(again[part] != getattr(row, part) for part in ("exact", "missing", "extra", "doubled"))
    return turned
