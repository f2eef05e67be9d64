"""The scoreboard's matrices: how often each object is found, and what is drawn in place of what."""

from __future__ import annotations

from typing import Any

from clevr_demo.estimates import Estimate
from clevr_demo.judge.evaluator import MAX_JUDGED
from clevr_demo.objects import COLOURS, INDEX, OBJECTS, SHAPES
from clevr_demo.serve.scoreboard.board import Board, Side
from clevr_demo.serve.scoreboard.confusions import KINDS, NONE
from clevr_demo.serve.scoreboard.marks import button, ends, matrix, section, sentence, told
from clevr_demo.serve.wording import many

STRONG = 8
"""One error in so many is as dark as a cell gets."""


def shade(wrong: float) -> str:
    return f"--share:{min(1.0, STRONG * wrong):.3f}"


def object_cell(side: Side, index: int, one: Estimate | None) -> str:
    if one is None:
        return '<td class="none">&ndash;</td>'
    label = f"{side.title}, {OBJECTS[index]}: found in {told(one.mean)} of {one.number} pictures, 95 %: {ends(one)}"
    return f"<td>{button(side.choice(wanted=index), told(one.mean), label, 'heat', shade(1 - one.mean))}</td>"


def object_part(board: Board) -> str:
    tables, said = "", []
    for side in board.drawn:
        found, rows = board.objects(side), ""
        for shape in SHAPES:
            indices = [INDEX[f"{colour} {shape}"] for colour in COLOURS]
            cells = "".join(object_cell(side, index, found.get(index)) for index in indices)
            rows += f'<tr><th scope="row">{shape}</th>{cells}</tr>'
        tables += matrix(f"{side.title}: how often each object is found where it is asked for", COLOURS, rows)
        if found:
            worst = min(found, key=lambda index: found[index].mean)
            said.append(f"the {side.title} misses the {OBJECTS[worst]} most often ({told(1 - found[worst].mean)})")
    note = (
        f"All sets together, without given places and of at most {MAX_JUDGED} objects. The redder a cell, the more "
        "often its object is missed."
    )
    return section("object", "By object", sentence(said), tables, note)


def swap_cell(side: Side, kind: str, asked: Any, seen: Any, count: int, total: int) -> str:
    if not count:
        return '<td class="none"></td>'
    what = {"asked": asked, "found": seen} if kind == "number" else {"swap": f"{kind}:{asked}:{seen}"}
    label = f"{side.title}, {kind}: {asked} asked for, {seen} seen, {count:,} of {total:,}"
    right = asked == seen
    inner, looks = f"{count:,}", "heat right" if right else "heat"
    return f"<td>{button(side.choice(**what), inner, label, looks, shade(0 if right else count / total))}</td>"


def confusion(board: Board, side: Side, kind: str) -> str:
    """Asked for downwards, seen across; in each cell how many."""
    found = board.confusions(side, kind)
    asked: list[Any] = sorted({pair[0] for pair in found}) if kind == "number" else list(KINDS[kind][0])
    seen = sorted({pair[1] for pair in found}) if kind == "number" else [*asked, NONE]
    rows = ""
    for one in asked:
        counts = [found.get((one, other), 0) for other in seen]
        pairs = zip(seen, counts, strict=True)
        cells = "".join(swap_cell(side, kind, one, other, count, sum(counts)) for other, count in pairs)
        rows += f'<tr><th scope="row">{one}</th>{cells}</tr>'
    return matrix(f"{side.title}, {kind}: asked for downwards, seen across", seen, rows)


def worst_swap(board: Board, side: Side) -> str:
    """A contender's most frequent swap, and how many objects nothing stands for."""
    pairs = [(kind, *pair, count) for kind in KINDS for pair, count in board.confusions(side, kind).items()]
    swapped = [one for one in pairs if one[1] != one[2] and one[2] != NONE]
    lost = sum(count for kind, _, seen, count in pairs if seen == NONE and kind == "colour")
    missing = f"{many(lost, 'object')} {'is' if lost == 1 else 'are'} missing with nothing in place of it"
    if not swapped:
        return f"the {side.title} swaps no colour and no shape; {missing}"
    _, asked, seen, count = max(swapped, key=lambda one: one[3])
    often = f"{many(sum(one[3] for one in swapped), 'time')}, most often {seen} for {asked} ({count})"
    return f"the {side.title} swaps a colour or a shape {often}; {missing}"


def confusion_part(board: Board) -> str:
    body = "".join(confusion(board, side, kind) for kind in (*KINDS, "number") for side in board.drawn)
    said = " ".join(sentence([worst_swap(board, side)]) for side in board.drawn)
    note = (
        "Each object too many stands for the missing one that it is likest to; where nothing stands for one, it is "
        f'seen as "{NONE}". Colours and shapes are of the same pictures as above, numbers of all without given places.'
    )
    return section("confusion", "What is drawn instead", said, body, note)
