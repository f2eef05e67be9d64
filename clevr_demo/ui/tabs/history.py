"""This visitor's last results, kept by the browser: look at one beside the present settings, or load it.

All of it happens in the browser; the server never sees the history.
"""

from __future__ import annotations

from collections.abc import Iterable

import gradio as gr

from clevr_demo.models import Contender
from clevr_demo.ui.widgets import Duel, Entries, Note

CHOSEN = """(chosen) => [
  chosen?.run ?? {}, chosen?.query ?? '', { __type__: 'update', interactive: Boolean(chosen?.run) },
  chosen?.words ? [chosen.words] : [],
]"""


class History:
    """The tab's contents. `load` is the button that loads the settings of the result looked at, named by `query`."""

    def __init__(self, contenders: Iterable[Contender]) -> None:
        gr.Markdown("Your last results, kept in this browser. Looking at one changes none of your settings.")
        entries = Entries(elem_id="history")
        self.load = gr.Button("Load these settings", size="sm", interactive=False, elem_id="load-past")
        told = Note("past", "hint")
        past = Duel(contenders, elem_id="past")
        self.query = gr.Textbox(visible="hidden")
        entries.select(None, entries, [past, self.query, self.load, told], js=CHOSEN, api_visibility="private")
