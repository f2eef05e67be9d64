"""What the judge says of real pictures: what a perfect model would score, and one that draws anything.

Held-out pictures are judged as if a model had drawn them: for what they show, the ceiling, which is below 1 by the
judge's own error; and for what another of as many objects shows, the floor. Scores and intervals are those of
`scores`. This project's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm.auto import tqdm

from clevr_demo.checkpoints import read_metrics
from clevr_demo.pictures import to_uint8
from clevr_demo.records import scores
from clevr_demo.request import GenerationRequest
from train.data.iclevr import to_unit
from train.measure.job import Job, Measure
from train.measure.prompts import Prompt, held_out_prompts
from train.measure.records import recorded
from train.measure.tables import named_table

CEILING, FLOOR = "real held-out pictures", "real ones, for another's prompt"
COLUMNS = {"exact": "counted exact", "number": "right number", "accuracy": "accuracy", "pictures": "pictures"}


def others(prompts: Sequence[Prompt]) -> list[Prompt]:
    """For every prompt that of another picture, of as many objects; the next one from halfway through all of them."""

    def after(place: int) -> Iterator[Prompt]:
        start = place + len(prompts) // 2
        return (prompts[(start + step) % len(prompts)] for step in range(len(prompts)))

    return [
        next((other for other in after(place) if len(other) == len(one) and other != one), one)
        for place, one in enumerate(prompts)
    ]


def run(job: Job) -> None:
    chosen, shown = held_out_prompts(job.pictures)
    images = to_uint8(to_unit(job.pictures.pixels[chosen]))
    found = {}
    for name, prompts in ((CEILING, shown), (FLOOR, others(shown))):
        records = []
        for pixels, prompt in zip(tqdm(images, desc=name, unit="picture"), prompts, strict=True):
            request = GenerationRequest.of(prompt)
            verdict = job.judge(Image.fromarray(pixels), request.objects)
            facts = {"model": "", "prompts": name, "digest": "", "steps": 0, "sampler": "", "seconds": 0.0}
            records.append(recorded(job, pixels, request, verdict, **facts))
        found[name] = {part: one.plain for part, one in scores(records).items()} | {"pictures": len(records)}
    job.record("bounds", {"rows": found}, "judge")
    print(table(found))


def rows(root: Path) -> dict[str, Any]:
    """The lines that stand below a table of scores; none where they were not measured."""
    found: dict[str, Any] = read_metrics(root / "detector").get("bounds", {}).get("rows", {})
    return found


def table(found: dict[str, Any]) -> str:
    """The Markdown table of an entry's rows."""
    return named_table("judged", COLUMNS, found)


MEASURE = Measure(
    name="bounds",
    about=__doc__ or "",
    needs=("data", "judge", "teacher"),
    run=run,
    card=lambda _, entries: table(entries["bounds"]["rows"]),
)
