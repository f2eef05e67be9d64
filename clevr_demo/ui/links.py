"""Links: the address carries the request; opening it restores every control and draws the same pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import gradio as gr

from clevr_demo.request import PARSERS, GenerationRequest, from_query, query_of
from clevr_demo.serve.studio import Studio
from clevr_demo.ui.controls import QUIET
from clevr_demo.ui.events import Drawing, Updates
from clevr_demo.ui.widgets import asset

KNOWN = {"v", "objects", *PARSERS}


def home() -> str:
    """The address that links start with: a hosted Space's own, else empty for wherever the page is."""
    space = os.environ.get("SPACE_ID")
    return f"https://huggingface.co/spaces/{space}" if space else ""


def address_of(request: gr.Request) -> str:
    """Where links of this visitor's page start: a hosted Space's own address, else the one that the browser shows."""
    shown = urlsplit(str(request.headers.get("referer", "")))
    return home() or f"{shown.scheme}://{shown.netloc}{shown.path}".removeprefix("://")


def read(query: Mapping[str, str], studio: Studio) -> tuple[GenerationRequest, list[str]]:
    """The request of a link or a picture's metadata, and what to tell about it."""
    request, notes, theirs = from_query(query, studio.gates)
    for name, mark in theirs.items():
        if mark != (here := studio.fingerprint(name)):
            title = studio.contenders[name].title
            notes.append(
                f"Made with other {title} weights ({mark}, here {here}): its {title} picture may look different."
            )
    return studio.settled(request), notes


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
