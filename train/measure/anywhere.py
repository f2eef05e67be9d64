"""How often the right objects are drawn at the places that they are asked for at, anywhere on the ground.

Scenes are random sets of one to eight different objects at random places, `APART` pixels from each other at least; they
need no data. **Counted exact**: the detector finds every object once and nothing else. **Something unasked**: it finds
what nobody asked for, or an object twice. **Off**: how far from its given place each object is found, of those that
are. All of it over one to six objects, as many scenes of each; of more the detector itself may miss some, so that seven
and eight stand apart.

With `--move`, one object is moved over the whole ground, `STEP` pixels at a time, all else equal: how often it is
counted exact, a map of where it is not, and how many levels of 255 the pixels change that are farther than `FAR` pixels
from it, between neighbouring places.

This project's own measure; the intervals of shares are Wilson's (1927).
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw

from clevr_demo.judge.detector import Found
from clevr_demo.objects import INDEX, OBJECTS, InputError, index_of
from clevr_demo.pictures import to_image
from clevr_demo.places import SIZE, Given, on_ground
from train.data.scenes import MOST, spots
from train.learning.counting import detected, named
from train.learning.options import positive
from train.measure.job import Job, Measure
from train.measure.prompts import random_sets
from train.measure.tables import interval, markdown

APART = 9.0  # pixels between two objects, at least
CERTAIN = 6  # objects up to which the detector is to be believed
NEAR = 2.0  # pixels from its place within which an object stands where it was asked for
STEP, FAR = 3, 12.0  # pixels
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
ALL = f"one to {NUMBERS[CERTAIN - 1]}"
COLUMNS = {
    "scenes": "scenes",
    "exact": "counted exact",
    "interval": "95 %",
    "unasked": "something unasked",
    "near": f"found within {NEAR:g} px",
    "off": "px off, mean",
}
MOVED = "anywhere, moved"
MOVED_COLUMNS = {
    "places": "places",
    "exact": "counted exact",
    "interval": "95 %",
    "change": "levels that the rest changes",
}
SCALE = 5  # of the map
COLOURS = {"exact": "#3070ff", "unasked": "#ff9000", "missing": "#d00000"}
CAPTION = "Places of the moved object: blue, counted exact; orange, with something unasked; red, not found."


@dataclass(frozen=True)
class Outcome:
    """What the detector finds of one scene: all that was asked for, or something `unasked`; and how many pixels `off`
    those that it finds are."""

    found: bool
    unasked: bool
    off: tuple[float, ...]

    @property
    def exact(self) -> bool:
        return self.found and not self.unasked

    @property
    def colour(self) -> str:
        return COLOURS["exact" if self.exact else "unasked" if self.found else "missing"]


def outcome(seen: Sequence[Found], given: Given) -> Outcome:
    """Of the objects seen, the surest first; a double's place is that of the surer one."""
    wanted, surest = Counter(OBJECTS[index] for index in given), {one.name: one for one in reversed(seen)}
    off = tuple(
        math.dist(centre, (surest[OBJECTS[index]].row, surest[OBJECTS[index]].column))
        for index, centre in given.items()
        if OBJECTS[index] in surest
    )
    return Outcome(len(off) == len(given), bool(named(seen) - wanted), off)


def scenes(objects: int, number: int) -> list[Given]:
    """`number` scenes of so many objects, the same ones every time."""
    generator, whole = torch.Generator().manual_seed(objects), torch.zeros(0, objects, 2)
    while len(whole) < number:
        centres = spots(torch.full((number,), objects), APART, generator)[:, :objects]
        whole = torch.cat([whole, centres[~centres.flatten(1).isnan().any(dim=1)]])
    sets = zip(random_sets(objects, number), whole[:number].tolist(), strict=True)
    return [dict(zip(prompt, map(tuple, centres), strict=True)) for prompt, centres in sets]


def drawn(job: Job, given: Sequence[Given], **changes: Any) -> tuple[torch.Tensor, list[Outcome]]:
    """Pixels (N, 3, 64, 64) of the scenes, and what the detector finds."""
    pixels = job.draw([tuple(scene) for scene in given], what="drawing", places=given, **changes).pixels
    found = detected(job.judge, pixels)
    return pixels, [outcome(seen, scene) for seen, scene in zip(found, given, strict=True)]


def share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4)


