"""Pictures that know themselves: downloads that carry their request, and a place to drop one to see its settings."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from clevr_demo.models import Contender
from clevr_demo.objects import slug
from clevr_demo.pictures import animation, film_strip, png, query_in
from clevr_demo.request import GenerationRequest, query_of
from clevr_demo.serve import card as cards
from clevr_demo.serve.addresses import page_of, read
from clevr_demo.serve.payload import Pair, Run
from clevr_demo.serve.wording import cost
from clevr_demo.ui.controls import QUIET, SAMPLER_NAMES
from clevr_demo.ui.events import AT_ONCE, Drawing, Updates, visitor
from clevr_demo.ui.widgets import Note, asset


def kinds(contenders: Sequence[Contender]) -> dict[str, str]:
    """The kinds of download, in the order of `contents`, and what they are called."""
    pictures = {one.name: f"{one.title} picture" for one in contenders}
    others = {"pair": "All pictures", "strip": "Film strip", "webp": "WebP film", "gif": "GIF film"}
    return {"card": "Card with both pictures", **pictures, **others}


SHELVES = 64
"""The most runs whose files are kept on disk, besides what Gradio keeps."""


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


def contents(run: Run, single: str, address: str) -> dict[str, tuple[str, bytes]]:
    """For every kind of download the file's ending and its bytes; `single` is the query of the first picture alone,
    `address` is what the card's link starts with.

    Card, strip and film show the first picture.
    """
    pairs = run.finished
    lead, others = pairs[0].lead, [side for side in pairs[0].sides.values() if side is not pairs[0].lead]
    noisy, clear = (_images([getattr(still, part) for still in lead.stills]) for part in ("noisy", "predicted"))
    rows = {name: _images([pair.sides[name].picture for pair in pairs]) for name in pairs[0].sides}
    card = cards.card(pairs[0].request, entries(pairs[0]), f"{address}?{single}")
    return {
        "card": ("png", png(card, single)),
        **{name: ("png", png(row[0], single)) for name, row in rows.items()},
        "pair": ("png", png(film_strip(list(rows.values())), run.query)),
        "strip": ("png", png(film_strip([noisy, clear, _images([side.picture for side in others])]), single)),
        "webp": ("webp", animation(clear, single)),
        "gif": ("gif", animation(clear, single, kind="GIF")),
    }


class Shelf:
    """Writes files for download into a folder of their own; the oldest folders go."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="clevr-duel-")

    def put(self, key: str, files: Mapping[str, bytes]) -> list[str]:
        """The paths of the files, by name; `key` names their folder."""
        root = Path(self._folder.name)
        for old in sorted(root.iterdir(), key=lambda path: path.stat().st_mtime)[: -SHELVES or None]:
            shutil.rmtree(old, ignore_errors=True)
        folder = root / key
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return [str(folder / name) for name in files]


def named(request: GenerationRequest) -> str:
    """What a file of this request is called: "red-cube_blue-sphere_seed7"."""
    return "_".join(slug(index) for index in request.objects[:4]) + f"_seed{request.seed}"


def told(request: GenerationRequest) -> str:
    """A request in words."""
    count = "1 picture" if request.pictures == 1 else f"{request.pictures} pictures"
    drawn = f"{request.steps} steps, {SAMPLER_NAMES[request.sampler]}, {count}"
    return f"{', '.join(request.names)}. Seed {request.seed}, {drawn}."


class Files:
    """Downloads of the last result, and settings out of a dropped picture."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing, self.shelf, self.query = drawing, Shelf(), gr.State("")
        self.buttons: list[gr.DownloadButton] = []

    def build_downloads(self) -> None:
        """The download menu: of the last run that ended. Its files are made when it opens."""
        opener = gr.Button("Download", size="sm", elem_id="download")
        with gr.Column(elem_id="download-menu", min_width=200):
            self.buttons = [
                gr.DownloadButton(title, size="sm", elem_id=f"get-{kind}", interactive=False)
                for kind, title in kinds(self.drawing.studio.pair).items()
            ]
        self.drawing.more += self.buttons
        self.drawing.at_start.append(self.none)
        opener.click(None, None, None, js=asset("downloads/downloads.js"), api_visibility="private")
        opener.click(self.prepare, self.drawing.result, self.buttons, **AT_ONCE)

    def none(self) -> Updates:
        return {button: gr.DownloadButton(value=None, interactive=False) for button in self.buttons}

    def prepare(self, request: gr.Request, run: Run | None) -> Updates:
        """The download buttons' files: of the pictures that are finished, also where the run was stopped later.

        While something new is drawn there are none: they would be of what was shown before.
        """
        if run is None or not run.finished or not self.drawing.runs.idle(visitor(request)):
            return self.none()
        studio, address = self.drawing.studio, page_of(request.headers)
        made = contents(self.drawing.whole(run), studio.query(run.request.single(0)), address)
        files = {f"{named(run.request)}_{kind}.{ending}": content for kind, (ending, content) in made.items()}
        paths, called = self.shelf.put(run.key, files), kinds(run.contenders).values()
        return {
            button: gr.DownloadButton(title, value=path, interactive=True)
            for button, title, path in zip(self.buttons, called, paths, strict=True)
        }

    def look(self, path: str | None) -> tuple[list[str], str]:
        """(note, query) of a dropped picture: what it says, without touching any setting; no query, nothing to load."""
        if not path:
            return [], ""
        query = query_in(path)
        if query is None:
            return ["This file carries no request: only pictures downloaded here do."], ""
        request, notes = read(query_of(query), self.drawing.studio)
        return ([told(request), *notes], query) if request.objects else (notes, "")

    def load(self, request: gr.Request, query: str) -> Updates:
        """The settings that a query names, drawn again."""
        wanted, notes = read(query_of(query), self.drawing.studio)
        drawing = self.drawing
        return {drawing.note: notes, **drawing.controls.show(wanted), **drawing.ask(request, wanted)}

    def build_drop_place(self) -> None:
        """Where a picture is dropped; it shows how it was drawn, and a button loads that."""
        with gr.Row(elem_id="drop-place"):
            drop = gr.UploadButton(
                "Open a picture made here", file_types=[".png", ".webp", ".gif"], size="sm", elem_id="drop"
            )
            button = gr.Button("Load these settings", size="sm", visible="hidden", elem_id="load-dropped")
        gr.Markdown("Or drop it anywhere on the page: it shows how it was drawn.", elem_id="drop-hint")
        note = Note("drop", "hint")

        def dropped(path: str | None) -> Updates:
            sentences, query = self.look(path)
            return {note: sentences, self.query: query, button: gr.Button(visible=True if query else "hidden")}

        drop.upload(dropped, drop, [note, self.query, button], queue=False, **QUIET)
        self.load_on(button.click, self.query)

    def load_on(self, event: Any, query: Any) -> None:
        """Lets an event, such as a button's click, load the settings of a query, and draw them."""
        outputs = list(dict.fromkeys([*self.drawing.asked, *self.drawing.controls.request]))
        self.drawing.then_draw(event(self.load, query, outputs, **AT_ONCE))
