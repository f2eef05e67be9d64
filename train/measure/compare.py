"""Whether one draws better than another: the difference over pictures of the same prompts and seeds.

From records alone, nothing is drawn: a checkpoint folder's against another folder's, by default the other model's.
`--against` other weights of the same model says what a change of weights gained or lost; the steps and the sampler are
those of whoever has them. The intervals are 95 %, by a percentile bootstrap of the prompts (Efron 1979); where one
covers 0, no difference is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clevr_demo.checkpoints import ROOT, CheckpointError, fingerprint
from clevr_demo.records import FILE, Record, differences, read
from clevr_demo.request import DEFAULT_STEPS, PAIR, SAMPLERS
from train.measure.job import Job, Measure
from train.measure.tables import markdown

COLUMNS = {"exact": "counted exact", "number": "right number", "accuracy": "accuracy"}


def rows_of(folder: Path, steps: int = DEFAULT_STEPS, sampler: str = SAMPLERS[0]) -> list[Record]:
    """The records of the weights that lie in a folder, by these settings where the model has them."""
    rows = read(folder)
    mark = fingerprint(folder) if rows else ""
    own = [row for row in rows if row.model.partition("@")[2] == mark]
    return [row for row in own if row.steps in (0, steps) and row.sampler in ("", sampler)]


def table(first: Sequence[Record], second: Sequence[Record]) -> str:
    """A Markdown table of the differences, a line for every set that both have drawn; nothing where there is none.

    Raises:
        ValueError: see `differences`.
    """
    sets = [name for name in dict.fromkeys(row.prompts for row in first) if name in {row.prompts for row in second}]
    lines = []
    for name in sets:
        here, there = ([row for row in side if row.prompts == name] for side in (first, second))
        found = differences(here, there)
        lines.append([name, *(found[column].said for column in COLUMNS), found["exact"].number])
    return markdown(["prompts", *COLUMNS.values(), "pairs"], lines) if lines else ""


def run(job: Job) -> None:
    rival = next((name for name in PAIR if name != job.options.model), PAIR[0])
    folders = (job.folder, job.options.against or ROOT / rival)
    sides = [rows_of(folder, job.options.steps, job.options.sampler) for folder in folders]
    for folder, side in zip(folders, sides, strict=True):
        if not side:
            raise CheckpointError(f"{folder / FILE}: no pictures of these weights by these settings; scores draws them")
    try:
        found = table(*sides)
    except ValueError as error:
        raise CheckpointError(f"{folders[0]} and {folders[1]}: not to be compared ({error})") from None
    first, second = (side[0].model for side in sides)
    print(f"{first} - {second}\n\n{found or 'No set that both have drawn.'}")


MEASURE = Measure(
    name="compare",
    about=__doc__ or "",
    needs=("model",),
    run=run,
    options={"--against": {"type": Path, "help": "another checkpoint folder (default: the other model's)"}},
)
