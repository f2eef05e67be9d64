"""How often the right objects are drawn.

Every prompt is drawn once a seed; all pictures count, none is chosen. **Counted exact**, the headline: the detector
(CenterNet, Zhou et al. 2019, arXiv:1904.07850) finds every requested object once and nothing else. **Right number**: it
finds as many as were asked for. **Accuracy**: the course's top-k measure by the classifier, pooled over all requested
objects; the teacher's beside it, so that pictures fitted to a classifier would show. A row a seed goes to scores.csv;
rows that are there already are not drawn again, so a stopped run goes on. Under `accelerate launch` the seeds are
shared out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from tqdm.auto import tqdm

from clevr_demo.checkpoints import read_metrics, write_metrics
from clevr_demo.objects import multi_hot
from clevr_demo.pictures import grid
from train.learning.counting import accuracy, counted_exact, detected, right_number, shown_by
from train.learning.options import positive
from train.measure.job import Job, Measure
from train.measure.prompts import NAMES, Prompt, read_prompts
from train.measure.tables import add_rows, named_table, read_csv, spread

ROWS = "scores.csv"
KEY = ("model", "judge", "prompts", "digest", "settings", "seed")
COLUMNS = {
    "exact": "counted exact",
    "number": "right number",
    "accuracy": "accuracy",
    "teacher": "teacher's accuracy",
}


@torch.inference_mode()
def judged(job: Job, pixels: torch.Tensor, prompts: Sequence[Prompt]) -> dict[str, float]:
    """All scores of one picture a prompt, (N, 3, 64, 64)."""
    labels, found = multi_hot(prompts), detected(job.judge, pixels)
    wanted = shown_by(labels)
    seen = [float(accuracy(eyes(pixels), labels)) for eyes in (job.judge.probabilities, job.teacher)]
    values = (counted_exact(found, wanted), right_number(found, wanted), *seen)
    return {name: round(value, 6) for name, value in zip(COLUMNS, values, strict=True)}


def one_seed(job: Job, prompts: Sequence[Prompt], seed: int, picture: str) -> dict[str, Any]:
    """The scores of one run over the prompts; the first seed's pictures become an 8-column grid beside the weights."""
    drawn = job.draw(prompts, seed)
    if seed == 0:
        grid(drawn.pixels).save(job.folder / picture)
    cost = {"evaluations": drawn.evaluations, "seconds": round(drawn.seconds, 4)}
    return judged(job, drawn.pixels, prompts) | cost


def score_set(job: Job, name: str, state: PartialState) -> dict[str, Any]:
    """One prompt set: draws the seeds that scores.csv lacks, and returns what all of them say."""
    prompts = read_prompts(name, job.options.data, lambda: job.pictures)
    settings = " ".join(map(str, job.settings.values()))
    digest = hashlib.sha256(json.dumps(prompts).encode()).hexdigest()[:8]
    facts = dict(zip(KEY, (job.model.name, job.judge.name, name, digest, settings), strict=False))
    entry = name + job.variant
    picture = f"{entry if name in NAMES else f'{Path(name).stem}-{digest}{job.variant}'}.png"
    path, wanted = job.folder / ROWS, [str(seed) for seed in range(job.options.seeds)]

    def kept() -> dict[str, dict[str, str]]:
        rows = [row for row in read_csv(path) if all(row.get(key) == value for key, value in facts.items())]
        return {row["seed"]: row for row in rows if row["seed"] in wanted}

    missing = [seed for seed in range(job.options.seeds) if str(seed) not in kept()]
    state.wait_for_everyone()
    shares = range(0, len(missing), state.num_processes)
    for start in tqdm(shares, desc=entry, unit="seed", disable=not state.is_main_process):
        mine = missing[start + state.process_index : start + state.process_index + 1]
        rows = [facts | {"seed": seed} | one_seed(job, prompts, seed, picture) for seed in mine]
        rows = gather_object(rows) if state.num_processes > 1 else rows
        if state.is_main_process:
            add_rows(path, rows, KEY)
        state.wait_for_everyone()
    rows = [kept()[seed] for seed in wanted]
    found: dict[str, Any] = {name: spread([float(row[name]) for row in rows]) for name in COLUMNS}
    found |= {"prompts": len(prompts), "seeds": len(rows), "evaluations": int(rows[0]["evaluations"])}
    found |= {"seconds": spread([float(row["seconds"]) for row in rows]), **job.settings}
    return job.signed(found, "model", "judge")


def run(job: Job) -> None:
    state = PartialState(cpu=job.options.device == "cpu")
    for name in job.options.prompts:
        found = score_set(job, name, state)
        if not state.is_main_process:
            continue
        before = read_metrics(job.folder).get("scores", {})
        others = {entry: scores for entry, scores in before.items() if scores["model"] == job.model.name}
        entry = name + job.variant
        write_metrics(job.folder, {"scores": others | {entry: found}})
        words = ", ".join(f"{column} {found[column]['mean']:.3f} ± {found[column]['std']:.3f}" for column in COLUMNS)
        print(f"{entry}: {words} over {found['seeds']} seeds of {found['prompts']} prompts")


def card(_: Path, entries: Mapping[str, Any]) -> str:
    """The table of every prompt set."""
    columns = COLUMNS | {"seeds": "seeds", "evaluations": "evaluations a picture", "time": "seconds a picture"}
    scores = entries.get("scores", {}).items()
    return named_table("prompts", columns, {name: found | {"time": found["seconds"]["mean"]} for name, found in scores})


MEASURE = Measure(
    name="scores",
    about=__doc__ or "",
    needs=("data", "model", "judge", "teacher"),
    run=run,
    options={
        "--prompts": {"nargs": "+", "default": ["test", "new_test"], "help": f"of {', '.join(NAMES)}, or files"},
        "--seeds": {"type": positive, "default": 5, "help": "how often each prompt is drawn"},
    },
    card=card,
)
