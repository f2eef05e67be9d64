"""Pictures that know themselves: downloads that carry their request, and a place to drop one to see its settings."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from clevr_demo.objects import slug
from clevr_demo.pictures import animation, film_strip, png, query_in
from clevr_demo.request import GenerationRequest, query_of
from clevr_demo.ui.controls import QUIET, SAMPLER_NAMES
from clevr_demo.ui.drawing import AT_ONCE, Drawing, Updates
from clevr_demo.ui.links import read
from clevr_demo.ui.note import Note
from clevr_demo.ui.payload import Run

KINDS = {
    "ddpm": "DDPM picture",
    "acgan": "ACGAN picture",
    "pair": "All pictures",
    "strip": "Film strip",
    "webp": "WebP film",
    "gif": "GIF film",
}
SHELVES = 64
"""The most runs whose files are kept on disk, besides what Gradio keeps."""


def _images(arrays: list[Any]) -> list[Image.Image]:
    return [Image.fromarray(pixels) for pixels in arrays]


def contents(run: Run) -> dict[str, tuple[str, bytes]]:
    """For every kind of download the file's ending and its bytes. Strip and film show the first picture's denoising."""
    query, single = run.request.query(run.weights), run.request.single(0).query(run.weights)
    pairs = run.finished
    stills = pairs[0].ddpm.stills
    noisy, clear = _images([still.noisy for still in stills]), _images([still.predicted for still in stills])
    last = _images([pairs[0].acgan.picture])
    rows = [_images([pair.ddpm.picture for pair in pairs]), _images([pair.acgan.picture for pair in pairs])]
    return {
        "ddpm": ("png", png(rows[0][0], single)),
        "acgan": ("png", png(rows[1][0], single)),
        "pair": ("png", png(film_strip(rows), query)),
        "strip": ("png", png(film_strip([noisy, clear, last]), single)),
        "webp": ("webp", animation(clear, single)),
        "gif": ("gif", animation(clear, single, kind="GIF")),
    }


class Shelf:
    """Writes a run's files into a folder of their own; the oldest folders go."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="clevr-duel-")

    def put(self, run: Run) -> list[str]:
        """Paths in the order of KINDS, named after the request."""
        root = Path(self._folder.name)
        for old in sorted(root.iterdir(), key=lambda path: path.stat().st_mtime)[: -SHELVES or None]:
            shutil.rmtree(old, ignore_errors=True)
        folder = root / run.key
        folder.mkdir(exist_ok=True)
        name = "_".join(slug(index) for index in run.request.objects[:4]) + f"_seed{run.request.seed}"
        paths = []
        for kind, (ending, content) in contents(run).items():
            path = folder / f"{name}_{kind}.{ending}"
            path.write_bytes(content)
            paths.append(str(path))
        return paths


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
        """The row of download buttons: of the last run that ended, and of none while another one draws."""
        self.buttons = [
            gr.DownloadButton(title, size="sm", elem_id=f"get-{kind}", interactive=False)
            for kind, title in KINDS.items()
        ]
        self.drawing.more += self.buttons
        self.drawing.at_start.append(self.none)
        self.drawing.at_end.append(self.prepare)

    def none(self) -> Updates:
        return {button: gr.DownloadButton(value=None, interactive=False) for button in self.buttons}

    def prepare(self, run: Run) -> Updates:
        """The download buttons' files: of the pictures that are finished, also where the run was stopped later."""
        if not run.finished:
            return self.none()
        paths = zip(self.buttons, self.shelf.put(run), strict=True)
        return {button: gr.DownloadButton(value=path, interactive=True) for button, path in paths}

    def look(self, path: str | None) -> tuple[list[str], str]:
        """(note, query) of a dropped picture: what it says, without touching any setting; no query, nothing to load."""
        if not path:
            return [], ""
        query = query_in(path)
        if query is None:
            return ["This file carries no request: only pictures downloaded here do."], ""
        request, notes = read(query_of(query), self.drawing.studio.weights)
        return ([told(request), *notes], query) if request.objects else (notes, "")

    def load(self, request: gr.Request, query: str) -> Updates:
        """The settings that a query names, drawn again."""
        wanted, notes = read(query_of(query), self.drawing.studio.weights)
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
        self.load_on(button, self.query)

    def load_on(self, button: gr.Button, query: Any) -> None:
        """Lets a button load the settings of a query, and draw them."""
        outputs = list(dict.fromkeys([*self.drawing.asked, *self.drawing.controls.request]))
        self.drawing.then_draw(button.click(self.load, query, outputs, **AT_ONCE))
