"""The ACGAN's walk through its noise: the same request drawn from noise that moves until it is the seed's own.

A GAN has no timeline: this is how near pictures lie to each other. Its places and its looks come from noise of their
own, so the walk can move either while the other stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import gradio as gr

from clevr_demo.models import Contender
from clevr_demo.serve.payload import Run, png_base64, webp_base64
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.verdicts import compact, compact_places
from clevr_demo.ui.controls import QUIET
from clevr_demo.ui.events import MODELS_QUEUE, Drawing, Updates
from clevr_demo.ui.widgets import Walk

WALKS = {"Where things stand": "places", "What they look like": "looks", "Both": "both"}
FRAMES = 20
"""Frames of a walk, a pass of the network each."""
NOTHING_DRAWN = "Draw something first: the walk ends in the ACGAN's picture above."


def walker(contenders: Iterable[Contender]) -> Contender | None:
    """The first of them whose model can walk through its noise."""
    return next((one for one in contenders if "walk" in one.model.settings), None)


def walk_payload(studio: Studio, run: Run, walk: str) -> dict[str, Any]:
    """The frames of a walk ("places", "looks" or "both") to the first picture of a run's walker, judged in one pass."""
    if (one := walker(run.contenders)) is None or not run.pairs:
        return {"note": NOTHING_DRAWN}
    single = run.request.single(0)
    cell = Cell(one.name, replace(single, steps=FRAMES), timeline=True)
    stills = [still for _, still in studio.draw([cell], walk=walk)]
    frames = []
    for still, verdict in zip(stills, studio.verdicts([still.predicted for still in stills], single), strict=True):
        pixels = png_base64(still.predicted) if still.last else webp_base64(still.predicted)
        frames.append({"stage": "what", "x0": pixels, "places": compact_places(still.places), **compact(verdict)})
    return {"key": f"{run.key}-{walk}", "objects": list(single.objects), "frames": frames}


def build_walk(drawing: Drawing) -> None:
    """The folded part below the duel; the walk is drawn when it is opened or another one is chosen."""
    if (one := walker(drawing.studio.contenders.values())) is None:
        return
    with gr.Accordion(f"Walk through the {one.title}'s noise", open=False, elem_id="walk-fold") as fold:
        kind = gr.Radio(list(WALKS.items()), value="places", label="What moves", elem_id="walk-kind")
        shown = Walk(one.title, elem_id="walk")

    def draw(run: Run | None, kind: str) -> Updates:
        return {shown: walk_payload(drawing.studio, run, kind) if run else {"note": NOTHING_DRAWN}}

    for opened in (fold.expand, kind.input):
        opened(draw, [drawing.result, kind], shown, trigger_mode="always_last", **QUIET, **MODELS_QUEUE)
