"""The scoreboard's part on the course report's own GAN: losses and accuracy by epoch, and what one setting changes, at
the scale at which `train.experiments` ran it."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import fmean

from PIL import Image

from clevr_demo.estimates import Estimate
from clevr_demo.objects import OBJECTS
from clevr_demo.serve.scoreboard.board import FILES, Board
from clevr_demo.serve.scoreboard.marks import interval, matrix, section, told
from clevr_demo.serve.scoreboard.others import CLAIMS, WEIGHTS
from clevr_demo.serve.scoreboard.trained import CURVES, LAST, REPORT, TITLES, Trained

Runs = Mapping[str, Trained]
Ticks = list[float]
Axes = Mapping[str, tuple[Ticks, Ticks]]
"""Of every column of the log the ticks across and up."""
NAME = "the report's GAN"
TAUGHT = "teacher_accuracy"
CLAIM = CLAIMS[-1]
STEPS = (1, 2, 5, 10)
QUALITY = 80  # of the grids' WebP
NOTE = (
    "Runs of the report's recipe from one seed each, with at most one setting changed. The teacher is the classifier "
    "whose gradient the generator learns from; its accuracy is on pictures drawn in training. The judge's is on both "
    f"prompt files together, weighted by their labels: the mean of the last {LAST} scores, and the ends between which "
    "they lie. By chance: as many names chosen at random as are asked for. The same questions were not asked of this "
    "page's own ACGAN."
)
NO_DDPM = " The report's DDPM was not trained here, so there is no denoising strip of its own, nor losses or grids."


def pooled(run: Trained) -> Estimate:
    """The judge's accuracy on both prompt files: the mean of the scored rows, and their ends."""
    scores = [fmean(pair, WEIGHTS.values()) for pair in zip(*run.judged.values(), strict=True)]
    return Estimate(fmean(scores), min(scores), max(scores), len(scores))


def chance(board: Board) -> float | None:
    """The accuracy on both prompt files of names chosen at random; None where no contender has records of them."""
    counts = [len(row.objects) for side in board.drawn[:1] for row in side.usual if row.prompts in FILES]
    return sum(count * count for count in counts) / len(OBJECTS) / sum(counts) if counts else None


def verdict(run: Trained, by_chance: float | None) -> str:
    """What the run scores, between chance and the report's own score."""
    score = pooled(run).mean
    text = f"After {run.scale} {NAME} scores {told(score)}; the report claims {told(CLAIM.pooled)}"
    if by_chance is None:
        return f"{text}."
    where = "at chance" if score <= by_chance else "nearer to chance"
    if score > (by_chance + CLAIM.pooled) / 2:
        where = "nearer to the claim"
    return f"{text}, and names at random would score {told(by_chance)}: it is {where}."


def course(run: Trained) -> str:
    """How losses and accuracy go from the first to the last row."""
    ends = {column: (run.curve(column)[0][1], run.curve(column)[-1][1]) for column in CURVES}
    goes = ", ".join(f"{CURVES[column]} from {told(first)} to {told(last)}" for column, (first, last) in ends.items())
    first, last = ends["d_adversarial"]
    ease = "more easily" if last < first else "no more easily"
    return f"From the first row to the last: {goes}. The discriminator tells drawn pictures from real ones {ease}."


def apart(runs: Runs) -> str:
    """Whether variants are further apart than each goes up and down by itself; the runs are too few for an interval."""
    scores = {name: pooled(run) for name, run in runs.items()}
    best, worst = (pick(scores, key=lambda name: scores[name].mean) for pick in (max, min))
    far, swing = scores[best].mean - scores[worst].mean, max(one.high - one.low for one in scores.values())
    if far <= swing:
        return (
            f"No difference is shown: the variants' accuracies are at most {told(far)} apart, and within its last "
            f"{LAST} scores a single run goes up and down by {told(swing)}."
        )
    return (
        f"With {best} it scores {told(far)} more than with {worst}, further than a single run goes up and down "
        f"({told(swing)}); each was run once."
    )


def ticks(most: float) -> Ticks:
    """Three to six round values from 0 to no less than `most`."""
    unit = 10 ** math.floor(math.log10(most / 4))
    step = next(unit * size for size in STEPS if unit * size * 4 >= most)
    return [step * place for place in range(math.ceil(most / step - 1e-9) + 1)]


def line(run: Trained, column: str, place: int, across: float, up: float) -> str:
    points = " ".join(f"{1000 * x / across:.1f},{1000 * (1 - y / up):.1f}" for x, y in run.curve(column))
    return f'<polyline class="curve side-{place} dash-{place}" points="{points}"/>'


def chart(runs: Runs, column: str, axes: Axes, board: Board) -> str:
    """A column of the log by epoch, a curve a variant."""
    across, up = axes[column]
    curves = "".join(line(run, column, place, across[-1], up[-1]) for place, run in enumerate(runs.values()))
    ends = ((name, [value for _, value in run.curve(column)]) for name, run in runs.items())
    spoken = "; ".join(f"{name} from {told(values[0])} to {told(values[-1])}" for name, values in ends)
    title = f"{CURVES[column][:1].upper()}{CURVES[column][1:]} by epoch"
    upright = "".join(f'<span style="--y:{one / up[-1]:.4f}">{one:.6g}</span>' for one in up)
    level = "".join(f'<span style="--x:{one / across[-1]:.4f}">{one:.6g}</span>' for one in across)
    label = html.escape(f"{title}: {spoken}", quote=True)
    return (
        f'<figure class="board-chart"><figcaption>{title}</figcaption>'
        f'<div class="board-plot">{floor(board, up[-1]) if column == TAUGHT else ""}'
        f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="{label}">{curves}</svg>'
        f'<div class="axis-y" aria-hidden="true">{upright}</div></div>'
        f'<div class="axis-x" aria-hidden="true">{level}</div></figure>'
    )


