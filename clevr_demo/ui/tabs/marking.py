"""The tab that marks somebody else's pictures, by the same judge and in the same words as ours."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from clevr_demo.objects import InputError, parse
from clevr_demo.serve.downloads import SHELVES, Shelf
from clevr_demo.serve.marking import KINDS, Asked, mark, opened, prompts_in, shown
from clevr_demo.ui.events import MODELS_QUEUE, QUIET, Drawing, Updates, message
from clevr_demo.ui.widgets import Note, Pictures

WORDS = """**Score your own pictures** as ours are scored. Drop a grid as torchvision's `make_grid` saves it (other
paddings and numbers a row are found), single pictures, or a zip; and a prompt file such as the course's `test.json`, a
list of lists of object names, one a picture, or such lists by the pictures' names. Without one, all pictures should
show what is ticked. At most 8 MB and 2,048 pictures; files are deleted once they are scored."""


def build_marking(drawing: Drawing) -> None:
    """Fields for pictures and prompts, a button, and what the judge says."""
    gr.Markdown(WORDS)
    with gr.Row():
        files = gr.File(label="Pictures", file_count="multiple", file_types=[*KINDS, ".zip"], elem_id="marking-files")
        prompts = gr.File(label="Prompts (optional)", file_types=[".json"], elem_id="marking-prompts")
    with gr.Row(elem_classes="experiment-buttons"):
        go = gr.Button("Score them", variant="primary", elem_id="marking-go")
        table = gr.DownloadButton("Download as CSV", size="sm", interactive=False, elem_id="marking-csv")
    note, told, pictures = Note("marking"), Note("marking-told", "hint"), Pictures(elem_id="marking")
    shelf = Shelf(SHELVES)

    def score(given: Sequence[str] | None, said: str | None, ticked: Any) -> Updates:
        paths, told_by = [Path(one) for one in given or ()], Path(said) if said else None
        empty: Updates = {files: None, prompts: None, told: [], pictures: {}, table: none()}
        try:
            asked = prompts_in(told_by) if told_by else Asked((parse(ticked),))
            pairs = opened(paths, len(asked.prompts) if told_by else None)
            marks = mark(drawing.studio.judge, pairs, asked)
        except InputError as error:
            return {**empty, note: [message(error)]}
        finally:
            for path in filter(None, (*paths, told_by)):
                with contextlib.suppress(OSError):
                    path.unlink()
        name = f"verdicts-{uuid.uuid4().hex[:8]}"
        (path,) = shelf.put(name, {f"{name}.csv": marks.csv().encode()})
        ready = gr.DownloadButton(value=path, interactive=True)
        return {**empty, note: [], told: marks.told, pictures: shown(marks).payload(), table: ready}

    def none() -> gr.DownloadButton:
        return gr.DownloadButton(value=None, interactive=False)

    inputs = [files, prompts, drawing.controls.picker]
    go.click(score, inputs, [files, prompts, note, told, pictures, table], **QUIET, **MODELS_QUEUE)
