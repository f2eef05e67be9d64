"""A sheet to look at: 48 drawn objects, each beside the nearest real crop of its class and a random real one.

The label sets are the held-out pictures'; of every class the first two objects are shown, none is chosen. The nearest
real crop, by the pixels, tells what a drawn one lacks; the random one, how much real ones differ. The eye judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw

from clevr_demo.objects import OBJECTS
from clevr_demo.pictures import to_image
from train.data.iclevr import to_unit
from train.data.layout import Layout
from train.learning.options import positive
from train.measure.drawing import CROP, crops
from train.measure.job import Job, Measure
from train.measure.prompts import held_out_prompts

FILE = "sheet.png"
EACH, SCALE, GAP, COLUMNS = 2, 3, 2, 6  # crops a class; enlargement; pixels between; trios side by side
HEAD = 14  # pixels of the line of words above
WORDS = "drawn, nearest real, any real"
PROMPTS = 128

Trio = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def by_class(pixels: torch.Tensor, layout: Layout) -> dict[int, torch.Tensor]:
    """Crops (M, 3, 24, 24) of the objects in pixels (N, 3, 64, 64), sorted into their classes."""
    cut, classes = crops(pixels, layout), layout.objects[layout.objects >= 0]
    return {index: cut[classes == index] for index in range(len(OBJECTS))}


def trios(drawn: Mapping[int, torch.Tensor], real: Mapping[int, torch.Tensor]) -> list[Trio]:
    """(drawn crop, the nearest real one of its class, a random real one of it), up to `EACH` of every class."""
    chance, found = torch.Generator().manual_seed(0), []
    for index, cut in drawn.items():
        for crop in cut[:EACH]:
            others = real[index]
            if not len(others):
                continue
            nearest = int((others - crop).flatten(1).norm(dim=1).argmin())
            found.append((crop, others[nearest], others[int(torch.randint(len(others), (), generator=chance))]))
    return found


def sheet(found: Sequence[Trio]) -> Image.Image:
    """All trios, enlarged to hard pixels."""
    side = CROP * SCALE
    width, height = 3 * side + 5 * GAP, side + 2 * GAP
    page = Image.new("RGB", (COLUMNS * width, HEAD + -(-len(found) // COLUMNS) * height), "white")
    pen = ImageDraw.Draw(page)
    for column in range(COLUMNS):
        pen.text((column * width + GAP, 0), WORDS, fill="black")
    for place, trio in enumerate(found):
        left, top = place % COLUMNS * width, HEAD + place // COLUMNS * height
        for number, crop in enumerate(trio):
            large = to_image(crop).resize((side, side), Image.Resampling.NEAREST)
            page.paste(large, (left + number * (side + GAP), top))
    return page


def card(folder: Path, _: Mapping[str, Any]) -> str:
    """The sheet in the model's card."""
    words = "Drawn objects, each beside the nearest real crop of its class and a random real one; none is chosen."
    return f"![{words}]({FILE})\n\n{words}"


def run(job: Job) -> None:
    drawn = job.draw(held_out_prompts(job.pictures, PROMPTS)[1], what="drawing")
    training = (~job.pictures.held_out).nonzero().flatten()[: job.options.real]
    real = by_class(to_unit(job.pictures.pixels[training]), job.layout.take(training))
    page = sheet(trios(by_class(drawn.pixels, job.located(drawn)), real))
    page.save(job.folder / FILE, optimize=True)
    job.record("sheet", {"crops": EACH * len(OBJECTS), **job.settings})
    print(job.folder / FILE)


MEASURE = Measure(
    name="sheet",
    about=__doc__ or "",
    needs=("data", "model", "judge"),
    run=run,
    options={"--real": {"type": positive, "default": 6000, "help": "training pictures to seek the nearest among"}},
    card=card,
)
