"""What the judge says of real pictures: what a perfect model would score, and one that draws anything.

Held-out pictures are judged as if a model had drawn them: for what they show, the ceiling, which is below 1 by the
judge's own error; and for what another of as many objects shows, the floor. Scores and intervals are those of
`scores`. For the scenes of `anywhere` real objects, cut out of all pictures, are put together at the very places; the
judge has learnt from most of them, so that this ceiling is rather too high than too low. This project's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from clevr_demo.checkpoints import read_metrics
from clevr_demo.pictures import to_uint8
from clevr_demo.records import Record, scores
from clevr_demo.request import GenerationRequest
from train.data.iclevr import to_unit
from train.data.scenes import at_places, material
from train.measure import anywhere
from train.measure.job import Job, Measure
from train.measure.prompts import ANYWHERE, Prompt, held_out_prompts
from train.measure.records import Asked, recorded
from train.measure.tables import named_table

CEILING, FLOOR = "real held-out pictures", "real ones, for another's prompt"
TOGETHER = "Real objects, cut out and put together at the places of the scenes of `anywhere`:"
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


def facts(prompts: str) -> dict[str, Any]:
    """What a record says of a picture that no model drew."""
    return {"model": "", "prompts": prompts, "digest": "", "steps": 0, "sampler": "", "seconds": 0.0}


def judged(job: Job, name: str, images: np.ndarray, requests: Sequence[GenerationRequest]) -> list[Record]:
    """The records of pictures (N, 64, 64, 3) uint8, each as the answer to its request."""
    found = []
    for pixels, request in zip(tqdm(images, desc=name, unit="picture"), requests, strict=True):
        verdict = job.judge(Image.fromarray(pixels), request.objects)
        found.append(recorded(job, pixels, request, verdict, **facts(name)))
    return found


def put_together(job: Job) -> list[Record]:
    """The records of real objects at the places of the scenes of `anywhere`, as many as there are pictures for."""
    places = Asked.of(job, ANYWHERE).places
    pixels, whole = at_places(material(job.pictures), places)
    requests = [GenerationRequest.of([*given], places=given) for given, one in zip(places, whole, strict=True) if one]
    return judged(job, ANYWHERE, to_uint8(to_unit(pixels[whole])), requests)


def run(job: Job) -> None:
    chosen, shown = held_out_prompts(job.pictures)
    images = to_uint8(to_unit(job.pictures.pixels[chosen]))
    found = {}
    for name, prompts in ((CEILING, shown), (FLOOR, others(shown))):
        records = judged(job, name, images, [GenerationRequest.of(prompt) for prompt in prompts])
        found[name] = {part: one.plain for part, one in scores(records).items()} | {"pictures": len(records)}
    scenes = anywhere.by_number(put_together(job))
    job.record("bounds", {"rows": found, ANYWHERE: scenes}, "judge")
    print(card(job.folder, {"bounds": {"rows": found, ANYWHERE: scenes}}))


def rows(root: Path) -> dict[str, Any]:
    """The lines that stand below a table of scores; none where they were not measured."""
    found: dict[str, Any] = read_metrics(root / "detector").get("bounds", {}).get("rows", {})
    return found


def card(_: Path, entries: Mapping[str, Any]) -> str:
    """Real pictures, and real objects at given places."""
    found = entries["bounds"]
    parts = [named_table("judged", COLUMNS, found["rows"])]
    if scenes := found.get(ANYWHERE):
        parts += [TOGETHER, anywhere.table(scenes, anywhere.COLUMNS)]
    return "\n\n".join(parts)


MEASURE = Measure(
    name="bounds",
    about=__doc__ or "",
    needs=("data", "judge", "teacher"),
    run=run,
    card=card,
)
