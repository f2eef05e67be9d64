"""The scoreboard's charts: accuracy against cost, and counted exact by the number of objects."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from clevr_demo.estimates import Estimate
from clevr_demo.judge.evaluator import MAX_JUDGED
from clevr_demo.objects import MAX_TRAINED
from clevr_demo.serve.scoreboard.board import Board, Point, Side
from clevr_demo.serve.scoreboard.marks import button, ends, interval, legend, section, sentence, told
from clevr_demo.serve.scoreboard.others import CLAIMS
from clevr_demo.serve.wording import duration, many

LOWEST = 0.5
"""Of the charts' upright axis; its other end is 1."""
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
CROWDED = 0.97
"""Lines from here on are named above themselves."""


def up(value: float) -> float:
    """Where a share stands on the upright axis, from its lower end, in [0, 1]."""
    return max(0.0, (value - LOWEST) / (1 - LOWEST))


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis of a cost, whose ends are powers of ten."""

    unit: str
    cost: Callable[[Point], float]
    tick: Callable[[float], str]
    powers: range

    @classmethod
    def of(cls, unit: str, cost: Callable[[Point], float], tick: Callable[[float], str], points: list[float]) -> Axis:
        low, high = math.floor(math.log10(min(points))), math.ceil(math.log10(max(points)))
        return cls(unit, cost, tick, range(low, max(high, low + 1) + 1))

    def along(self, value: float) -> float:
        """Where a cost stands, in [0, 1]."""
        return (math.log10(value) - self.powers[0]) / (self.powers[-1] - self.powers[0])


def passes(one: Point) -> float:
    return float(one.passes)


def spent(one: Point) -> float:
    return one.seconds


def seconds(value: float) -> str:
    return f"{value:g} s" if value >= 1 else f"{1000 * value:g} ms"


def curve(board: Board, side: Side, place: int, axis: Axis) -> str:
    """A contender's curve with its intervals, in thousandths of the plot."""
    own = [(1000 * axis.along(axis.cost(one)), one.scores["accuracy"]) for one in board.costs if one.model == side.name]
    line = " ".join(f"{x:.1f},{1000 * (1 - up(score.mean)):.1f}" for x, score in own)
    whiskers = "".join(
        f'<line class="whisker side-{place}" x1="{x:.1f}" x2="{x:.1f}" y1="{1000 * (1 - up(score.low)):.1f}" '
        f'y2="{1000 * (1 - up(score.high)):.1f}"/>'
        for x, score in own
    )
    return f'<polyline class="curve side-{place}" points="{line}"/>{whiskers}'


def dots(board: Board, side: Side, place: int, axis: Axis) -> Iterator[str]:
    for one in board.costs:
        if one.model == side.name:
            score = one.scores["accuracy"]
            label = f"{side.title}, {cost_of(one)}: accuracy {told(score.mean)}, 95 %: {ends(score)}"
            at = f"--x:{axis.along(axis.cost(one)):.4f};--y:{up(score.mean):.4f}"
            yield button(side.choice(steps=one.steps, shared=1), "", label, f"dot side-{place}", at)


def cost_of(one: Point) -> str:
    return f"{many(one.passes, 'pass')}, {duration(one.seconds)}"


def rules(board: Board) -> str:
    """Level lines of others' accuracies and of the ceiling."""
    lines = {claim.name: claim.pooled for claim in CLAIMS}
    for name, row in list(board.bounds.items())[:1]:
        lines[name] = row["accuracy"]["mean"]
    return "".join(
        f'<span class="rule{" high" if value > CROWDED else ""}" style="--y:{up(value):.4f}">'
        f"<small>{html.escape(name)} {told(value)}</small></span>"
        for name, value in lines.items()
    )


def cost_chart(board: Board, axis: Axis) -> str:
    """Accuracy over a cost: a point for every number of steps, a curve through a contender's."""
    sides = list(enumerate(board.sides))
    curves = "".join(curve(board, side, place, axis) for place, side in sides)
    points = "".join(dot for place, side in sides for dot in dots(board, side, place, axis))
    shares = "".join(f'<span style="--y:{up(share):.2f}">{share:g}</span>' for share in SHARES)
    ticks = "".join(
        f'<span style="--x:{axis.along(10**power):.4f}">{axis.tick(10**power)}</span>' for power in axis.powers
    )
    title = f"Accuracy by {axis.unit} a picture"
    return (
        f'<figure class="board-chart"><figcaption>{title}, logarithmic</figcaption>'
        f'<div class="board-plot" role="group" aria-label="{title}">{rules(board)}'
        f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">{curves}</svg>{points}'
        f'<div class="axis-y" aria-hidden="true">{shares}</div></div>'
        f'<div class="axis-x" aria-hidden="true">{ticks}</div></figure>'
    )


def cost_part(board: Board) -> str:
    axes = (
        Axis.of("passes", passes, "{:,}".format, [1.0, *map(passes, board.costs)]),
        Axis.of("seconds", spent, seconds, [*map(spent, board.costs)]),
    )
    charts = "".join(cost_chart(board, axis) for axis in axes)
    said = []
    for side in board.drawn:
        own = [one for one in board.costs if one.model == side.name]
        some = ", ".join(f"{told(one.scores['accuracy'].mean)} in {cost_of(one).replace(',', ' and')}" for one in own)
        said += [f"the {side.title} scores {some}"] if some else []
    note = (
        "Both prompt files together, from seeds that all steps share; seconds are medians, a picture at a time on one "
        "core. Upright lines are 95 % intervals, level ones others' accuracies on both files, weighted by their "
        "labels. Only steps with records stand here."
    )
    body = f'{legend(board)}<div class="board-pair">{charts}</div>'
    return section("cost", "Accuracy against cost", sentence(said), body, note)


def level(side: Side, place: int, count: int, one: Estimate | None) -> str:
    """A bar of the pictures of so many objects."""
    if one is None:
        return ""
    label = f"{side.title}, {many(count, 'object')}: counted exact {told(one.mean)}, 95 %: {ends(one)}"
    inner = f'<span class="fill"></span><span class="bar-text">{told(one.mean)}</span>'
    return button(side.choice(asked=count), inner, label, f"level side-{place}", interval(one))


def number_part(board: Board) -> str:
    found = {side.name: board.numbers(side) for side in board.drawn}
    rows = ""
    for count in sorted({count for own in found.values() for count in own}):
        sides = enumerate(board.sides)
        bars = "".join(level(side, place, count, found.get(side.name, {}).get(count)) for place, side in sides)
        rows += f'<div class="bars-row"><span class="bars-name">{many(count, "object")}</span><div>{bars}</div></div>'
    note = (
        f"Counted exact, with 95 % intervals, of pictures without given places. Training pictures hold at most "
        f"{MAX_TRAINED} objects; of more than {MAX_JUDGED} the judge itself may miss some."
    )
    said = sentence(falls(side, found[side.name]) for side in board.drawn)
    return section("number", "By the number of objects", said, f'{legend(board)}<div class="bars">{rows}</div>', note)


def falls(side: Side, found: Mapping[int, Estimate]) -> str:
    """From what training shows to the most objects."""
    most = max(found)
    within = max((count for count in found if count <= MAX_TRAINED), default=most)
    first = f"of pictures of {many(within, 'object')} the {side.title} draws {told(found[within].mean)} exactly"
    return f"{first}, of those of {most} {told(found[most].mean)}" if most > within else first
