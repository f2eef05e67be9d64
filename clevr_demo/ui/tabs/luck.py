"""The folded part below the duel that asks whether a result is luck (see `serve.luck`)."""

from __future__ import annotations

import gradio as gr

from clevr_demo.request import FAST_STEPS, GenerationRequest
from clevr_demo.serve.luck import COUNTS, Tally, Wanted, drawer, work
from clevr_demo.serve.payload import Run
from clevr_demo.serve.queue import NewestRun, WaitingLine
from clevr_demo.ui.events import AT_ONCE, NOTHING_TICKED, Drawing, Stage, Updates, visitor
from clevr_demo.ui.widgets import Luck, Note

WORDS = """What is drawn above, from many seeds by both models, its own and the following. Others draw meanwhile."""
QUICK, SAME = f"{FAST_STEPS} steps", "as drawn above"


def build_luck(drawing: Drawing, greeting: GenerationRequest | None) -> None:
    """The folded part; what it draws is what is shown, to begin with the pair that greets a visitor."""
    with gr.Accordion("Is it luck?", open=False, elem_id="luck-fold"):
        gr.Markdown(WORDS)
        with gr.Row():
            count = gr.Radio(
                [(f"{one} seeds", one) for one in COUNTS], value=COUNTS[0], label="How many", min_width=160
            )
            steps = gr.Radio([SAME, QUICK], value=SAME, label="The DDPM's steps", min_width=160)
        with gr.Row(elem_classes="experiment-buttons"):
            go = gr.Button("Draw them", variant="primary", elem_id="luck-go")
            stop = gr.Button("Stop", variant="stop", visible="hidden", elem_id="luck-stop")
        note, shown = Note("luck"), Luck(elem_id="luck")
    runs = NewestRun[Wanted, Tally](WaitingLine(1), work, lambda tally: tally.progress)
    stage = Stage(runs, drawer(drawing.studio, drawing.line), go, stop, shown, gr.State(None), gr.State(None))

    def start(request: gr.Request, run: Run | None, count: int, steps: str) -> Updates:
        wanted = drawing.runs.latest(visitor(request)) or (run.request if run else greeting)
        if wanted is None:
            return {note: [NOTHING_TICKED]}
        runs.ask(visitor(request), Wanted.of(wanted, count, steps == QUICK))
        return {note: [], **stage.busy()}

    stage.then_draw(go.click(start, [drawing.result, count, steps], [note, go, stop], **AT_ONCE))
    stage.stop_on()
