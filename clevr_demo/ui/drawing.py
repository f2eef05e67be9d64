"""What happens on Generate, Stop and, if asked for, on every change: one run at a time, the newest one wins."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import gradio as gr

from clevr_demo.objects import InputError
from clevr_demo.request import MAX_SEED, GenerationRequest
from clevr_demo.ui.controls import QUIET, Controls
from clevr_demo.ui.duel import Duel
from clevr_demo.ui.gate import draws_at_once
from clevr_demo.ui.newest_run import NewestRun
from clevr_demo.ui.runs import draw
from clevr_demo.ui.studio import Studio

MODELS_QUEUE: dict[str, Any] = {"concurrency_id": "models", "concurrency_limit": draws_at_once()}
"""The queue of everything that runs a network: as many at a time as there are cores, or as a GPU takes."""
NOTHING_TICKED = "Tick at least one object, then press Generate."


def message(error: InputError) -> str:
    """What to say beside the control at fault."""
    text = str(error)
    if error.field == "objects" and text.startswith("no object"):
        text = NOTHING_TICKED
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def visitor(request: gr.Request) -> str:
    return str(request.session_hash)


class Drawing:
    """The events around a run. `ticket` numbers the visitor's newest run, `result` is the last one that ended."""

    def __init__(self, studio: Studio, controls: Controls) -> None:
        self.studio, self.controls, self.desk = studio, controls, NewestRun()
        self.ticket, self.result = gr.State(0), gr.State(None, time_to_live=3600)
        self.buttons = [controls.generate, controls.stop]

    def notes(self, error: InputError | None = None) -> list[str]:
        """The messages beside all controls: the error's, and none elsewhere."""
        return [message(error) if error and error.field == field else "" for field in self.controls.notes]

    def start(self, request: gr.Request, locked: bool, objects: Any, seed: Any, *rest: Any) -> list[Any]:
        """Checks the request and issues a ticket: [ticket, seed, Generate, Stop, *notes]."""
        if not locked:
            seed = random.randint(0, MAX_SEED)
        try:
            GenerationRequest.of(objects, seed, *rest)
        except InputError as error:
            return [0, gr.skip(), gr.skip(), gr.skip(), *self.notes(error)]
        return [self.desk.issue(visitor(request)), seed, *self.busy(), *self.notes()]

    def follow(self, request: gr.Request, live: bool, *values: Any) -> list[Any]:
        """`start` after a change, if the visitor asked to draw on every change."""
        if not live:
            return [gr.skip()] * (4 + len(self.controls.notes))
        return self.start(request, *values)

    def run(self, request: gr.Request, ticket: int, *values: Any) -> Iterator[Any]:
        """The run's updates, [duel, result]; a newer run of this visitor ends it silently."""
        who = visitor(request)
        if not self.desk.claim(who, ticket):
            yield gr.skip(), gr.skip()
            return
        try:
            wanted = GenerationRequest.of(*values)
            for run in draw(self.studio, wanted, stopped=lambda: self.desk.ended(who, ticket)):
                if not self.desk.newest(who, ticket):
                    return
                yield run.payload(), gr.skip() if run.state == "drawing" else run
            yield gr.skip(), gr.skip()  # Gradio sends the last values of a run twice: let them be small
        finally:
            self.desk.close(who, ticket)

    def run_if_live(self, request: gr.Request, live: bool, ticket: int, *values: Any) -> Iterator[Any]:
        """`run` after a change, if the visitor asked to draw on every change."""
        if live:
            yield from self.run(request, ticket, *values)
        else:
            yield gr.skip(), gr.skip()

    def finish(self, request: gr.Request) -> list[Any]:
        """[Generate, Stop], back at rest unless another run is waiting or going on."""
        return self.idle() if self.desk.idle(visitor(request)) else [gr.skip(), gr.skip()]

    def halt(self, request: gr.Request) -> None:
        self.desk.stop(visitor(request))

    @staticmethod
    def busy() -> list[gr.Button]:
        return [gr.Button(visible="hidden"), gr.Button(visible=True)]

    @staticmethod
    def idle() -> list[gr.Button]:
        return [gr.Button(visible=True), gr.Button(visible="hidden")]

    def then_draw(self, started: Any, duel: Duel, if_live: bool = False) -> Any:
        """Draws what `started` issued a ticket for; the event in which the run has ended."""
        inputs = [*([self.controls.live] if if_live else []), self.ticket, *self.controls.request]
        run = self.run_if_live if if_live else self.run
        drawn = started.then(run, inputs, [duel, self.result], trigger_mode="multiple", **QUIET, **MODELS_QUEUE)
        return drawn.then(self.finish, None, self.buttons, queue=False, trigger_mode="multiple", **QUIET)

    def wire(self, duel: Duel) -> list[Any]:
        """Connects buttons and changes with the handlers; returns the events in which a run has ended."""
        controls, quick = self.controls, QUIET | {"queue": False, "trigger_mode": "multiple"}
        outputs = [self.ticket, controls.seed, *self.buttons, *controls.notes.values()]
        asked = [controls.locked, *controls.request]
        pressed = controls.generate.click(self.start, asked, outputs, **quick)
        rolled = controls.dice.click(
            None, None, controls.seed, js="() => Math.floor(Math.random() * 2 ** 31)", api_visibility="private"
        )
        numbers = (controls.seed, controls.steps, controls.guidance)
        changes = [controls.picker.change, controls.sampler.input, controls.pictures.release]
        changed = gr.on(
            [*changes, *(number.input for number in numbers)], self.follow, [controls.live, *asked], outputs, **quick
        )
        rerolled = rolled.then(self.follow, [controls.live, *asked], outputs, **quick)
        controls.stop.click(self.halt, None, None, queue=False, **QUIET)
        followed = [self.then_draw(started, duel, if_live=True) for started in (changed, rerolled)]
        return [self.then_draw(pressed, duel), *followed]
