"""What can be downloaded of a run: pictures, a card, a film strip and films, each of which knows its request."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from clevr_demo.models import Contender
from clevr_demo.pictures import animation, film_strip, png
from clevr_demo.serve import card as cards
from clevr_demo.serve.payload import Pair, Run, Side
from clevr_demo.serve.strip import Shot, strip
from clevr_demo.serve.wording import cost

SHELVES = 64
"""The most runs whose files are kept on disk, besides what Gradio keeps."""


def kinds(contenders: Sequence[Contender]) -> dict[str, str]:
    """The kinds of download, in the order of `contents`, and what they are called."""
    pictures = {one.name: f"{one.title} picture" for one in contenders}
    others = {"pair": "All pictures", "strip": "Film strip", "webp": "WebP film", "gif": "GIF film"}
    return {"card": "Card with both pictures", **pictures, **others}


def _images(arrays: list[Any]) -> list[Image.Image]:
    return [Image.fromarray(pixels) for pixels in arrays]


def entries(pair: Pair) -> list[cards.Entry]:
    """The two entries of a finished pair's card."""
    found = []
    for side in pair.sides.values():
        assert side.picture is not None
        assert side.verdict is not None
        spent, picture = cost(side.evaluations, side.seconds), Image.fromarray(side.picture)
        found.append(cards.Entry(side.contender.title, picture, side.verdict.sentence, spent, side.verdict.exact))
    return found


def film(side: Side) -> list[Shot]:
    """A side's timeline as pictures."""
    return [Shot(side.step(one), Image.fromarray(one.noisy), Image.fromarray(one.predicted)) for one in side.stills]


def contents(run: Run, single: str, address: str) -> dict[str, tuple[str, bytes]]:
    """For every kind of download how the file's name ends, and its bytes; `single` is the query of the first picture
    alone, `address` is what the card's link starts with.

    Card, strip and film show the first picture.
    """
    pairs = run.finished
    lead, others = pairs[0].lead, [name for name, side in pairs[0].sides.items() if side is not pairs[0].lead]
    shots = film(lead)
    clear = [shot.clear for shot in shots]
    rows = {name: _images([pair.sides[name].picture for pair in pairs]) for name in pairs[0].sides}
    beside = {pairs[0].sides[name].contender.title: rows[name][0] for name in others}
    card = cards.card(pairs[0].request, entries(pairs[0]), f"{address}?{single}")
    return {
        "card": ("card.png", png(card, single)),
        **{name: (f"{name}.png", png(row[0], single)) for name, row in rows.items()},
        "pair": ("pair.png", png(film_strip(list(rows.values())), run.query)),
        "strip": ("strip.png", png(strip(pairs[0].request, lead.contender.title, shots, beside), single)),
        "webp": ("film.webp", animation(clear, single)),
        "gif": ("film.gif", animation(clear, single, kind="GIF")),
    }


class Shelf:
    """Files, those of a key in a folder of their own, in a temporary one; of more than `most` the oldest go."""

    def __init__(self, most: int | None = None, place: Path | None = None) -> None:
        if place is not None:
            place.mkdir(parents=True, exist_ok=True)
        self._root, self._most = tempfile.TemporaryDirectory(prefix="clevr-duel-", dir=place), most

    def _folder(self, key: str) -> Path:
        return Path(self._root.name) / hashlib.sha256(key.encode()).hexdigest()[:16]

    def put(self, key: str, files: Mapping[str, bytes]) -> list[Path]:
        """The paths of the files, by name."""
        if self._most is not None:
            folders = sorted(Path(self._root.name).iterdir(), key=lambda path: path.stat().st_mtime)
            for old in folders[: -self._most]:
                shutil.rmtree(old, ignore_errors=True)
        folder = self._folder(key)
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return [folder / name for name in files]

    def drop(self, key: str) -> None:
        shutil.rmtree(self._folder(key), ignore_errors=True)
