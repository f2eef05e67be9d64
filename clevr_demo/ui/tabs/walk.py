"""The folded part below the duel that shows a walk through a GAN's noise (see `serve.walk`)."""

from __future__ import annotations

import gradio as gr

from clevr_demo.request import GenerationRequest
from clevr_demo.serve.payload import Run
from clevr_demo.serve.walk import walk_payload, walker
from clevr_demo.ui.events import MODELS_QUEUE, OWN, QUIET, Drawing, Updates, visitor
from clevr_demo.ui.widgets import Walk

WALKS = {"Where things stand": "places", "What they look like": "looks", "Both": "both"}


def build_walk(drawing: Drawing, greeting: GenerationRequest | None) -> None:
    """The folded part below the duel; the walk is drawn when it is opened or another one is chosen.

    It is that of what is shown, to begin with the pair that greets a visitor.
    """
    if (one := walker(drawing.studio.contenders.values())) is None:
        return
    with gr.Accordion(f"Walk through the {one.title}'s noise", open=False, elem_id="walk-fold") as fold:
        kind = gr.Radio(list(WALKS.items()), value="places", label="What moves", elem_id="walk-kind")
        shown = Walk(one.title, elem_id="walk")

    def draw(request: gr.Request, run: Run | None, kind: str, own: str) -> Updates:
        latest = None if own else drawing.runs.latest(visitor(request))
        wanted = latest or drawing.asked_for(run, own) or greeting
        return {shown: walk_payload(drawing.studio, wanted, kind)}

    for opened in (fold.expand, kind.input):
        opened(
            draw,
            [drawing.result, kind, drawing.own],
            shown,
            js=OWN,
            trigger_mode="always_last",
            **QUIET,
            **MODELS_QUEUE,
        )
