"""Somebody else's pictures, marked: how many show what was asked for, and what the judge sees in each.

    pictures = opened([Path("grid.png")], expected=32)          # grids, single pictures, zips of either
    marks = mark(judge, pictures, prompts_in(Path("test.json")))
    marks.exact, marks.number, marks.accuracy                   # shares with their 95 % intervals
    marks.csv()

Nothing that is given is kept.
"""

from __future__ import annotations

import csv
import io
import json
import lzma
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from clevr_demo.checkpoints import CheckpointError, folder_of, read_metrics
from clevr_demo.cutting import MOST_PIXELS, cells
from clevr_demo.estimates import Estimate, wilson
from clevr_demo.judge.evaluator import Evaluator, Verdict
from clevr_demo.objects import OBJECTS, InputError, parse
from clevr_demo.places import SIZE
from clevr_demo.serve.card import BAD, GOOD
from clevr_demo.serve.table import Table, TableCell

KINDS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
MOST_BYTES = 8 * 2**20  # of all files together
MOST_UNPACKED = 64 * 2**20  # of what a zip holds
MOST_PICTURES = 2048
MOST_PIXELS_IN_ALL = 4 * MOST_PIXELS
BATCH = 32
MOST_SHOWN, COLUMNS = 60, 5
SCALE, RING = 2, 8.0  # of a ringed picture; the ring's radius in the picture's own pixels
Prompt = tuple[int, ...]


