"""The tab that compares: the course report's four questions, our figures, and a pair to draw for each."""

from __future__ import annotations

from typing import Any

import gradio as gr

from clevr_demo.request import GenerationRequest
from clevr_demo.serve.claims import CLAIMS, facts, markup
from clevr_demo.ui.events import AT_ONCE, Drawing, Updates

UNTOUCHED = "Drawn for the report: your settings are as they were."


def build_report(drawing: Drawing) -> None:
    """The four claims, each with its figures and a button that draws a pair which shows it."""
    known = facts()

    def showing(wanted: GenerationRequest) -> Any:
        def show(request: gr.Request) -> Updates:
            return {drawing.note: [UNTOUCHED], **drawing.ask(request, wanted)}

        return show

    with gr.Column(elem_id="report"):
        for claim in CLAIMS:
            gr.HTML(markup(claim, known), padding=False)
            with gr.Row(elem_classes="claim-shown"):
                button = gr.Button("Draw it", size="sm", elem_id=f"show-{claim.name}")
                gr.Markdown(claim.shown)
            drawing.then_draw(button.click(showing(claim.request), None, drawing.asked, **AT_ONCE))
