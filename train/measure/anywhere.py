"""How often the right objects are drawn at the places that they are asked for at, anywhere on the ground.

Scenes are random sets of one to eight different objects at random places, 9 pixels from each other at least, and need
no data; their pictures are of the folder's records, as those of `scores` are. **Counted exact**: the detector finds
every object once and nothing else. **Something unasked**: it finds what nobody asked for, or an object twice. **Off**:
how far from its given place each object is found, of those that are. All of it over one to six objects, as many scenes
of each; of more the detector itself may miss some, so that seven and eight stand apart. Nearer objects hide farther
ones here, so that a perfect painter's objects would not all be counted either: `bounds` judges real ones at the same
places.

With `--move`, one object is moved over the whole ground, `STEP` pixels at a time, all else equal: how often it is
counted exact, a map of where it is not, and how many levels of 255 the pixels change that are farther than `FAR` pixels
from it, between neighbouring places.

This project's own measure; intervals are 95 %, as those of `scores`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from PIL import Image, ImageDraw
from tqdm.auto import tqdm

from clevr_demo.checkpoints import read_metrics
from clevr_demo.estimates import clustered
from clevr_demo.judge.evaluator import MAX_JUDGED as CERTAIN
from clevr_demo.judge.evaluator import Verdict
from clevr_demo.objects import INDEX, OBJECTS, InputError, index_of
from clevr_demo.pictures import from_image, to_image
from clevr_demo.places import SIZE, on_ground
from clevr_demo.records import Record
from train.measure.job import Job, Measure
from train.measure.prompts import ANYWHERE, NUMBERS
from train.measure.records import Recorder, made
from train.measure.tables import markdown

NEAR = 2.0  # pixels from its place within which an object stands where it was asked for
STEP, FAR = 3, 12.0  # pixels
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

REAL = "Real objects at the places of the same scenes, the ceiling:"


def share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4)


def exactly(exact: Sequence[bool], places: Sequence[Any]) -> dict[str, Any]:
    """The share that is counted exact, and its interval, of pictures of objects at these places."""
    found = clustered(exact, [1] * len(exact), places).plain
    return {"exact": found["mean"], "interval": [found["low"], found["high"]]}


def summary(rows: Sequence[Record]) -> dict[str, Any]:
    """A line of the table."""
    places = [row.at for row in rows]
    found = {"scenes": len(set(places)), **exactly([row.exact for row in rows], places)}
    found["unasked"] = share([bool(row.extra or row.doubled) for row in rows])
    if off := [pixels for row in rows for pixels in row.off]:
        found |= {"near": share([pixels <= NEAR for pixels in off]), "off": round(sum(off) / len(off), 3)}
    return found


def by_number(records: Sequence[Record]) -> dict[str, Any]:
    """The lines of the table, of those numbers of objects that there are records of."""
    parts = {ALL: [row for row in records if len(row.objects) <= CERTAIN]}
    parts |= {name: [row for row in records if len(row.objects) == count] for count, name in enumerate(NUMBERS, 1)}
    return {name: summary(part) for name, part in parts.items() if part}


def real(root: Path) -> dict[str, Any]:
    """The lines of real objects at the same places, as `bounds` measured them; none where it did not."""
    found: dict[str, Any] = read_metrics(root / "detector").get("bounds", {}).get(ANYWHERE, {})
    return found


def everywhere(job: Job, seeds: int = 1) -> None:
    """Random scenes."""
    state = PartialState(cpu=job.options.device == "cpu")
    records, _ = made(job, ANYWHERE, seeds, state)
    rows = by_number(records)
    if state.is_main_process:
        job.record(f"{ANYWHERE}{job.variant}", {"rows": rows, **job.settings}, "model", "judge")
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


def colour(verdict: Verdict) -> str:
    """How a place is marked."""
    return COLOURS["exact" if verdict.exact else "missing" if verdict.missing else "unasked"]


def sheet(pixels: torch.Tensor, places: torch.Tensor, verdicts: Sequence[Verdict]) -> Image.Image:
    """A map of the verdicts at places (P, 2) on what the pictures (P, 3, 64, 64) have in common."""
    page = to_image(pixels.median(dim=0).values).resize((SCALE * SIZE, SCALE * SIZE))
    pen = ImageDraw.Draw(page)
    for (row, column), one in zip(places.tolist(), verdicts, strict=True):
        top, left = (SCALE * (middle - STEP / 2 + 0.5) for middle in (row, column))
        pen.rectangle((left + 2, top + 2, left + SCALE * STEP - 2, top + SCALE * STEP - 2), fill=colour(one))
    return page


def moved(job: Job) -> None:
    """One object at a time over the whole ground, all from one seed."""
    places, rows, maps = ground(), {}, []
    spots, recorder = [tuple(place) for place in places.tolist()], Recorder(job)
    for name in job.options.move:
        requests = [recorder.request([INDEX[name]], places={name: spot}) for spot in spots]
        images = [recorder.draw(request).predicted for request in tqdm(requests, desc=name, unit="picture")]
        verdicts = recorder.studio.verdicts(images, requests[0])
        pixels = torch.stack([from_image(Image.fromarray(image)) for image in images])
        rows[name] = {"places": len(spots), **exactly([one.exact for one in verdicts], spots)}
        rows[name]["change"] = change(pixels, places)
        maps.append(sheet(pixels, places, verdicts))
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


def card(folder: Path, entries: Mapping[str, Any]) -> str:
    """Random scenes first, then the moved objects with their maps, for every number of steps; real objects last."""
    parts = []
    for entry, found in sorted(entries.items(), key=lambda item: item[0].startswith(MOVED)):
        variant = entry.removeprefix(MOVED).removeprefix(ANYWHERE)
        parts += [variant.removeprefix(", ")] if variant else []
        if not entry.startswith(MOVED):
            parts.append(table(found["rows"], COLUMNS))
            continue
        parts += [table(found["rows"], MOVED_COLUMNS), f"![{CAPTION}](<{picture(variant)}>)", CAPTION]
    if rows := real(folder.parent):
        parts += [REAL, table(rows, COLUMNS)]
    return "\n\n".join(parts)


MEASURE = Measure(
    name="anywhere",
    about=__doc__ or "",
    needs=("model", "judge", "teacher"),
    run=lambda job: (moved if job.options.move else everywhere)(job),
    options={
        "--move": {
            "nargs": "+",
            "type": known,
            "metavar": "OBJECT",
            "help": 'objects that are moved over the ground: "red cube"',
        },
    },
    card=card,
)
