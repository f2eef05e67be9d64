"""The gallery of failures: of every set the worst picture by each contender, what went wrong, and its link."""

from __future__ import annotations

import html
from dataclasses import replace

from clevr_demo.objects import OBJECTS
from clevr_demo.records import Record
from clevr_demo.serve.scoreboard.board import SETS, Board, Side
from clevr_demo.serve.scoreboard.failures import faults, sentence
from clevr_demo.serve.scoreboard.marks import button, listed, section
from clevr_demo.serve.wording import many


def link(board: Board, side: Side, row: Record) -> str:
    """What draws the picture again, beside another contender's of the same request."""
    pair = board.sides[:2]
    request = row.request
    if side not in pair:
        pair = (side, board.sides[0])
        request = replace(request, duel=(side.name, board.sides[0].name))
    return f"?{request.query({one.name: one.mark for one in pair})}"


def icons(row: Record) -> str:
    """What was asked for, as the picker draws it."""
    drawn = ""
    for index in row.objects:
        colour, shape = OBJECTS[index].split()
        drawn += f'<svg class="object colour-{colour}" aria-hidden="true"><use href="#object-{shape}"></use></svg>'
    return f'<span class="failure-asked">{drawn}</span>'


def entry(board: Board, side: Side, row: Record) -> str:
    target = html.escape(link(board, side, row), quote=True)
    asked = f"Asked for: {listed([OBJECTS[index] for index in row.objects])}"
    where = f"{SETS[row.prompts]}, seed {row.seed}"
    return (
        f'<li><a href="{target}" title="{html.escape(asked, quote=True)}. Draws it again.">{icons(row)}'
        f"<span><b>{html.escape(sentence(row))}</b> <small>{html.escape(where)}</small></span></a></li>"
    )


def one_side(board: Board, place: int, side: Side) -> str:
    rows = [row for _, row in board.chosen(side.choice(worst=1))]
    title = html.escape(side.title)
    body = "<p>No failure was counted.</p>"
    if rows:
        words = "Draw them below"
        title += button(side.choice(worst=1), words, f"{words}: {side.title}, the worst of each set", "board-switch")
        body = f'<ul class="failures">{"".join(entry(board, side, row) for row in rows)}</ul>'
    return f'<div class="failure-side side-{place}"><h4>{title}</h4>{body}</div>'


def conclusion(board: Board) -> str:
    """How each contender's failures divide: what is missing against what is too many."""
    told = []
    for side in board.drawn:
        failed = [row for row in side.usual if not row.exact]
        missing = sum(len(row.missing) for row in failed)
        many_objects = sum(map(faults, failed)) - missing
        told.append(
            f"of the {side.title}'s {many(len(side.usual), 'picture')} {len(failed):,} are not counted exact: in them "
            f"{many(missing, 'object')} {'is' if missing == 1 else 'are'} missing and {many_objects:,} too many"
        )
    return " ".join(f"{one[:1].upper()}{one[1:]}." for one in told)


def failure_part(board: Board) -> str:
    """The board's part."""
    sides = "".join(one_side(board, place, side) for place, side in enumerate(board.sides) if side in board.drawn)
    note = (
        "Of every set the picture with the most objects missing or too many, of up to six objects, as the judge's "
        "detector told it when they were counted. A link draws it again, with the other model's picture beside it."
    )
    return section("failures", "The worst failures", conclusion(board), f'<div class="copy-sides">{sides}</div>', note)
