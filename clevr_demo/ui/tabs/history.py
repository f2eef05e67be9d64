"""This visitor's last results, kept by the browser: look at one beside the present settings, or load it.

All of it happens in the browser; the server never sees the history.
"""

from __future__ import annotations

import gradio as gr

from clevr_demo.serve import showcase
from clevr_demo.ui.sharing import Sharing
from clevr_demo.ui.widgets import Duel, Entries, Note, in_browser

CHOSEN = """(chosen) => [
  chosen?.run ?? {}, chosen?.query ?? '', { __type__: 'update', interactive: Boolean(chosen?.run) },
  chosen?.words ? [chosen.words] : [],
]"""


def build_history(sharing: Sharing) -> None:
    """The entries, the one that is looked at, and a button that loads its settings."""
    gr.Markdown("Your last results, kept in this browser. Looking at one changes none of your settings.")
    entries = Entries(showcase.thumbnails().values(), elem_id="history")
    with gr.Row(elem_id="history-begin"):  # while there are none
        example = gr.Button("Draw the example", size="sm", elem_id="draw-example")
        surprise = gr.Button("Surprise me", size="sm")
    in_browser(surprise.click, "() => { document.getElementById('surprise').click(); return []; }")
    load = gr.Button("Load these settings", size="sm", interactive=False, elem_id="load-past")
    told = Note("past", "hint")
    past = Duel(sharing.drawing.studio.contenders.values(), elem_id="past")
    query = gr.Textbox(visible="hidden")
    asked = gr.Textbox(sharing.drawing.studio.query(showcase.REQUEST), visible="hidden")
    sharing.load_on(example.click, asked)
    in_browser(entries.select, CHOSEN, entries, [past, query, load, told])
    sharing.load_on(load.click, query)
