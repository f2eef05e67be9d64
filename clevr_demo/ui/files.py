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
from clevr_demo.ui.controls import QUIET, SAMPLER_NAMES, values
from clevr_demo.ui.drawing import Drawing, visitor
from clevr_demo.ui.links import read
from clevr_demo.ui.note import Note
from clevr_demo.ui.runs import Run

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
    first = run.pairs[0]
    noisy, clear = (_images([getattr(s, part) for s in first.ddpm.stills]) for part in ("noisy", "predicted"))
    path = _images([still.predicted for still in first.acgan.stills])
    rows = [_images([pair.ddpm.picture for pair in run.pairs]), _images([pair.acgan.picture for pair in run.pairs])]
    return {
        "ddpm": ("png", png(rows[0][0], single)),
        "acgan": ("png", png(rows[1][0], single)),
        "pair": ("png", png(film_strip(rows), query)),
        "strip": ("png", png(film_strip([noisy, clear, path]), single)),
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
    guidance = "the model's own guidance" if request.guidance is None else f"guidance {request.guidance:g}"
    count = "1 picture" if request.pictures == 1 else f"{request.pictures} pictures"
    sampler = SAMPLER_NAMES[request.sampler]
    return f"{', '.join(request.names)}. Seed {request.seed}, {request.steps} steps, {sampler}, {guidance}, {count}."


class Files:
    """Downloads of the last result, and settings out of a dropped picture."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing, self.shelf, self.query = drawing, Shelf(), gr.State("")

    def prepare(self, run: Run | None) -> list[Any]:
        """The download buttons' files; none for a run that was stopped, as it has no finished picture."""
        if run is not None and run.shelved:
            return [gr.skip() for _ in KINDS]
        if run is None or run.state != "done":
            return [gr.DownloadButton(value=None, interactive=False) for _ in KINDS]
        run.shelved = True
        return [gr.DownloadButton(value=path, interactive=True) for path in self.shelf.put(run)]

    def look(self, path: str | None) -> list[Any]:
        """[note, query, load button] of a dropped picture: what it says, without touching any setting."""
        if not path:
            return [[], "", gr.Button(visible="hidden")]
        query = query_in(path)
        if query is None:
            return [
                ["This file carries no request: only pictures downloaded here do."],
                "",
                gr.Button(visible="hidden"),
            ]
        request, notes = read(query_of(query), self.drawing.studio.weights)
        if not request.objects:
            return [notes, "", gr.Button(visible="hidden")]
        return [[told(request), *notes], query, gr.Button(visible=True)]

    def load(self, request: gr.Request, query: str) -> list[Any]:
        """[ticket, Generate, Stop, *request's values]: the settings of the picture, drawn again."""
        wanted, _ = read(query_of(query), self.drawing.studio.weights)
        return [self.drawing.desk.issue(visitor(request)), *self.drawing.busy(), *values(wanted)]

    def downloads(self) -> list[gr.DownloadButton]:
        """The row of download buttons."""
        return [
            gr.DownloadButton(title, size="sm", elem_id=f"get-{kind}", interactive=False)
            for kind, title in KINDS.items()
        ]

    def follow(self, ends: list[Any], buttons: list[gr.DownloadButton]) -> None:
        """Makes the files after every event in which a run has ended."""
        for end in ends:
            end.then(self.prepare, self.drawing.result, buttons, queue=False, trigger_mode="multiple", **QUIET)

    def drop_place(self) -> Any:
        """Where a picture is dropped; the event after which its request is drawn."""
        with gr.Row(elem_id="drop-place"):
            drop = gr.UploadButton(
                "Open a picture made here", file_types=[".png", ".webp", ".gif"], size="sm", elem_id="drop"
            )
            button = gr.Button("Load these settings", size="sm", visible="hidden", elem_id="load-dropped")
        gr.Markdown("Or drop it anywhere on the page: it shows how it was drawn.", elem_id="drop-hint")
        note = Note("drop", "hint")
        drop.upload(self.look, drop, [note, self.query, button], queue=False, **QUIET)
        return self.load_on(button, self.query)

    def load_on(self, button: gr.Button, query: Any) -> Any:
        """Lets a button load the settings of a query; the event after which they are drawn."""
        outputs = [self.drawing.ticket, *self.drawing.buttons, *self.drawing.controls.request]
        return button.click(self.load, query, outputs, queue=False, **QUIET)
