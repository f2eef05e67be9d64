"""This visitor's last results, kept by the browser: look at one beside the present settings, or load it.

All of it happens in the browser; the server never sees the history.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from clevr_demo.ui.component import asset
from clevr_demo.ui.duel import Duel
from clevr_demo.ui.note import Note

KEY = "clevr-duel-history"
SECRET = "kept in the visitor's own browser, so nothing to hide"
"""Fixed, as the key is, so that what a browser keeps can still be read after the server's restart."""


def browser_memory() -> gr.BrowserState:
    """What the browser keeps. It has to stand outside the tabs, which Gradio builds only when they are opened."""
    return gr.BrowserState([], storage_key=KEY, secret=SECRET)


class History:
    """The tab's contents. `load` is the button that loads the settings of the result looked at, named by `query`."""

    def __init__(self, tab: gr.Tab, kept: gr.BrowserState) -> None:
        self.kept = kept
        gr.Markdown("Your last results, kept in this browser. Looking at one changes none of your settings.")
        self.gallery = gr.Gallery(
            label="Last results", columns=6, object_fit="contain", allow_preview=False, buttons=[],
            interactive=False, show_label=False, elem_id="history",
        )  # fmt: skip
        with gr.Row():
            self.load = gr.Button("Load these settings", size="sm", interactive=False, elem_id="load-past")
            forget = gr.Button("Forget all", size="sm", elem_id="forget")
        told = Note("past", "hint")
        self.past = Duel(elem_id="past")
        self.query = gr.Textbox(visible="hidden")
        for shown in (tab.select, self.kept.change):
            shown(None, self.kept, self.gallery, js=asset("history.show.js"), api_visibility="private")
        outputs = [self.past, self.query, self.load, told]
        self.gallery.select(None, self.kept, outputs, js=asset("history.look.js"), api_visibility="private")
        forget.click(None, None, self.kept, js="() => [[]]", api_visibility="private")

    def follow(self, ends: list[Any], duel: Duel) -> None:
        """Remembers the result after every event in which a run has ended."""
        for end in ends:
            end.then(None, [duel, self.kept], self.kept, js=asset("history.keep.js"), api_visibility="private")
