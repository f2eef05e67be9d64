"""The comparison that the course report makes, GAN against DDPM, with this project's own figures beside it.

Every figure is read from the checkpoints' metrics.json and config.json, as the measures and the trainers wrote them;
one that is not there yet leaves its line out. Each claim names a request whose pictures show it.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import ROOT, WEIGHTS, CheckpointError, read_config, read_metrics
from clevr_demo.models import usual_pair
from clevr_demo.request import GenerationRequest

Facts = Mapping[str, Any]
"""What one model's folder says: {"metrics": metrics.json, "config": config.json, "weights": their size in MB}."""
TITLES = {one.name: one.title for one in usual_pair()}
COURSE = {"test": {"ddpm": "84.7 %", "acgan": "61.1 %"}, "new_test": {"ddpm": "86.9 %", "acgan": "63.1 %"}}
"""The course report's own scores: top-k accuracy by the course's evaluator."""


def read(folder: Path) -> Facts:
    """A checkpoint folder's facts; a file that is missing or broken counts as empty."""
    weights = folder / WEIGHTS
    found: dict[str, Any] = {"weights": weights.stat().st_size / 1e6 if weights.is_file() else None}
    for name, reader in (("metrics", read_metrics), ("config", read_config)):
        try:
            found[name] = reader(folder)
        except CheckpointError:
            found[name] = {}
    return found


def number(facts: Facts, *path: str) -> float | None:
    """The number at a path, or the mean of a {"mean", "std"} there; None where there is none."""
    found: Any = facts
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    found = found.get("mean") if isinstance(found, Mapping) else found
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def points(value: float) -> str:
    return f"± {100 * value:.1f}"


def milliseconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.1f} s"


times, whole, hours = "{:.2f} times".format, "{:,.0f}".format, "{:.1f} h".format


@dataclass(frozen=True)
class Figure:
    """A line of a claim's table: where its figure stands and how it is written."""

    label: str
    path: str  # among a model's facts, a point between the names
    unit: Callable[[float], str]
    course: str = ""  # the prompt set whose score the course report gives beside it
    less: bool = False  # whether less is better


@dataclass(frozen=True)
class Written:
    """A figure in words, by model; `shares` are for its bars, 0 to 1, `course` are the course report's."""

    label: str
    values: dict[str, str]
    shares: dict[str, float]
    course: dict[str, str]
    less: bool = False


@dataclass(frozen=True)
class Claim:
    """One of the comparison's four questions: what one expects, the figures, and a request that shows it."""

    name: str
    title: str
    said: str
    figures: tuple[Figure, ...]
    request: GenerationRequest
    shown: str


