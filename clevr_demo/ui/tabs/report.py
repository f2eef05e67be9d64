"""The tab that compares: the course report's four questions, our figures, and a pair to draw for each."""

from __future__ import annotations

import gradio as gr

from clevr_demo.serve.claims import CLAIMS, facts, markup
from clevr_demo.ui.sharing import Sharing


def build_report(sharing: Sharing) -> None:
    """The four claims, each with its figures and a button that draws a pair which shows it."""
    known = facts()
    with gr.Column(elem_id="report"):
        for claim in CLAIMS:
            gr.HTML(markup(claim, known), padding=False)
            with gr.Row(elem_classes="claim-shown"):
                button = gr.Button("Draw it", size="sm", elem_id=f"show-{claim.name}")
                gr.Markdown(claim.shown)
            sharing.load_on(button.click, gr.State(claim.request.query()))
