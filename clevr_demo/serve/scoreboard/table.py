"""The scoreboard's table: every set by every contender, how far the first two are apart, real pictures and others."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Mapping
from typing import Any

from clevr_demo.estimates import Difference, Estimate
from clevr_demo.serve.scoreboard.board import FILES, SETS, Board, Line, Side
from clevr_demo.serve.scoreboard.marks import button, ends, figure, listed, section, told
from clevr_demo.serve.scoreboard.others import CLAIMS, WHOSE
from clevr_demo.serve.wording import many

MEASURES = {"exact": "Counted exact", "number": "Right number", "accuracy": "Accuracy"}
MEANT = {
    "exact": "Counted exact: the judge's detector finds every requested object once and nothing else.",
    "number": "Right number: it finds as many objects as were asked for, whichever they are.",
    "accuracy": "Accuracy: the course's pooled top-k measure, by the judge's classifier; blind to objects too many.",
}

SHORT = {"seen-triples": "seen triples", "unseen-triples": "unseen triples", "anywhere": "objects at given places"}
"""Sets as the conclusion names them."""


def cell(place: int, side: Side, line: Line, measure: str) -> str:
    one = line.scores.get(side.name, {}).get(measure)
    if one is None:
        return '<td class="none">&ndash;</td>'
    label = f"{side.title}, {SETS[line.prompts]}, {MEASURES[measure]}: {told(one.mean)} {ends(one)}"
    return f'<td class="side-{place}">{button(side.choice(prompts=line.prompts), figure(one), label, "score")}</td>'


def apart(board: Board, line: Line, measure: str) -> str:
    one = line.apart.get(measure)
    if one is None:
        return '<td class="none">&ndash;</td>'
    first, second = board.sides[:2]
    mean, between = f"{one.mean:+.3f}", f"{one.low:+.3f} to {one.high:+.3f}"
    none = "" if one.shows else "no difference shown"
    inner = f"<b>{mean}</b> <small>{between}</small> <small>{none}</small>"
    choice = first.choice(prompts=line.prompts, against=second.name)
    if measure != "exact" or not board.chosen(choice):
        return f'<td class="plain">{inner}</td>'
    label = f"{first.title} - {second.title}, {SETS[line.prompts]}: {mean} {between} {none}".rstrip()
    label += ". Pairs that one alone draws exactly"
    return f"<td>{button(choice, inner, label, 'score')}</td>"


def bound(name: str, row: Mapping[str, Any], measure: str, width: int) -> str:
    found = row.get(measure)
    if not isinstance(found, Mapping):
        return ""
    one = Estimate(found["mean"], found["low"], found["high"], row.get("pictures", 0))
    inner = f'<td class="plain" colspan="{width}">{figure(one)}</td>'
    return f'<tr class="bound"><th scope="row">{html.escape(name)}</th>{inner}</tr>'


def claimed(width: int) -> str:
    """The rows of others' accuracies."""
    rows = []
    for claim in CLAIMS:
        both = " / ".join(told(score) for score in claim.scores)
        head = f"{html.escape(claim.name)}<small>{html.escape(claim.source)}</small>"
        inner = f'<td class="plain" colspan="{width}"><b>{both}</b><small>test.json / new_test.json</small></td>'
        rows.append(f'<tr class="bound"><th scope="row">{head}</th>{inner}</tr>')
    return "".join(rows)


def one_table(board: Board, measure: str) -> str:
    pair = board.sides[:2]
    heads = "".join(f'<th scope="col">{html.escape(side.title)}{steps_of(side)}</th>' for side in board.sides)
    if len(pair) == 2:
        heads += f'<th scope="col">{html.escape(pair[0].title)} &minus; {html.escape(pair[1].title)}</th>'
    width = len(board.sides) + (len(pair) == 2)
    rows = ""
    for line in board.table.values():
        cells = "".join(cell(place, side, line, measure) for place, side in enumerate(board.sides))
        cells += apart(board, line, measure) if len(pair) == 2 else ""
        rows += f'<tr><th scope="row">{html.escape(SETS[line.prompts])}</th>{cells}</tr>'
    rows += "".join(bound(name, row, measure, width) for name, row in board.bounds.items())
    rows += claimed(width) if measure == "accuracy" else ""
    hidden = "" if measure == "exact" else " hidden"
    return (
        f'<div class="board-scroll" tabindex="0" role="region" aria-label="{MEASURES[measure]}, by set" '
        f'data-measure="{measure}"{hidden}><p class="board-note">{MEANT[measure]}</p><table class="board-table">'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def steps_of(side: Side) -> str:
    return f"<small>{many(side.steps or 1, 'pass')}</small>"


def verdict_on(board: Board) -> str:
    """Which of the first two is ahead where."""
    first, second = ([side.title for side in board.sides] + ["", ""])[:2]
    ways: dict[str, list[str]] = {first: [], second: [], "": []}
    for line in board.table.values():
        if one := line.apart.get("exact"):
            ways[ahead(one, first, second)].append(SHORT.get(line.prompts, SETS[line.prompts]))
    said = [f"the {who} draws more pictures exactly of {listed(sets)}" for who, sets in ways.items() if who and sets]
    said += [f"no difference is shown for {listed(ways[''])}"] if ways[""] else []
    if not said:
        return "Both have to be measured before they can be compared."
    return f"Over pictures of the same prompts and seeds, {'; '.join(said)}."


def ahead(one: Difference, first: str, second: str) -> str:
    return "" if not one.shows else first if one.mean > 0 else second


def table_part(board: Board) -> str:
    switches = "".join(
        f'<button type="button" class="board-switch" data-show="{measure}" '
        f'aria-pressed="{"true" if measure == "exact" else "false"}">{title}</button>'
        for measure, title in MEASURES.items()
    )
    save = '<button type="button" class="board-switch" data-save="scoreboard.csv">Download as CSV</button>'
    body = f'<div class="board-switches" role="group" aria-label="Measure">{switches}</div>'
    body += "".join(one_table(board, measure) for measure in MEASURES) + save
    note = (
        "In each cell the share and its 95 % interval: prompts are resampled with all of their pictures. Real held-out "
        "pictures are the ceiling, the same ones for another's prompt the floor; they are the data's and not shown. "
        f"{WHOSE}"
    )
    return section("table", "By set", verdict_on(board), body, note)


def table_csv(board: Board) -> str:
    """Every figure of the table."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["prompts", "who", "steps", "measure", "mean", "low", "high", "pictures"])
    numbers = ("mean", "low", "high")
    for line in board.table.values():
        for side in board.sides:
            for measure, one in line.scores.get(side.name, {}).items():
                rows.writerow([line.prompts, side.name, side.steps or 1, measure, *one.plain.values(), one.number])
        for measure, one in line.apart.items():
            who = " - ".join(side.name for side in board.sides[:2])
            rows.writerow([line.prompts, who, "", measure, *one.plain.values(), one.number])
    for name, row in board.bounds.items():
        for measure in MEASURES:
            if isinstance(found := row.get(measure), Mapping):
                rows.writerow([name, "", "", measure, *(found[key] for key in numbers), row.get("pictures", "")])
    for claim in CLAIMS:
        for prompts, score in zip(FILES, claim.scores, strict=True):
            rows.writerow([prompts, claim.name, "", "accuracy", score, "", "", ""])
    return text.getvalue()