THREE = ["red cube", "cyan sphere", "yellow cylinder"]
CLAIMS = (
    Claim(
        "quality",
        "Quality: who draws what was asked for?",
        "In the report the DDPM wins by far. Its measure, top-k accuracy, cannot see an object too many; counted exact "
        "can: every object once and nothing else.",
        (
            Figure("counted exact, test.json", "metrics.scores.test.exact", percent),
            Figure("counted exact, new_test.json", "metrics.scores.new_test.exact", percent),
            Figure("right number of objects, test.json", "metrics.scores.test.number", percent),
            Figure("top-k accuracy, test.json", "metrics.scores.test.accuracy", percent, "test"),
            Figure("top-k accuracy, new_test.json", "metrics.scores.new_test.accuracy", percent, "new_test"),
            Figure(
                "distance from real pictures, floor 1", "metrics.realism.rows.drawn.whole 64 ratio", times, less=True
            ),
            Figure("the same around the objects", "metrics.realism.rows.drawn.crops 64 ratio", times, less=True),
        ),
        GenerationRequest.of([*THREE, "gray cube", "purple cylinder"], seed=11),
        "Five objects, more than any training picture holds: where do they go wrong?",
    ),
    Claim(
        "cost",
        "Cost: one pass against many",
        "The GAN draws in one pass, the DDPM in as many as it has steps. That is what one pays for denoising.",
        (
            Figure("passes of the network a picture", "metrics.scores.test.evaluations", whole, less=True),
            Figure("time a picture", "metrics.scores.test.seconds", milliseconds, less=True),
            Figure("pictures seen in training", "config.training.pictures_seen", whole, less=True),
            Figure("hours of training", "config.training.hours", hours, less=True),
            Figure("size of the weights, MB", "weights", whole, less=True),
        ),
        GenerationRequest.of(THREE, seed=7, steps=100),
        "A hundred steps: watch the DDPM take its time beside the GAN's finished picture.",
    ),
    Claim(
        "stability",
        "Stability: how much hangs on the seed?",
        "GANs are feared for training that collapses, and for good and bad draws. How far the score of all prompts "
        "goes up and down from seed to seed tells how steady a model draws.",
        (
            Figure("counted exact, spread over seeds, test.json", "metrics.scores.test.exact.std", points, less=True),
            Figure(
                "counted exact, spread over seeds, new_test.json",
                "metrics.scores.new_test.exact.std",
                points,
                less=True,
            ),
            Figure("counted exact, label sets never seen", "metrics.scores.unseen-triples.exact", percent),
            Figure("counted exact, label sets seen", "metrics.scores.seen-triples.exact", percent),
            Figure("counted exact, four objects", "metrics.scores.four.exact", percent),
            Figure("counted exact, five objects", "metrics.scores.five.exact", percent),
        ),
        GenerationRequest.of(THREE, seed=0, pictures=6),
        "One request, six seeds: count how often each model gets it right.",
    ),
    Claim(
        "variety",
        "Variety: does it draw one picture over and over?",
        "A GAN may learn to fool with few pictures, drawn again and again. Pictures of one request from many seeds, "
        "beside real pictures of one label set, show it.",
        (
            Figure("variety of an object's looks, real pictures 1", "metrics.diversity.ratio", times),
            Figure("real pictures that it comes near", "metrics.realism.rows.drawn.whole coverage", percent),
            Figure("real objects that it comes near", "metrics.realism.rows.drawn.crops coverage", percent),
        ),
        GenerationRequest.of(["blue cube"], seed=0, pictures=8),
        "A single cube from eight seeds: do its place, its turn and the light change?",
    ),
)


def facts(root: Path = ROOT) -> dict[str, Facts]:
    """What the committed files say of both models."""
    return {model: read(root / model) for model in TITLES}


def written(claim: Claim, known: Mapping[str, Facts]) -> list[Written]:
    """The claim's figures that at least one model has."""
    found = []
    for figure in claim.figures:
        values = {model: number(known.get(model, {}), *figure.path.split(".")) for model in TITLES}
        there = {model: value for model, value in values.items() if value is not None}
        most = max((abs(value) for value in there.values()), default=0)
        if there:
            top = 1.0 if figure.unit is percent else most
            shares = {model: min(1.0, abs(value) / top) if top else 0.0 for model, value in there.items()}
            told = {model: figure.unit(value) for model, value in there.items()}
            found.append(Written(figure.label, told, shares, COURSE.get(figure.course, {}), figure.less))
    return found


LESS = ' class="less"'
"""Of a line whose bars are hollow: the shorter, the better."""


def _cell(line: Written, model: str) -> str:
    if model not in line.values:
        return '<td class="none">&ndash;</td>'
    bar = f'<span class="bar" style="--share:{line.shares[model]:.3f}" aria-hidden="true"></span>'
    theirs = f' <span class="theirs">report {html.escape(line.course[model])}</span>' if model in line.course else ""
    return f'<td data-model="{model}">{html.escape(line.values[model])}{theirs}{bar}</td>'


def markup(claim: Claim, known: Mapping[str, Facts]) -> str:
    """The claim as HTML: title, what one expects, and the table of figures."""
    found = written(claim, known)
    body = "".join(
        f'<tr{LESS if line.less else ""}><th scope="row">{html.escape(line.label)}'
        f"{' <small>less is better</small>' if line.less else ''}</th>"
        f"{''.join(_cell(line, model) for model in TITLES)}</tr>"
        for line in found
    )
    heads = "".join(f'<th scope="col">{title}</th>' for title in TITLES.values())
    table = (
        f'<table class="figures"><thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table>'
        if found
        else '<p class="quiet">Not measured yet with these weights.</p>'
    )
    said = html.escape(claim.said)
    return f'<section class="claim"><h3>{html.escape(claim.title)}</h3><p>{said}</p>{table}</section>'
