"""What the judge says of real pictures that are spoiled: what it forgives and what it does not.

Held-out pictures are blurred, made noisy, their objects made blobs, one object pasted a second time, one taken away, or
a third of one hidden by another. **As asked**: counted exact for the objects that the picture showed before, as a
request is judged. **As shown**: counted exact for what is to be seen now. A strict judge is low in the first column for
blobs, doubles and removed objects, and high in the second for all real objects. This project's own; the pictures are
put together by `train.data.composing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torchvision.transforms.functional import gaussian_blur
from tqdm.auto import tqdm

from train.data.canvas import OWN
from train.data.composing import Composer, Scene
from train.data.iclevr import Pictures, to_unit
from train.data.layout import find_layout
from train.learning.counting import accuracy, counted_exact, detected, right_number, seeded, shown_by
from train.learning.options import not_negative
from train.measure.drawing import quantised
from train.measure.job import Job, Measure
from train.measure.prompts import held_out_prompts
from train.measure.tables import named_table

BLURS, NOISES = (0.5, 0.75, 1.0, 1.5), (2, 5, 10)  # pixels; levels of 255
BLOBS = {"filled": "silhouettes filled with their median colour", "ellipse": "soft ellipses of their median colour"}
OFFSETS = range(3, 17)  # pixels to the side, among which the one that hides nearest to a third is taken
THIRD = 1 / 3
BATCH = 128
AS_THEY_ARE = "as they are"
COLUMNS = {
    "asked": "counted exact, as asked",
    "exact": "counted exact, as shown",
    "number": "right number, as shown",
    "accuracy": "top-k accuracy, as asked",
}

Version = tuple[torch.Tensor, list[Counter[str]]]  # pixels, and how often each object is to be seen


def without_one(compose: Composer, chosen: torch.Tensor) -> Scene:
    """The pictures without the object that was added last."""
    canvas = compose.started(chosen)
    last = (canvas.objects[:, :OWN] >= 0).sum(dim=1) - 1
    canvas.erase(torch.arange(len(chosen)), last, compose.empty)
    return compose.finished(canvas)


def overlapping(compose: Composer, chosen: torch.Tensor) -> Scene:
    """The pictures with one more object beside their first one, where it hides a third of it or is a third hidden."""
    every = torch.arange(len(chosen))
    donors = compose.unlike(compose.chain[chosen, 0])
    best: Scene | None = None
    for offset in OFFSETS:
        canvas = compose.started(chosen)
        side = torch.where(every % 2 == 0, offset, -offset)
        canvas.centres[:, OWN] = canvas.centres[:, 0].round() + torch.stack([torch.zeros_like(side), side], dim=1)
        compose.put_objects(canvas, every, OWN, donors, light=0.0)
        found = compose.finished(canvas)
        best = found if best is None else nearer_a_third(best, found)
    assert best is not None
    return best


def hidden(scene: Scene) -> torch.Tensor:
    """(N,) the larger hidden share of the first and the pasted object."""
    return 1 - scene.shown[:, [0, OWN]].amin(dim=1)


def nearer_a_third(first: Scene, second: Scene) -> Scene:
    """Of two scenes of each picture, the one where the hidden share is nearer to a third."""
    better = (hidden(second) - THIRD).abs() < (hidden(first) - THIRD).abs()

    def pick(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.where(better.view(-1, *[1] * (a.dim() - 1)), b, a)

    return Scene(*map(pick, vars(first).values(), vars(second).values()))


def versions(
    pictures: Pictures, chosen: torch.Tensor, compose: Composer
) -> Iterator[tuple[str, Callable[[], Version]]]:
    """Every line of the table: its name, and how its pictures are made."""
    pixels, names = to_unit(pictures.pixels[chosen]), shown_by(pictures.labels[chosen])
    generator = torch.Generator().manual_seed(0)

    def blurred(sigma: float) -> Version:
        return quantised(gaussian_blur(pixels, [9, 9], [sigma, sigma])), names

    def grainy(grain: torch.Tensor) -> Version:
        return quantised(pixels + grain), names

    def composed(make: Callable[..., Scene], *arguments: Any) -> Version:
        scene = make(*arguments)
        return quantised(scene.pixels), scene.names()

    yield AS_THEY_ARE, lambda: (pixels, names)
    for sigma in BLURS:
        yield f"blurred, sigma {sigma:g}", partial(blurred, sigma)
    for level in NOISES:
        grain = torch.randn(pixels.shape, generator=generator) * level / 127.5
        yield f"noise, {level} of 255", partial(grainy, grain)
    for kind, words in BLOBS.items():
        yield f"blobs: {words}", partial(composed, compose.with_blobs, chosen, kind)
    yield "one object pasted twice", partial(composed, compose.with_double, chosen)
    yield "one object removed", partial(composed, without_one, compose, chosen)
    yield "two objects overlapping by a third", partial(composed, overlapping, compose, chosen)


@torch.inference_mode()
def judged(judge: Any, version: Version, labels: torch.Tensor) -> dict[str, float]:
    """A line of the table; `labels` (N, 24) are what the pictures showed before they were spoiled."""
    pixels, shown = version
    found = detected(judge, pixels)
    probabilities = torch.cat([judge.probabilities(part) for part in pixels.split(BATCH)])
    scores = {
        "asked": counted_exact(found, shown_by(labels)),
        "exact": counted_exact(found, shown),
        "number": right_number(found, shown),
        "accuracy": float(accuracy(probabilities, labels)),
    }
    return {name: round(score, 4) for name, score in scores.items()}


def run(job: Job) -> None:
    pictures = job.pictures.split()[1]
    chosen, _ = held_out_prompts(pictures, job.options.pictures)
    rows = {}
    with seeded():
        compose = Composer(pictures, find_layout(pictures))
        for name, make in tqdm(list(versions(pictures, chosen, compose)), unit="version"):
            rows[name] = judged(job.judge, make(), pictures.labels[chosen])
    found = {"rows": rows, "pictures": len(chosen)}
    job.record("robustness", found, "judge")
    print(table(found))


def table(found: Mapping[str, Any]) -> str:
    """The Markdown table of an entry of the metrics."""
    return named_table(f"{found['pictures']} held-out pictures", COLUMNS, found["rows"])


MEASURE = Measure(
    name="robustness",
    about=__doc__ or "",
    needs=("data", "judge"),
    run=run,
    options={"--pictures": {"type": not_negative, "default": 0, "help": "how many held-out pictures (0: all)"}},
    card=lambda _, entries: table(entries["robustness"]),
)
