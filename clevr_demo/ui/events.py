"""What happens on Generate, Stop and, if asked for, on every change: the newest request is drawn into the duel."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from clevr_demo.objects import InputError
from clevr_demo.request import MAX_SEED, GenerationRequest, query_of
from clevr_demo.serve.drawing import SharedRuns, waiting, work
from clevr_demo.serve.gate import draws_at_once
from clevr_demo.serve.payload import Run
from clevr_demo.serve.queue import NewestRun, Waiting, WaitingLine
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.wording import warning
from clevr_demo.ui.controls import Controls
from clevr_demo.ui.widgets import Duel, Hands, Note, in_browser

MODELS_QUEUE: dict[str, Any] = {"concurrency_id": "models", "concurrency_limit": draws_at_once()}
"""The queue of everything else that runs a network: as many at a time as there are cores, or as a GPU takes."""
NOTHING_TICKED = "Tick at least one object, then press Generate."
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Options of events that belong to the page alone."""
AT_ONCE: dict[str, Any] = QUIET | {"queue": False, "trigger_mode": "multiple"}
"""Options of events that only check and note something."""
TAKEN = -1.0
"""In place of its moment: an event of which the browser itself draws what is asked for."""


OWN = """(...values) => {
  const run = document.querySelector('#duel .duel')?.duel.run();
  return [...values.slice(0, -1), run?.by === 'browser' ? run.query : ''];
}"""
"""Gives an event, as the last of its inputs, the query of what is shown, where the server knows nothing of that."""


def numbered(kind: str) -> str:
    """Lets the browser number an event, as they may arrive in another order than they were made in, or take it
    (`TAKEN`); `kind` is one of those in hands/own.js."""
    return f"(moment, ...given) => globalThis.clevrTakes?.('{kind}', given) ?? [performance.now(), ...given]"


SETTLED = "({ values }) => new Promise((done) => setTimeout(() => done(values)))"
"""Gives what hands have settled to the controls, in a task of its own: with what Gradio's page does before and behind
it, that would be a long one."""

STREAM: dict[str, Any] = QUIET | {"trigger_mode": "multiple", "concurrency_limit": None}
"""Options of events that draw: they wait for each other in our own line, which tells how long."""

Updates = dict[Any, Any]
"""What a handler returns: the new value, or the change, of each component that it touches."""


def message(error: InputError) -> str:
    """What to say beside the control at fault."""
    text = str(error)
    if error.field == "objects" and text.startswith("no object"):
        text = NOTHING_TICKED
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def visitor(request: gr.Request) -> str:
    return str(request.session_hash)


class Stage:
    """A button that draws and one that stops, and the events between them: every visitor's newest run is `shown`.

    `last` is a component that no update changes; `kept` are others that a run changes.
    """

    def __init__(
        self, runs: NewestRun[Any, Any], draw: Callable[..., Iterator[Any]], go: gr.Button, stop: gr.Button,
        shown: Any, last: Any, kept: Any,
    ) -> None:  # fmt: skip
        self.runs, self.draw, self.go, self.stop = runs, draw, go, stop
        self.shown, self.last, self.kept = shown, last, kept

    def busy(self) -> Updates:
        return {self.go: gr.Button(visible="hidden"), self.stop: gr.Button(visible=True)}

    def idle(self) -> Updates:
        return {self.go: gr.Button(visible=True), self.stop: gr.Button(visible="hidden")}

    def ended(self, request: gr.Request, run: Any) -> Updates:
        """What else changes when a run is over."""
        return {}

    def told(self, update: Waiting[Any]) -> dict[str, Any]:
        """What is shown to whoever waits."""
        return waiting(update.ahead, update.seconds)

    async def run(self, request: gr.Request) -> AsyncIterator[Updates]:
        """Draws what the visitor asked for last, update by update, until nothing newer comes."""
        who = visitor(request)
        try:
            async for update in self.runs.updates(who, self.draw):
                # While a page loads, its own events may put the buttons at rest after Generate was pressed: every
                # update of a run offers Stop again.
                if isinstance(update, Waiting):
                    yield {self.shown: self.told(update), **self.busy()}
                elif update.state == "drawing":
                    yield {self.shown: update.payload(), **self.busy()}
                else:  # unless another request waits already, the buttons come to rest
                    rest = self.idle() if self.runs.idle(who) else {}
                    yield {self.shown: update.payload(), **rest, **self.ended(request, update)}
        except InputError as error:  # a model of a folder that cannot draw what was asked for
            yield self.idle()
            raise gr.Error(message(error), print_exception=False) from None
        except Exception:
            yield self.idle()
            raise
        # An answer out of the cache may overtake the one that offered Stop, so the buttons are told once more.
        # Gradio sends the last values of a run twice: let them be small.
        yield {self.last: gr.skip(), **(self.idle() if self.runs.at_rest(who) else {})}

    def halt(self, request: gr.Request) -> None:
        self.runs.stop(visitor(request))

    def stop_on(self) -> None:
        """Connects Stop."""
        self.stop.click(self.halt, None, None, queue=False, **QUIET)

    def then_draw(self, started: Any) -> None:
        """Draws what `started` asked for."""
        started.then(self.run, None, [self.last, self.shown, self.kept, self.go, self.stop], **STREAM)