def exactly(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The share that is counted exact, and its interval."""
    exact = share([one.exact for one in outcomes])
    return {"exact": exact, "interval": interval(exact, len(outcomes))}


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """A line of the table."""
    found = {"scenes": len(outcomes), **exactly(outcomes), "unasked": share([one.unasked for one in outcomes])}
    if off := [pixels for one in outcomes for pixels in one.off]:
        found |= {"near": share([pixels <= NEAR for pixels in off]), "off": round(sum(off) / len(off), 3)}
    return found


def everywhere(job: Job) -> None:
    """Random scenes."""
    each = -(-job.options.scenes // CERTAIN)
    given = [scene for objects in range(1, MOST + 1) for scene in scenes(objects, each)]
    outcomes = drawn(job, given)[1]
    rows = {ALL: summary(outcomes[: CERTAIN * each])}
    rows |= {name: summary(outcomes[place * each :][:each]) for place, name in enumerate(NUMBERS)}
    job.record(f"anywhere{job.variant}", {"rows": rows, **job.settings}, "model", "judge")
    print(table(rows, COLUMNS))


def ground() -> torch.Tensor:
    """(P, 2) rows and columns `STEP` pixels apart, all over the ground."""
    line = torch.arange(1.0, SIZE, STEP)
    every = torch.cartesian_prod(line, line)
    return every[on_ground(every)]


def change(pixels: torch.Tensor, places: torch.Tensor) -> float:
    """Levels of 255 by which pixels (P, 3, 64, 64) far from the object differ between neighbouring places (P, 2)."""
    offset = (places.unsqueeze(0) - places.unsqueeze(1)).sort(dim=2).values
    first, second = (offset == torch.tensor([0.0, STEP])).all(dim=2).nonzero(as_tuple=True)
    grid = torch.cartesian_prod(*[torch.arange(SIZE).float()] * 2)
    far = (torch.cdist(places, grid) > FAR).view(-1, 1, SIZE, SIZE)
    rest = far[first] & far[second]
    apart = (pixels[first] - pixels[second]).abs().mean(dim=1, keepdim=True) * 127.5
    return round(float(((apart * rest).sum(dim=(1, 2, 3)) / rest.sum(dim=(1, 2, 3))).mean()), 3)


def sheet(pixels: torch.Tensor, places: torch.Tensor, outcomes: Sequence[Outcome]) -> Image.Image:
    """A map of the outcomes at places (P, 2) on what the pictures (P, 3, 64, 64) have in common."""
    page = to_image(pixels.median(dim=0).values).resize((SCALE * SIZE, SCALE * SIZE))
    pen = ImageDraw.Draw(page)
    for (row, column), one in zip(places.tolist(), outcomes, strict=True):
        top, left = (SCALE * (middle - STEP / 2 + 0.5) for middle in (row, column))
        pen.rectangle((left + 2, top + 2, left + SCALE * STEP - 2, top + SCALE * STEP - 2), fill=one.colour)
    return page


def moved(job: Job) -> None:
    """One object at a time over the whole ground, all from one seed."""
    places, rows, maps = ground(), {}, []
    for name in job.options.move:
        given: list[Given] = [{INDEX[name]: (row, column)} for row, column in places.tolist()]
        pixels, outcomes = drawn(job, given, seeds=[0] * len(given))
        rows[name] = {"places": len(places), **exactly(outcomes), "change": change(pixels, places)}
        maps.append(sheet(pixels, places, outcomes))
    page = Image.new("RGB", (sum(one.width for one in maps), SCALE * SIZE))
    for place, one in enumerate(maps):
        page.paste(one, (place * one.width, 0))
    page.save(job.folder / picture(job.variant), optimize=True)
    job.record(f"{MOVED}{job.variant}", {"rows": rows, **job.settings}, "model", "judge")
    print(table(rows, MOVED_COLUMNS))


def picture(variant: str) -> str:
    """The file of the map."""
    return f"moved{variant}.png"


def table(rows: Mapping[str, Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Rows of an entry as a Markdown table."""
    body = []
    for name, row in rows.items():
        low, high = row["interval"]
        cells = dict(row) | {"interval": f"{low:.3f} to {high:.3f}"}
        body.append([name, *(cells.get(column) for column in columns)])
    return markdown(["objects", *columns.values()], body)


def known(text: str) -> str:
    """Reads an object of the command line."""
    try:
        return OBJECTS[index_of(text)]
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def card(_: Path, entries: Mapping[str, Any]) -> str:
    """Random scenes first, then the moved objects with their maps, for every number of steps."""
    parts = []
    for entry, found in sorted(entries.items(), key=lambda item: item[0].startswith(MOVED)):
        variant = entry.removeprefix(MOVED).removeprefix("anywhere")
        parts += [variant.removeprefix(", ")] if variant else []
        if not entry.startswith(MOVED):
            parts.append(table(found["rows"], COLUMNS))
            continue
        parts += [table(found["rows"], MOVED_COLUMNS), f"![{CAPTION}](<{picture(variant)}>)", CAPTION]
    return "\n\n".join(parts)


MEASURE = Measure(
    name="anywhere",
    about=__doc__ or "",
    needs=("model", "judge"),
    run=lambda job: (moved if job.options.move else everywhere)(job),
    options={
        "--scenes": {"type": positive, "default": 1200, "help": f"of {ALL} objects; seven and eight come on top"},
        "--move": {
            "nargs": "+",
            "type": known,
            "metavar": "OBJECT",
            "help": 'objects that are moved over the ground: "red cube"',
        },
    },
    card=card,
)
