"""What the scoreboard's figures are made of: buttons that open pictures, sections with a conclusion, tables.

A button carries its choice (see `board.Choice`) and says in its label what it shows.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from clevr_demo.estimates import Estimate
from clevr_demo.serve.scoreboard.board import Board, Choice


def told(value: float) -> str:
    return f"{value:.3f}"


def ends(one: Estimate) -> str:
    return f"{one.low:.3f} to {one.high:.3f}"


def button(choice: Choice, inner: str, label: str, looks: str, style: str = "") -> str:
    """What opens the pictures of a choice; the label holds what the button shows, in the same words."""
    said = html.escape(f"{label}. Opens the pictures.", quote=True)
    given = html.escape(choice.query, quote=True)
    return (
        f'<button type="button" class="{looks}" data-choice="{given}" title="{said}" aria-label="{said}" '
        f'style="{style}">{inner}</button>'
    )


def section(name: str, title: str, conclusion: str, body: str, note: str = "") -> str:
    said = f'<p class="board-note">{html.escape(note)}</p>' if note else ""
    return (
        f'<section class="board-part" data-part="{name}"><h3>{html.escape(title)}</h3>{body}'
        f'<p class="board-said">{html.escape(conclusion)}</p>{said}</section>'
    )


def interval(one: Estimate) -> str:
    """An estimate as a style sheet reads it."""
    return f"--low:{one.low:.4f};--high:{one.high:.4f};--mean:{one.mean:.4f}"


def span(one: Estimate) -> str:
    """An estimate as a dot on its interval, from 0 to 1."""
    return f'<span class="span" style="{interval(one)}" aria-hidden="true"></span>'


def figure(one: Estimate) -> str:
    """An estimate as a cell shows it."""
    return f"<b>{told(one.mean)}</b> <small>{ends(one)}</small>{span(one)}"


def legend(board: Board) -> str:
    return '<p class="board-legend" aria-hidden="true">' + "".join(
        f'<span class="side-{place}">{html.escape(side.title)}</span>' for place, side in enumerate(board.sides)
    ) + "</p>"  # fmt: skip


def matrix(caption: str, heads: Iterable[Any], rows: str) -> str:
    columns = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in heads)
    return (
        f'<div class="board-scroll" tabindex="0" role="region" aria-label="{html.escape(caption, quote=True)}">'
        f'<table class="board-matrix"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr><td></td>{columns}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def listed(names: Iterable[str]) -> str:
    """ "a, b and c"."""
    *some, last = names
    return f"{', '.join(some)} and {last}" if some else last


def sentence(parts: Iterable[str]) -> str:
    """Clauses as a sentence."""
    text = "; ".join(filter(None, parts))
    return f"{text[:1].upper()}{text[1:]}." if text else ""
