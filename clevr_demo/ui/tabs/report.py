"""The comparison that the course report makes, GAN against DDPM, with this project's own figures beside it.

Every figure is read from the checkpoints' metrics.json and config.json, as the measures and the trainers wrote them;
one that is not there yet leaves its line out. Each claim names a request whose pictures show it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from clevr_demo.checkpoints import ROOT
from clevr_demo.models import usual_pair
from clevr_demo.request import GenerationRequest
from clevr_demo.ui.files import Files

Facts = Mapping[str, Any]
"""What one model's folder says: {"metrics": metrics.json, "config": config.json}."""
TITLES = {one.name: one.title for one in usual_pair()}
REPORT = {"test": {"ddpm": "84.7 %", "acgan": "61.1 %"}, "new_test": {"ddpm": "86.9 %", "acgan": "63.1 %"}}
"""The course report's own scores: top-k accuracy by the course's evaluator."""


def read(folder: Path) -> Facts:
    """A checkpoint folder's facts; a file that is missing or broken counts as empty."""
    found = {}
    for name in ("metrics", "config"):
        try:
            found[name] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
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


def times(value: float) -> str:
    return f"{value:.2f} times"


def milliseconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.1f} s"


def whole(value: float) -> str:
    return f"{value:,.0f}"


def hours(value: float) -> str:
    return f"{value:.1f} h"


def bytes_of(folder: Path) -> float | None:
    """Size of the weights in MB."""
    weights = folder / "model.safetensors"
    return weights.stat().st_size / 1e6 if weights.is_file() else None


@dataclass(frozen=True)
class Row:
    """A line of a claim's table: where its figure stands, how it is written, and whether more is better."""

    label: str
    path: tuple[str, ...]
    written: Callable[[float], str]
    report: str = ""  # the prompt set whose score the course report gives beside it


@dataclass(frozen=True)
class Line:
    """A line with its figures in words, by model; `shares` are for its bars, 0 to 1."""

    label: str
    values: dict[str, str]
    shares: dict[str, float]
    report: dict[str, str]


@dataclass(frozen=True)
class Claim:
    """One of the comparison's four questions: what one expects, the figures, and a request that shows it."""

    name: str
    title: str
    said: str
    rows: tuple[Row, ...]
    request: GenerationRequest
    shown: str


def scores(prompts: str, name: str, *rest: str) -> tuple[str, ...]:
    return ("metrics", "scores", prompts, name, *rest)


def realism(column: str) -> tuple[str, ...]:
    return ("metrics", "realism", "rows", "drawn", column)


THREE = ["red cube", "cyan sphere", "yellow cylinder"]
CLAIMS = (
    Claim(
        "quality",
        "Quality: who draws what was asked for?",
        "In the report the DDPM wins by far. Its measure, top-k accuracy, cannot see an object too many; counted exact "
        "can: every object once and nothing else.",
        (
            Row("counted exact, test.json", scores("test", "exact"), percent),
            Row("counted exact, new_test.json", scores("new_test", "exact"), percent),
            Row("right number of objects, test.json", scores("test", "number"), percent),
            Row("top-k accuracy, test.json", scores("test", "accuracy"), percent, "test"),
            Row("top-k accuracy, new_test.json", scores("new_test", "accuracy"), percent, "new_test"),
            Row("distance from real pictures, floor 1", realism("whole 64 ratio"), times),
            Row("the same around the objects", realism("crops 64 ratio"), times),
        ),
        GenerationRequest.of([*THREE, "gray cube", "purple cylinder"], seed=11),
        "Five objects, more than any training picture holds: where do they go wrong?",
    ),
    Claim(
        "cost",
        "Cost: one pass against many",
        "The GAN draws in one pass, the DDPM in as many as it has steps. That is what one pays for denoising.",
        (
            Row("passes of the network a picture", scores("test", "evaluations"), whole),
            Row("time a picture", scores("test", "seconds"), milliseconds),
            Row("pictures seen in training", ("config", "training", "pictures_seen"), whole),
            Row("hours of training", ("config", "training", "hours"), hours),
            Row("size of the weights, MB", ("weights",), whole),
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
            Row("counted exact, spread over seeds, test.json", scores("test", "exact", "std"), points),
            Row("counted exact, spread over seeds, new_test.json", scores("new_test", "exact", "std"), points),
            Row("counted exact, label sets never seen", scores("unseen-triples", "exact"), percent),
            Row("counted exact, label sets seen", scores("seen-triples", "exact"), percent),
            Row("counted exact, four objects", scores("four", "exact"), percent),
            Row("counted exact, five objects", scores("five", "exact"), percent),
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
            Row("variety of an object's looks, real pictures 1", ("metrics", "diversity", "ratio"), times),
            Row("real pictures that it comes near", realism("whole coverage"), percent),
            Row("real objects that it comes near", realism("crops coverage"), percent),
        ),
        GenerationRequest.of(["blue cube"], seed=0, pictures=8),
        "A single cube from eight seeds: do its place, its turn and the light change?",
    ),
)


def facts(root: Path = ROOT) -> dict[str, Facts]:
    """What the committed files say of both models."""
    return {model: {**read(root / model), "weights": bytes_of(root / model)} for model in TITLES}


def lines(claim: Claim, known: Mapping[str, Facts]) -> list[Line]:
    """The claim's lines for which at least one model has a figure."""
    found = []
    for row in claim.rows:
        values = {model: number(known.get(model, {}), *row.path) for model in TITLES}
        there = {model: value for model, value in values.items() if value is not None}
        most = max((abs(value) for value in there.values()), default=0)
        if there:
            top = 1.0 if row.written is percent else most
            shares = {model: min(1.0, abs(value) / top) if top else 0.0 for model, value in there.items()}
            told = {model: row.written(value) for model, value in there.items()}
            found.append(Line(row.label, told, shares, REPORT.get(row.report, {})))
    return found


def _cell(line: Line, model: str) -> str:
    if model not in line.values:
        return '<td class="none">&ndash;</td>'
    bar = f'<span class="bar" style="--share:{line.shares[model]:.3f}" aria-hidden="true"></span>'
    theirs = f' <span class="theirs">report {html.escape(line.report[model])}</span>' if model in line.report else ""
    return f'<td data-model="{model}">{html.escape(line.values[model])}{theirs}{bar}</td>'


def markup(claim: Claim, known: Mapping[str, Facts]) -> str:
    """The claim as HTML: title, what one expects, and the table of figures."""
    found = lines(claim, known)
    body = "".join(
        f'<tr><th scope="row">{html.escape(line.label)}</th>{"".join(_cell(line, model) for model in TITLES)}</tr>'
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


def build_report(files: Files) -> None:
    """The tab: the four claims, each with its figures and a button that draws a pair which shows it."""
    known = facts()
    with gr.Column(elem_id="report"):
        for claim in CLAIMS:
            gr.HTML(markup(claim, known), padding=False)
            with gr.Row(elem_classes="claim-shown"):
                button = gr.Button("Draw it", size="sm", elem_id=f"show-{claim.name}")
                gr.Markdown(claim.shown)
            files.load_on(button.click, gr.State(claim.request.query()))