class Drawing(Stage):
    """The events around a run, and what it draws into: the duel, and `result`, the last run that ended. All that draws
    waits in the line.

    Others join in: `at_start` is asked for further updates, of components in `more`, when a run is asked for.
    """

    def __init__(
        self, studio: Studio, controls: Controls, duel: Duel, tabs: gr.Tabs, note: Note, line: WaitingLine
    ) -> None:
        self.studio, self.controls, self.duel, self.tabs, self.note = studio, controls, duel, tabs, note
        self.line = line
        self.shared, self.result = SharedRuns(studio), gr.State(None, time_to_live=3600)
        self.moment = gr.Number(0, visible="hidden", elem_id="moment")
        self.own = gr.Textbox(visible="hidden")  # where `OWN` says what the browser itself has drawn
        runs = NewestRun[GenerationRequest, Run](
            self.line, work, lambda run: run.progress, is_drawn=self.shared.__contains__
        )
        super().__init__(
            runs, self.shared.follow, controls.generate, controls.stop, shown=duel, last=self.moment, kept=self.result
        )
        self.at_start: list[Callable[[], Updates]] = []
        self.more: list[Any] = []

    def notes(self, error: InputError | None = None) -> Updates:
        """The messages beside all controls: the error's, and none elsewhere."""
        controls = self.controls.notes.items()
        return {note: [message(error)] if error and error.field == field else [] for field, note in controls}

    def ask(self, request: gr.Request, wanted: GenerationRequest, moment: float | None = None) -> Updates:
        """Makes this the visitor's newest request; the page turns to the duel and offers Stop."""
        if not self.runs.ask(visitor(request), wanted, moment):
            return {}
        updates: Updates = {self.tabs: gr.Tabs(selected="duel"), **self.busy()}
        for join in self.at_start:
            updates |= join()
        return updates

    def taken(self, request: gr.Request, locked: bool, values: Sequence[Any]) -> Updates:
        """What changes around the pictures while the browser draws them; of the values, objects and places are left
        out."""
        self.runs.stop(visitor(request))  # what was drawn here last is not the newest any more
        rolled = {} if locked else {self.controls.seed: values[1]}
        updates: Updates = {self.note: [], **self.notes(), **rolled, self.tabs: gr.Tabs(selected="duel")}
        for join in self.at_start:
            updates |= join()
        return updates

    def press(self, request: gr.Request, moment: float, locked: bool, *values: Any) -> Updates:
        """Generate: checks what stands in the controls and asks for it; what a link or file said is settled."""
        if moment == TAKEN:
            return self.taken(request, locked, values)
        rolled: Updates = {}
        if not locked:
            seed = random.randint(0, MAX_SEED)
            values = self.controls.with_seed(values, seed)
            rolled = {self.controls.seed: seed, self.controls.given: values[-1]}
        try:
            wanted = self.controls.read(values)
        except InputError as error:
            return {self.note: [], **self.notes(error)}
        return {self.note: [], **self.notes(), **rolled, **self.ask(request, wanted, moment)}

    def follow(self, request: gr.Request, moment: float, locked: bool, live: bool, *values: Any) -> Updates:
        """A change: drawn at once, if the visitor asked for that."""
        if not live or not values[0]:  # that nothing is ticked any more is no fault
            return {self.moment: gr.skip()}
        with contextlib.suppress(InputError):  # `press` tells it
            if moment != TAKEN and locked and self.runs.latest(visitor(request)) == self.controls.read(values):
                return {self.moment: gr.skip()}  # a field was left as it was
        return self.press(request, moment, locked, *values)

    def warn(self, steps: Any, pictures: Any) -> Updates:
        """Says what many steps will take, before they are asked for."""
        try:
            wanted = GenerationRequest.of([0], steps=steps, pictures=pictures)
        except InputError:  # `press` tells it
            return {self.controls.cost: []}
        told = warning(wanted, self.line.estimate(work(wanted)))
        return {self.controls.cost: [told] if told else []}

    def example(self, request: gr.Request, moment: float, locked: bool, live: bool, *values: Any) -> Updates:
        """An example or a surprise: drawn at once; where changes are drawn anyway, the change does it."""
        return {self.moment: gr.skip()} if live else self.press(request, moment, locked, *values)

    def ended(self, request: gr.Request, run: Run) -> Updates:
        return {self.result: run}

    def told(self, update: Waiting[GenerationRequest]) -> dict[str, Any]:
        """With what waits, and for how long, so that the browser may draw it instead: see hands/busy.js."""
        return super().told(update) | {"query": self.studio.query(update.wanted), "seconds": update.seconds}

    def asked_for(self, run: Run | None, own: str) -> GenerationRequest | None:
        """The request of what is shown: of `own`, a query, or of the last run that was drawn here."""
        if own:
            return self.studio.read(query_of(own))[0]
        return run.request if run else None

    def settle(self, request: gr.Request, moment: float, settled: dict[str, Any], *values: Any) -> Updates:
        """What hands have settled stands in the controls: drawn with this very seed, unless it was not to be."""
        return self.press(request, moment, True, *values) if settled.get("draw") else {self.moment: gr.skip()}

    def settle_on(self, event: Any, hands: Hands) -> None:
        """Lets an event put what hands have settled into the controls, and draw it."""
        controls = self.controls
        settled = in_browser(event, SETTLED, hands, controls.request)
        inputs = [self.moment, hands, *controls.request]
        self.then_draw(settled.then(self.settle, inputs, self.asked, js=numbered("settle"), **AT_ONCE))

    @property
    def asked(self) -> list[Any]:
        """What an event that asks for a run may change."""
        notes = self.controls.notes.values()
        seed = [self.controls.seed, self.controls.given]
        return [self.moment, self.note, self.tabs, *seed, self.go, self.stop, *notes, *self.more]

    def wire(self) -> None:
        """Connects buttons and changes with the handlers."""
        controls = self.controls
        asked = [self.moment, controls.locked]
        pressed = controls.generate.click(
            self.press, [*asked, *controls.request], self.asked, js=numbered("press"), **AT_ONCE
        )  # fmt: skip
        rolled = in_browser(controls.dice.click, "() => Math.floor(Math.random() * 2 ** 31)", None, controls.seed)
        follow = [self.follow, [*asked, controls.live, *controls.request], self.asked]
        # A number is drawn once it stands, not at every digit.
        settled = [event for number in (controls.seed, controls.steps) for event in (number.submit, number.blur)]
        chosen = [controls.sampler.input, controls.duel.input]
        changes = [controls.picker.change, *chosen, controls.pictures.release, *settled]
        changed = gr.on(changes, *follow, js=numbered("follow"), **AT_ONCE)
        rerolled = rolled.then(*follow, js=numbered("follow"), **AT_ONCE)
        self.stop_on()
        numbers: list[Any] = [controls.steps, controls.pictures]
        gr.on([one.change for one in numbers], self.warn, numbers, controls.cost, **AT_ONCE)
        example = [self.example, *follow[1:]]
        examples = [ticked.then(*example, js=numbered("example"), **AT_ONCE) for ticked in controls.examples]
        for started in (pressed, changed, rerolled, *examples):
            self.then_draw(started)
