"""How often the right objects are drawn.

Every prompt is drawn once a seed, each picture alone, by the engine of the page; all count, none is chosen. **Counted
exact**, the headline: the detector (CenterNet, Zhou et al. 2019, arXiv:1904.07850) finds every requested object once
and nothing else. **Right number**: it finds as many as were asked for. **Accuracy**: the course's top-k measure by the
classifier, pooled over all requested objects; the teacher's beside it, so that pictures fitted to a classifier would
show. Intervals are 95 %: prompts are resampled, with all of their pictures (see `clevr_demo.estimates`).

A row a picture goes to records.csv.gz, and what the rows say to metrics.json. Rows that are there already are not drawn
again, so a stopped run goes on, and a complete one only counts anew; rows of weights that are there no longer go.
`accelerate launch --multi_gpu --num_processes 2 -m train.measure scores ...` shares the pictures out to two processes,
without a GPU, too, where `--cpu` instead of `--multi_gpu` starts but one. The set "anywhere" is that of the measure of
this name. Where there is a GPU, `--device cpu` draws what the page does.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accelerate import PartialState

from clevr_demo.checkpoints import read_metrics, write_metrics
from clevr_demo.judge.evaluator import MAX_JUDGED
from clevr_demo.pictures import grid
from clevr_demo.records import Record, scores
from train.learning.options import positive
from train.measure import bounds
from train.measure.anywhere import everywhere
from train.measure.drawing import SEED_STRIDE
from train.measure.job import Job, Measure
from train.measure.prompts import ANYWHERE, BEYOND, FILES, NAMES, VALIDATION
from train.measure.records import Asked, made, processor
from train.measure.tables import named_table, spread

COLUMNS = {
    "exact": "counted exact",
    "number": "right number",
    "accuracy": "accuracy",
    "teacher": "teacher's accuracy",
}
DEFAULT = (*FILES, *VALIDATION[1:], *BEYOND, ANYWHERE)
SEEDS = {**dict.fromkeys(FILES, 20), ANYWHERE: 1}  # and else `FEW`; the scenes are random ones already
FEW = 5
BEYOND_JUDGE = f"The judge learned with at most {MAX_JUDGED} objects, and of more it may miss some that are there."


def summary(rows: Sequence[Record]) -> dict[str, Any]:
    """What the rows of a set say: every score with its interval, counted exact also with its spread over the seeds."""
    found: dict[str, Any] = {name: one.plain for name, one in scores(rows).items()}
    passes: dict[int, list[bool]] = {}
    for row in rows:
        passes.setdefault(row.seed // SEED_STRIDE, []).append(row.exact)
    found["exact"] |= {"std": spread([statistics.fmean(exact) for exact in passes.values()])["std"]}
    found |= {"prompts": len(rows) // len(passes), "seeds": len(passes), "evaluations": rows[0].steps or 1}
    return found | {"seconds": round(statistics.median(row.seconds for row in rows), 4)}


def score_set(job: Job, name: str, state: PartialState) -> None:
    """One prompt set: its rows, what they say, and the first seed's pictures of a prompt file as an 8-column grid."""
    rows, fresh = made(job, name, job.options.seeds or SEEDS.get(name, FEW), state)
    if not state.is_main_process:
        return
    entry = name + job.variant
    found = job.signed(summary(rows) | job.settings | {"processor": processor()}, "model", "judge")
    before = read_metrics(job.folder).get("scores", {})
    others = {other: said for other, said in before.items() if said["model"] == job.model.name}
    write_metrics(job.folder, {"scores": others | {entry: found}})
    if fresh and (name in FILES or name not in NAMES):
        asked = Asked.of(job, name)
        stem = entry if name in FILES else f"{Path(name).stem}-{asked.digest}{job.variant}"
        grid(job.draw(asked.prompts).pixels).save(job.folder / f"{stem}.png")
    told = ", ".join(
        f"{column} {found[column]['mean']:.3f} ({found[column]['low']:.3f} to {found[column]['high']:.3f})"
        for column in COLUMNS
    )
    print(f"{entry}: {told} over {found['seeds']} seeds of {found['prompts']} prompts")


def run(job: Job) -> None:
    state = PartialState(cpu=job.options.device == "cpu")
    for name in job.options.prompts:
        if name == ANYWHERE:
            everywhere(job, job.options.seeds or SEEDS[name])
        else:
            score_set(job, name, state)


def card(folder: Path, entries: Mapping[str, Any]) -> str:
    """The table of every prompt set, above what the judge says of real pictures."""
    columns = COLUMNS | {"seeds": "seeds", "evaluations": "evaluations a picture", "seconds": "seconds a picture"}
    rows = {**entries.get("scores", {}), **bounds.rows(folder.parent)}
    return f"{named_table('prompts', columns, rows)}\n\n{BEYOND_JUDGE}"


_DEFAULTS = ", ".join(f"{number} of {name}" for name, number in SEEDS.items())
MEASURE = Measure(
    name="scores",
    about=__doc__ or "",
    needs=("data", "model", "judge", "teacher"),
    run=run,
    options={
        "--prompts": {"nargs": "+", "default": list(DEFAULT), "help": f"of {', '.join((*NAMES, ANYWHERE))}, or files"},
        "--seeds": {
            "type": positive,
            "help": f"how often each prompt is drawn (default: {_DEFAULTS}, else {FEW})",
        },
    },
    card=card,
)