@dataclass(frozen=True)
class Asked:
    """What the pictures should show: one prompt for all, or one each; `names` says of which file each prompt is, where
    that was told."""

    prompts: tuple[Prompt, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Marked:
    """A picture, 64x64, with where it comes from and the verdict on it."""

    source: str
    picture: Image.Image
    verdict: Verdict

    @property
    def number_right(self) -> bool:
        return len(self.verdict.found) == len(self.verdict.requested)


@dataclass(frozen=True)
class Marks:
    """All pictures, in the order in which they were given."""

    pictures: tuple[Marked, ...]

    def share(self, right: Iterable[bool]) -> Estimate:
        return wilson(sum(right), len(self.pictures))

    @property
    def exact(self) -> Estimate:
        """Counted exact."""
        return self.share(one.verdict.exact for one in self.pictures)

    @property
    def number(self) -> Estimate:
        """As many objects as were asked for."""
        return self.share(one.number_right for one in self.pictures)

    @property
    def accuracy(self) -> Estimate:
        """The course's measure, pooled over all objects that were asked for."""
        verdicts = [one.verdict for one in self.pictures]
        return wilson(sum(one.hits for one in verdicts), sum(len(one.requested) for one in verdicts))

    @property
    def failures_first(self) -> list[Marked]:
        return sorted(self.pictures, key=lambda one: one.verdict.exact)

    @property
    def told(self) -> list[str]:
        """The shares in words, and how often the judge itself errs."""
        named = {"Counted exact": self.exact, "Right number": self.number, "Accuracy": self.accuracy}
        lines = [
            f"{name}: {100 * one.mean:.1f} % (95 %: {100 * one.low:.1f} to {100 * one.high:.1f})"
            for name, one in named.items()
        ]
        return [*lines, *filter(None, [judges_own()])]

    def csv(self) -> str:
        """A row a picture."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["picture", "asked", "exact", "hits", "found", "missing", "extra", "doubled", "verdict"])
        for one in self.pictures:
            verdict, join = one.verdict, "; ".join
            found = [name for name, count in verdict.counts.items() for _ in range(count)]
            lists = [join(names) for names in (found, verdict.missing, verdict.extra, verdict.doubled)]
            asked, exact = join(verdict.requested), int(verdict.exact)
            rows.writerow([harmless(one.source), asked, exact, verdict.hits, *lists, verdict.sentence])
        return text.getvalue()


def ringed(one: Marked) -> np.ndarray:
    """(128, 128, 3) uint8: the picture enlarged, with a ring around everything that the judge finds, green where it was
    asked for and red where not."""
    picture = one.picture.resize((SCALE * SIZE, SCALE * SIZE), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(picture)
    for seen in one.verdict.found:
        colour = GOOD if seen.name in one.verdict.requested else BAD
        centre = (SCALE * (seen.column + 0.5), SCALE * (seen.row + 0.5))
        pen.circle(centre, SCALE * RING, outline=colour, width=SCALE)
    return np.asarray(picture)


def shown(marks: Marks) -> Table:
    """The first pictures, failures before the others, as a table to look at."""
    some = marks.failures_first[:MOST_SHOWN]
    columns = min(COLUMNS, len(some))
    rows = [f"{first + 1}\u2013{min(first + columns, len(some))}" for first in range(0, len(some), columns)]
    title = f"{len(some)} of {len(marks.pictures)} pictures, failures first"
    table = Table(title, [""] * columns, rows, wanted=len(some), state="done")
    for place, one in enumerate(some):
        words = f"{one.source}: {', '.join(one.verdict.requested)}"
        table.pictures[place] = TableCell(ringed(one), words, verdict=one.verdict)
    return table


def harmless(text: str) -> str:
    """A file's name that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@" else text


def judges_own() -> str:
    """What the judge's own error is, by its metrics."""
    try:
        measured = read_metrics(folder_of("detector"))["held_out"]
        exact, pictures = 100 * measured["counted_exact"], measured["pictures"]
    except (CheckpointError, KeyError, TypeError):
        return ""
    return (
        f"The judge itself counts {exact:.1f} % of {pictures} real pictures that it never saw as exact; blurred or "
        "recompressed ones it reads less well."
    )


def natural(name: str) -> list[Any]:
    """Orders "2.png" before "10.png"."""
    return [int(part) if part.isdigit() else part.lower() for part in re.split(r"(\d+)", name)]


def contents(files: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every picture file in the order of their names, those of zips too; an InputError otherwise."""
    if (size := sum(file.stat().st_size for file in files)) > MOST_BYTES:
        raise InputError("pictures", f"the files have {size / 2**20:.1f} MB; at most {MOST_BYTES // 2**20} are read")
    for file in sorted(files, key=lambda file: natural(file.name)):
        if file.suffix.lower() == ".zip":
            yield from unzipped(file)
        elif file.suffix.lower() in KINDS:
            yield file.name, file.read_bytes()
        else:
            raise InputError("pictures", f"{file.name}: neither a picture ({', '.join(KINDS)}) nor a .zip")


UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, RuntimeError, NotImplementedError, EOFError, ValueError,
)  # fmt: skip
"""What a damaged zip makes of itself."""


def unzipped(file: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(file) as archive:
            held = [one for one in archive.infolist() if Path(one.filename).suffix.lower() in KINDS]
            held = [one for one in held if not one.filename.startswith("__MACOSX")]
            if not held:
                raise InputError("pictures", f"{file.name}: holds no pictures")
            if sum(one.file_size for one in held) > MOST_UNPACKED:
                raise InputError("pictures", f"{file.name}: unpacks to more than {MOST_UNPACKED // 2**20} MB")
            for one in sorted(held, key=lambda one: natural(one.filename)):
                with archive.open(one) as packed:  # what the archive says of its size may be a lie
                    data = packed.read(one.file_size + 1)
                if len(data) > one.file_size:
                    raise InputError("pictures", f"{file.name}: {one.filename} is larger than the archive says")
                yield one.filename, data
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError("pictures", f"{file.name}: no zip that can be read") from error


def opened(files: Sequence[Path], expected: int | None = None) -> list[tuple[str, Image.Image]]:
    """(source, 64x64 picture) of everything in the files, grids cut; `expected` is how many a single grid should hold.

    Raises:
        InputError: names the file that is no picture, too large, or no grid.
    """
    if not files:
        raise InputError("pictures", "no pictures were given")
    held, found, pixels = list(contents(files)), [], 0
    for name, data in held:
        try:
            with Image.open(io.BytesIO(data)) as image:
                pixels += image.width * image.height
                if pixels > MOST_PIXELS_IN_ALL:
                    most = f"at most {MOST_PIXELS_IN_ALL // 10**6} million pixels are read together"
                    raise InputError("pictures", f"too much with what came before; {most}")
                cut = cells(image, expected if len(held) == 1 else None)
        except InputError as error:
            raise InputError("pictures", f"{name}: {error}") from None
        except Exception as error:  # a broken file makes Pillow raise almost anything
            raise InputError("pictures", f"{name}: no picture that can be read") from error
        found += [(name if len(cut) == 1 else f"{name} #{number}", one) for number, one in enumerate(cut, 1)]
        if len(found) > MOST_PICTURES:
            raise InputError("pictures", f"more than {MOST_PICTURES} pictures were given")
    return found


def prompts_in(file: Path) -> Asked:
    """The label sets of a prompt file of the course's form: a JSON list of lists of names, or {picture: [names]}.

    Raises:
        InputError: names what is wrong with it.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InputError("prompts", f"{file.name}: too large for a prompt file")
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("prompts", f"{file.name}: no JSON that can be read") from error
    names = tuple(entries) if isinstance(entries, dict) else ()
    entries = list(entries.values()) if isinstance(entries, dict) else entries
    if not isinstance(entries, list) or not entries:
        raise InputError("prompts", f"{file.name}: a prompt file is a list of lists of object names")
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(parse(entry))
        except InputError as error:
            raise InputError("prompts", f"{file.name}, prompt {number}: {error}") from None
    return Asked(tuple(found), names)


def matched(sources: Sequence[str], asked: Asked) -> list[Prompt]:
    """Each picture's prompt: by its file's name, where the prompts have such names; else one for all, one each, or the
    whole list for every grid. An InputError where there is no such match."""
    prompts = list(asked.prompts)
    by_name = dict(zip(asked.names, prompts, strict=False))
    found = [by_name.get(source, by_name.get(Path(source).name)) for source in sources]
    if any(found):
        for source, prompt in zip(sources, found, strict=True):
            if prompt is None:
                raise InputError("prompts", f"no prompt is named {source}, though others' files are")
        return [prompt for prompt in found if prompt]
    grids = Counter(source.rpartition(" #")[0] for source in sources)
    if len(prompts) not in (1, len(sources)) and set(grids.values()) != {len(prompts)}:
        told = f"{len(sources)} pictures and {len(prompts)} prompts: there must be one prompt a picture, or one for all"
        raise InputError("prompts", told)
    return prompts * (len(sources) // len(prompts))


def mark(judge: Evaluator, pictures: Sequence[tuple[str, Image.Image]], asked: Asked) -> Marks:
    """The verdicts on (source, 64x64 picture), by the prompts as `matched` pairs them."""
    wanted, found = matched([source for source, _ in pictures], asked), []
    for start in range(0, len(pictures), BATCH):
        batch = pictures[start : start + BATCH]
        verdicts = judge.judge([picture for _, picture in batch], wanted[start])
        for (source, picture), prompt, verdict in zip(batch, wanted[start : start + BATCH], verdicts, strict=True):
            names = tuple(OBJECTS[index] for index in prompt)
            found.append(Marked(source, picture, replace(verdict, requested=names)))
    return Marks(tuple(found))
