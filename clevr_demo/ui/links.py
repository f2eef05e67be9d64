"""Links: the address carries the request; opening it restores every control and draws the same pictures."""

from __future__ import annotations

from typing import Any

import gradio as gr

from clevr_demo.request import PARSERS, query_of
from clevr_demo.serve.addresses import home, read
from clevr_demo.ui.controls import QUIET
from clevr_demo.ui.events import Drawing, Updates
from clevr_demo.ui.widgets import asset

KNOWN = {"v", "objects", *PARSERS}


class Links:
    """Restores a link when the page opens."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing

    def restore(self, request: gr.Request) -> Updates:
        """Puts the request of the page's address into the controls and asks for it."""
        drawing = self.drawing
        query = query_of(str(request.query_params))
        if not KNOWN & set(query):
            return {drawing.note: gr.skip()}
        wanted, notes = read(query, drawing.studio)
        asked = drawing.ask(request, wanted) if wanted.objects and "grid" not in query else {}
        return {drawing.note: notes, **drawing.controls.show(wanted), **asked}

    def wire(self, demo: gr.Blocks) -> Any:
        """The event in which the address is read."""
        outputs = list(dict.fromkeys([*self.drawing.asked, *self.drawing.controls.request]))
        return demo.load(self.restore, None, outputs, queue=False, **QUIET)


def copy_button(elem_id: str = "copy-link", shown: str = "#duel .duel") -> gr.Button:
    """Copies the link to what is shown; `shown` is the selector of what carries its query."""
    button = gr.Button("Copy link", size="sm", elem_id=elem_id)
    script = asset("address/copy.js").replace("@home", home()).replace("@shown", shown)
    copied = button.click(None, None, button, js=script, api_visibility="private")
    back = "() => new Promise((done) => setTimeout(() => done('Copy link'), 2000))"
    copied.then(None, None, button, js=back, api_visibility="private")
    return button
