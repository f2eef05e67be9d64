"""A diffusion model against its steps and samplers, to choose the default by, so the judge has no part in it.

The teacher says how often the right objects are seen on label sets of the held-out pictures (exact match at probability
0.5, which cannot count doubles, and top-k accuracy); the realism is that of `realism`, as ratios to the floor of as
many pictures. Samplers are as diffusers has them. A row a setting goes to sweep.csv; rows that are there already are
not drawn again, so a stopped run goes on.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from clevr_demo.judge.evaluator import exact_matches
from clevr_demo.objects import multi_hot
from clevr_demo.request import SAMPLERS
from train.learning.counting import accuracy
from train.learning.options import positive, steps
from train.measure.job import Job, Measure
from train.measure.prompts import held_out_prompts
from train.measure.realism import COLUMNS as REALISM
from train.measure.realism import compared, real_sets
from train.measure.tables import add_rows, markdown, read_csv

ROWS = "sweep.csv"
KEY = ("model", "sampler", "steps", "pictures")
COLUMNS = ("sampler", "steps", "evaluations", "seconds", "exact, teacher", "accuracy, teacher", *REALISM)


@torch.inference_mode()
def row_of(job: Job, sampler: str, steps: int, real: Any) -> dict[str, Any]:
    """One setting's row."""
    _, prompts = held_out_prompts(job.pictures, job.options.pictures)
    settings = job.settings_of(steps=steps, sampler=sampler)
    drawn = job.draw(prompts, what=f"{steps} steps of {sampler}", **settings)
    logits, labels = job.teacher(drawn.pixels), multi_hot(prompts)
    reference, sets = real
    rows = compared(reference, {("drawn", 0): (drawn.pixels, job.located(drawn)), ("floor", 0): sets["floor", 0]})
    found = {
        "evaluations": drawn.evaluations,
        "seconds": f"{drawn.seconds:.3f}",
        "exact, teacher": f"{float(exact_matches(logits.sigmoid(), labels).float().mean()):.3f}",
        "accuracy, teacher": f"{float(accuracy(logits, labels)):.3f}",
    }
    found |= {column: f"{rows['drawn'][f'{column} ratio']['mean']:.2f}" for column in REALISM}
    return found


def run(job: Job) -> None:
    path, options = job.folder / ROWS, job.options
    chosen, _ = held_out_prompts(job.pictures, options.pictures)
    real = real_sets(job, chosen, 1)
    for sampler, number in tqdm(list(itertools.product(options.sampler, options.steps)), unit="setting"):
        key = dict(zip(KEY, (job.model.name, sampler, str(number), str(len(chosen))), strict=True))
        if not any(all(row[name] == value for name, value in key.items()) for row in read_csv(path)):
            add_rows(path, [key | row_of(job, sampler, number, real)], KEY)
    job.record("sweep", {"pictures": len(chosen)})
    print(table(job.folder, job.model.name))


def table(folder: Path, model: str) -> str:
    """The rows of these weights, the cheapest first."""
    rows = [row for row in read_csv(folder / ROWS) if row["model"] == model]
    rows.sort(key=lambda row: (int(row["steps"]), row["sampler"]))
    return markdown(COLUMNS, [[row[name] for name in COLUMNS] for row in rows])


def card(folder: Path, entries: Mapping[str, Any]) -> str:
    """The table, folded away."""
    found = entries["sweep"]
    summary = f"Steps and samplers compared, by the teacher and by realism, on {found['pictures']} held-out label sets"
    return f"<details><summary>{summary}</summary>\n\n{table(folder, found['model'])}\n\n</details>"


MEASURE = Measure(
    name="sweep",
    about=__doc__ or "",
    needs=("data", "model", "judge", "teacher"),
    run=run,
    options={
        "--sampler": {"nargs": "+", "choices": SAMPLERS, "default": ["dpm"]},
        "--steps": {"nargs": "+", "type": steps, "default": [2, 3, 4, 6, 8, 12, 16, 20]},
        "--pictures": {"type": positive, "default": 128, "help": "held-out pictures whose label sets are drawn"},
    },
    card=card,
)