def floor(board: Board, most: float) -> str:
    """A level line: what the teacher says of real pictures for another's prompt, the last of the bounds."""
    for name, row in [*board.bounds.items()][-1:]:
        if found := row.get("teacher"):
            at = f"--y:{found['mean'] / most:.4f}"
            return f'<span class="rule" style="{at}"><small>{html.escape(name)} {told(found["mean"])}</small></span>'
    return ""


def judged(runs: Runs, by_chance: float | None) -> str:
    """The judge's accuracy of every variant, on the same line as chance and the report's own."""
    rows = [(name, f"side-{place}", pooled(run)) for place, (name, run) in enumerate(runs.items())]
    others = {"by chance": by_chance, "the report's claim": CLAIM.pooled}
    rows += [(name, "bare", Estimate(one, one, one, 0)) for name, one in others.items() if one is not None]
    bars = ""
    for name, looks, one in rows:
        between = f" ({told(one.low)} to {told(one.high)})" if one.number else ""
        bars += f'<span class="copy-kind">{html.escape(name)}</span>'
        bars += f'<span class="span {looks}" style="{interval(one)}" aria-hidden="true"></span>'
        bars += f"<small>{told(one.mean)}{between}</small>"
    title = "Judge's accuracy, from 0 to 1"
    return f'<figure class="report-judged"><figcaption>{title}</figcaption><div class="copy-bars">{bars}</div></figure>'


def named(runs: Runs) -> str:
    """The legend: every curve's colour and dashes."""
    mark = '<svg viewBox="0 0 28 4" aria-hidden="true"><path class="curve side-{0} dash-{0}" d="M0 2H28"/></svg>'
    every = "".join(f"<span>{mark.format(place)}{html.escape(name)}</span>" for place, name in enumerate(runs))
    return f'<p class="report-legend" aria-hidden="true">{every}</p>' if len(runs) > 1 else ""


def by_epoch(runs: Runs, title: str) -> str:
    """Every value of the curves as a table."""
    epochs = [f"{epoch:.2f}" for epoch, _ in next(iter(runs.values())).curve(next(iter(CURVES)))]
    rows = ""
    for name, run in runs.items():
        for column, what in CURVES.items():
            cells = "".join(f"<td>{told(value)}</td>" for _, value in run.curve(column))
            rows += f'<tr><th scope="row">{html.escape(f"{name}: {what}" if len(runs) > 1 else what)}</th>{cells}</tr>'
    return matrix(f"{title}, by epoch", epochs, rows)


def block(title: str, runs: Runs, said: str, board: Board, axes: Axes) -> str:
    """A question: how its runs are judged, a conclusion, and their curves, as charts and as a table, that open."""
    charts = "".join(chart(runs, column, axes, board) for column in CURVES)
    return (
        f'<h4 class="copy-who">{html.escape(title)}</h4>{judged(runs, chance(board))}'
        f'<p class="report-said">{html.escape(said)}</p>'
        f'<details class="report-table"><summary>The curves, as charts and as a table</summary>{named(runs)}'
        f'<div class="report-charts">{charts}</div>{by_epoch(runs, title)}</details>'
    )


def grids(run: Trained) -> str:
    """Pictures of the same label sets and noise at moments of the run."""
    drawn = ""
    for epoch, path in run.grids.items():
        when = f"After {epoch:.1f} epochs"
        alt = f"{when}: sixteen pictures by {NAME}"
        picture = f'<img src="data:image/webp;base64,{packed(path)}" alt="{alt}">'
        drawn += f"<figure>{picture}<figcaption>{when}</figcaption></figure>"
    return f'<div class="report-grids">{drawn}</div>' if drawn else ""


def packed(path: Path) -> str:
    """A picture file as a small WebP in base64."""
    data = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(data, format="WEBP", quality=QUALITY)
    return base64.b64encode(data.getvalue()).decode()


def scaled(runs: Collection[Trained]) -> Axes:
    """Axes that all charts of a column share."""
    points = {column: [point for run in runs for point in run.curve(column)] for column in CURVES}
    most = {column: map(max, zip(*found, strict=True)) for column, found in points.items()}
    return {column: (ticks(epoch), ticks(value)) for column, (epoch, value) in most.items()}


def report_part(board: Board) -> str:
    """The board's part; nothing where the report's recipe was not run."""
    every = {run.folder.name: run for runs in board.report.values() for run in runs.values()}
    if REPORT not in every:
        return ""
    own, axes = every[REPORT], scaled(every.values())
    body = grids(own) + block("Losses and accuracy", {NAME: own}, course(own), board, axes)
    for name, runs in board.report.items():
        body += block(TITLES[name], runs, apart(runs), board, axes)
    return section(REPORT, "The report's own GAN, trained here", verdict(own, chance(board)), body, NOTE + NO_DDPM)
