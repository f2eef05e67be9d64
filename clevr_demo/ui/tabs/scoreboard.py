"""The scoreboard: what the records say of both models, with the pictures behind every figure; and below it the course
report's four questions, our figures, and a pair to draw for each."""

from __future__ import annotations

from typing import Any

import gradio as gr

from clevr_demo.objects import InputError
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.claims import CLAIMS, facts, markup
from clevr_demo.serve.queue import NewestRun
from clevr_demo.serve.scoreboard.board import Board, Choice, board_of
from clevr_demo.serve.scoreboard.evidence import PAGE, Page, opened
from clevr_demo.serve.scoreboard.table import table_csv
from clevr_demo.serve.scoreboard.whole import markup as board_markup
from clevr_demo.serve.table import Table
from clevr_demo.ui.events import AT_ONCE, Drawing, Stage, Updates, message, visitor
from clevr_demo.ui.widgets import Note, Pictures, Scoreboard

UNTOUCHED = "Drawn for the report: your settings are as they were."
WORDS = """Every number, point, bar and cell opens the pictures behind it, failures first. They are drawn for you on the
spot: a picture is its weights, objects, places, seed and steps, so these are the very pictures that were counted."""


class Evidence(Stage):
    """The pictures behind the figure that was chosen, a page at a time."""

    def __init__(self, drawing: Drawing, board: Scoreboard) -> None:
        self.drawing, self.board = drawing, board
        self.place, nothing = gr.State(0), gr.State(None)
        with gr.Column(elem_id="evidence"):
            self.note = Note("evidence")
            shown = Pictures(elem_id="evidence-pictures")
            with gr.Row(elem_classes="experiment-buttons"):
                go = gr.Button(f"Next {PAGE}", size="sm", visible="hidden", elem_id="evidence-more")
                stop = gr.Button("Stop", variant="stop", size="sm", visible="hidden", elem_id="evidence-stop")
        runs = NewestRun[Page, Table](drawing.line, lambda wanted: wanted.work, lambda table: table.progress)
        super().__init__(runs, lambda wanted, stopped: wanted.draw(stopped), go, stop, shown, nothing, gr.State(None))

    def ask(self, request: gr.Request, chosen: dict[str, Any], page: int) -> Updates:
        """Makes this page of a choice the visitor's newest one."""
        studio = self.drawing.studio
        try:
            choice = Choice.of(str(chosen.get("choice", "")))
            self.runs.ask(visitor(request), opened(studio, known(self.drawing), choice, page))
        except InputError as error:
            return {self.note: [message(error)]}
        return {self.note: [], self.place: page, **self.busy()}

    def idle(self) -> Updates:
        return {self.stop: gr.Button(visible="hidden")}

    def ended(self, request: gr.Request, table: Table) -> Updates:
        """Offers the next page, if there is one."""
        wanted = self.runs.latest(visitor(request))
        return {self.go: gr.Button(visible=True if wanted and wanted.others else "hidden")}

    def wire(self) -> None:
        outputs = [self.note, self.place, self.go, self.stop]

        def first(request: gr.Request, chosen: dict[str, Any]) -> Updates:
            return self.ask(request, chosen, 0)

        def following(request: gr.Request, chosen: dict[str, Any], page: int) -> Updates:
            return self.ask(request, chosen, page + 1)

        self.then_draw(self.board.select(first, self.board, outputs, **AT_ONCE))
        self.then_draw(self.go.click(following, [self.board, self.place], outputs, **AT_ONCE))
        self.stop_on()


def known(drawing: Drawing) -> Board:
    """The board of the contenders that draw here."""
    return board_of(drawing.studio.contenders, drawing.studio.fingerprint)


def build_scoreboard(drawing: Drawing) -> None:
    """The board, the pictures behind it, and the report's questions."""

    def board(_: Any) -> dict[str, str]:
        found = known(drawing)
        return {"html": board_markup(found), "csv": table_csv(found)}

    gr.Markdown(WORDS)
    shown = Scoreboard(board, elem_id="scoreboard")
    Evidence(drawing, shown).wire()
    gr.Markdown("## The course report's four questions")
    build_claims(drawing)


def build_claims(drawing: Drawing) -> None:
    """The four claims, each with its figures and a button that draws a pair which shows it."""
    figures = facts()

    def showing(wanted: GenerationRequest) -> Any:
        def show(request: gr.Request) -> Updates:
            return {drawing.note: [UNTOUCHED], **drawing.ask(request, wanted)}

        return show

    with gr.Column(elem_id="report"):
        for claim in CLAIMS:
            gr.HTML(markup(claim, figures), padding=False)
            with gr.Row(elem_classes="claim-shown"):
                button = gr.Button("Draw it", size="sm", elem_id=f"show-{claim.name}")
                gr.Markdown(claim.shown)
            drawing.then_draw(button.click(showing(claim.request), None, drawing.asked, **AT_ONCE))
