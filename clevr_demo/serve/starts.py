"""Grids to begin with, before a visitor has drawn one: each a question, its axes, and a sketch of the grid in which the
pictures that the page's example has drawn already stand in their cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from clevr_demo.models import Contender
from clevr_demo.objects import InputError
from clevr_demo.serve import showcase
from clevr_demo.serve.axes import Plan
from clevr_demo.serve.studio import Cell


@dataclass(frozen=True)
class Start:
    """A question and the grid that answers it, in words and as (kind, values as typed) of its rows and columns."""

    question: str
    told: str
    rows: tuple[str, str]
    columns: tuple[str, str]


def asked(contenders: Mapping[str, Contender]) -> list[Start]:
    """All questions; those about the models name the contenders."""
    both = ("model", ", ".join(list(contenders)[:2]))
    return [
        Start(
            "How few steps are enough?",
            "Three seeds in 2, 4, 8 and 20 steps.",
            ("seed", "7, 8, 9"),
            ("steps", "2, 4, 8, 20"),
        ),
        Start(
            "Do the samplers differ?",
            "One seed by three samplers in 4, 8 and 20 steps.",
            ("sampler", "dpm, unipc, ddim"),
            ("steps", "4, 8, 20"),
        ),
        Start("What does the seed decide?", "Both models from five seeds.", both, ("seed", "7, 8, 9, 10, 11")),
        Start(
            "What does one object more change?",
            "Both models as ticked, with a gray cube and with a purple sphere.",
            both,
            ("object", "nothing, gray cube, purple sphere"),
        ),
    ]


def plans(contenders: Mapping[str, Contender]) -> list[tuple[Start, Plan]]:
    """The questions that these contenders can be asked, each with its grid of the example's request."""
    found = []
    for start in asked(contenders):
        try:
            plan = Plan.of(showcase.REQUEST, next(iter(contenders)), start.rows, start.columns, contenders)
        except InputError:  # none of steps, where the first contender has none
            continue
        found.append((start, plan))
    return found


def _sketch(plan: Plan, known: Mapping[str, str]) -> str:
    """The grid's cells; `known` are pictures of the example, by contender."""
    drawn = {
        plan.drawing(Cell(name, showcase.REQUEST)): source for name, source in known.items() if name in plan.contenders
    }
    sources = [drawn.get(plan.drawing(cell)) for cell in plan.cells]
    cells = "".join(f'<img src="{source}" alt="">' if source else "<i></i>" for source in sources)
    return f'<span class="sketch" style="--columns: {plan.width}" aria-hidden="true">{cells}</span>'


def markup(contenders: Mapping[str, Contender], known: Mapping[str, str]) -> str:
    """A button a question, in the order of `plans`; `known` are pictures of the example, by contender."""
    return "".join(
        f'<button type="button" class="start" data-start="{place}">'
        f'<span class="start-words"><strong>{escape(start.question)}</strong> {escape(start.told)}</span>'
        f"{_sketch(plan, known)}</button>"
        for place, (start, plan) in enumerate(plans(contenders))
    )
