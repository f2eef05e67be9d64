"""What happens on Generate, Stop and, if asked for, on every change: one run at a time, the newest one wins."""

from __future__ import annotations

import html
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from clevr_demo.objects import InputError
from clevr_demo.request import MAX_SEED, GenerationRequest
from clevr_demo.ui.duel import Duel
from clevr_demo.ui.runs import draw
from clevr_demo.ui.studio import Studio
from clevr_demo.ui.tickets import Desk

if TYPE_CHECKING:
    from clevr_demo.ui.page import Controls

MODELS_QUEUE = "models"
"""The queue of everything that runs a network: one at a time, as there is one processor."""
FRIENDLY = {"objects": "Tick at least one object first, then press Generate."}
OBJECTS_MISSING = "no object was asked for"


def message(error: InputError) -> str:
    """What to say beside the control at fault."""
    text = str(error)
    if text.startswith(OBJECTS_MISSING):
        text = FRIENDLY["objects"]
    return f'<p role="alert">{html.escape(text[0].upper() + text[1:])}</p>'


class Drawing:
    """The events around a run."""

    def __init__(self, studio: Studio, controls: Controls, duel: Duel) -> None:
        self.studio, self.controls, self.duel, self.desk = studio, controls, duel, Desk()
        self.fields = list(controls.notes)

    def notes(self, error: InputError | None = None) -> list[str]:
        """The messages beside all controls: the error's, and none elsewhere."""
        return [message(error) if error and error.field == field else "" for field in self.fields]

    def start(self, request: gr.Request, locked: bool, objects: Any, seed: Any, *rest: Any) -> list[Any]:
        """Checks the request and issues a ticket: [ticket, seed, Generate, Stop, *notes]."""
        if not locked:
            seed = random.randint(0, MAX_SEED)
        try:
            GenerationRequest.of(objects, seed, *rest)
        except InputError as error:
            return [0, gr.skip(), gr.skip(), gr.skip(), *self.notes(error)]
        number = self.desk.issue(str(request.session_hash))
        return [number, seed, gr.Button(visible="hidden"), gr.Button(visible=True), *self.notes()]

    def run(self, request: gr.Request, number: int, *values: Any) -> Iterator[Any]:
        """The run's updates; the newest request of this visitor wins."""
        visitor = str(request.session_hash)
        if not self.desk.claim(visitor, number):
            yield gr.skip()
            return
        wanted = GenerationRequest.of(*values)
        for run in draw(self.studio, wanted, stopped=lambda: self.desk.ended(visitor, number)):
            yield run.payload()

    def finish(self, request: gr.Request, number: int) -> list[Any]:
        """[Generate, Stop], back at rest unless a newer run began."""
        if number and not self.desk.newest(str(request.session_hash), number):
            return [gr.skip(), gr.skip()]
        return [gr.Button(visible=True), gr.Button(visible="hidden")]

    def halt(self, request: gr.Request) -> None:
        self.desk.stop(str(request.session_hash))

    def wire(self, demo: gr.Blocks) -> None:
        """Connects buttons and changes with the handlers."""
        controls, ticket = self.controls, gr.State(0)
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        buttons = [controls.generate, controls.stop]
        started = controls.generate.click(
            self.start,
            [controls.locked, *controls.request],
            [ticket, controls.seed, *buttons, *controls.notes.values()],
            queue=False,
            trigger_mode="multiple",
            **quiet,
        )
        drawn = started.then(
            self.run,
            [ticket, *controls.request],
            self.duel,
            concurrency_id=MODELS_QUEUE,
            concurrency_limit=1,
            trigger_mode="multiple",
            **quiet,
        )
        drawn.then(self.finish, ticket, buttons, queue=False, trigger_mode="multiple", **quiet)
        controls.stop.click(self.halt, None, None, queue=False, **quiet)
