"""Two experiments on one request: a grid of seeds by steps, and the same seed with one object changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from clevr_demo.objects import OBJECTS, InputError, index_of
from clevr_demo.pictures import difference
from clevr_demo.request import GenerationRequest
from clevr_demo.ui.component import asset
from clevr_demo.ui.controls import QUIET, Controls
from clevr_demo.ui.drawing import AT_ONCE, STREAM, Updates, message, visitor
from clevr_demo.ui.line import Line
from clevr_demo.ui.newest_run import NewestRun, Waiting
from clevr_demo.ui.note import Note
from clevr_demo.ui.runs import work
from clevr_demo.ui.studio import Studio
from clevr_demo.ui.table import Pictures, Table, cell
from clevr_demo.ui.wording import ahead, many

MOST_COLUMNS, MOST_SEEDS = 8, 6
DEFAULT_COLUMNS = "2, 4, 8, 16"
NOTHING = "nothing"


@dataclass(frozen=True)
class Drawable:
    """A checked experiment: `draw(stopped)` yields its table as it fills, `work` is about its network evaluations."""

    work: float
    draw: Callable[[Callable[[], bool]], Iterator[Table]]


def numbers(text: str) -> list[float]:
    """The columns' values out of "5, 10, 20"; an InputError names what is no number."""
    found: list[float] = []
    for part in filter(None, (part.strip() for part in str(text).split(","))):
        try:
            found.append(float(part))
        except ValueError:
            raise InputError("grid", f"{part!r} is not a number; write the steps as 5, 10, 20") from None
    if not 1 <= len(found) <= MOST_COLUMNS:
        raise InputError("grid", f"write one to {MOST_COLUMNS} numbers, separated by commas")
    return found


def ddpm_picture(studio: Studio, request: GenerationRequest, stopped: Callable[[], bool]) -> np.ndarray | None:
    """The DDPM's picture, or None once stopped."""
    for still in studio.ddpm_stills(request):
        if stopped():
            return None
        if still.last:
            return still.predicted
    return None


def grid_requests(base: GenerationRequest, text: str, seeds: int) -> list[list[GenerationRequest]]:
    """A row of requests a seed, a column a number of steps; checked before anything is drawn."""
    singles = [base.single(number) for number in range(seeds)]
    return [
        [GenerationRequest.of(single.objects, single.seed, steps, single.sampler) for steps in numbers(text)]
        for single in singles
    ]


def draw_grid(studio: Studio, rows: list[list[GenerationRequest]], stopped: Callable[[], bool]) -> Iterator[Table]:
    """The table after every picture."""
    columns = [many(one.steps, "step") for one in rows[0]]
    requests = [request for row in rows for request in row]
    title = f"DDPM: {', '.join(rows[0][0].names)}, by seed and steps"
    table = Table(title, columns, [f"seed {row[0].seed}" for row in rows], weights=[work(one) for one in requests])
    yield table
    for request in requests:
        pixels = ddpm_picture(studio, request, stopped)
        if pixels is None:
            table.state = "stopped"
            break
        words = f"seed {request.seed}, {many(request.steps, 'step')}"
        verdict = studio.verdicts([pixels], request)[0]
        table.cells.append(cell(pixels, request.query(studio.weights), verdict, words))
        table.mean_of_columns()
        yield table
    else:
        table.state = "done"
    yield table


def changed(request: GenerationRequest, out: str, into: str) -> GenerationRequest:
    """The request with one object taken out, put in or swapped; an InputError says why it cannot be."""
    objects = set(request.objects)
    if out != NOTHING:
        if index_of(out) not in objects:
            raise InputError("change", f"the {out} is not among the ticked objects, so it cannot be taken out")
        objects -= {index_of(out)}
    if into != NOTHING:
        objects |= {index_of(into)}
    if not objects:
        raise InputError("change", "nothing would be left; put an object in")
    if objects == set(request.objects):
        raise InputError("change", "choose an object to take out, one to put in, or both")
    return replace(request, objects=tuple(sorted(objects)), pictures=1)


def draw_change(
    studio: Studio, before: GenerationRequest, after: GenerationRequest, stopped: Callable[[], bool]
) -> Iterator[Table]:
    """The table after every picture: before, after and their difference, for both models."""
    columns = [", ".join(before.names), ", ".join(after.names), "difference"]
    table = Table(f"The same seed {before.seed} with one object changed", columns, ["DDPM", "ACGAN"])
    yield table
    for model in table.rows:
        pair: list[np.ndarray] = []
        for request in (before, after):
            by_ddpm = model == "DDPM"
            pixels = ddpm_picture(studio, request, stopped) if by_ddpm else studio.acgan_still(request).predicted
            if pixels is None:
                table.state = "stopped"
                yield table
                return
            pair.append(pixels)
            verdict = studio.verdicts([pixels], request)[0]
            words = f"{model}: {', '.join(request.names)}"
            table.cells.append(cell(pixels, request.query(studio.weights), verdict, words))
            yield table
        apart = np.asarray(difference(Image.fromarray(pair[0]), Image.fromarray(pair[1])))
        shown = cell(apart, "", None, f"{model}: difference of the two pictures")
        table.cells.append(shown | {"score": f"{(apart[..., 0] > 25).mean() * 100:.0f} % of pixels changed"})
    table.state = "done"
    yield table


class Experiment:
    """A tab's buttons, message and table, and the events that draw into it. `make` turns inputs into a drawing."""

    def __init__(self, title: str, name: str, line: Line, make: Callable[..., Drawable]) -> None:
        self.make, self.name = make, name
        self.runs: NewestRun[Drawable, Table] = NewestRun(line, lambda wanted: wanted.work)
        self.note, self.nothing = Note(name), gr.State(None)
        with gr.Row():
            self.go = gr.Button(title, variant="primary", elem_id=f"{name}-go")
            self.stop = gr.Button("Stop", variant="stop", visible="hidden", elem_id=f"{name}-stop")
        self.pictures = Pictures(elem_id=name)

    def start(self, request: gr.Request, *values: Any) -> Updates:
        try:
            wanted = self.make(*values)
        except InputError as error:
            return {self.note: [message(error)]}
        self.runs.ask(visitor(request), wanted)
        return {self.note: [], self.go: gr.Button(visible="hidden"), self.stop: gr.Button(visible=True)}

    async def run(self, request: gr.Request) -> AsyncIterator[Updates]:
        """Draws what was asked for last, update by update."""
        idle = {self.go: gr.Button(visible=True), self.stop: gr.Button(visible="hidden")}
        try:
            async for update in self.runs.updates(visitor(request), lambda wanted, stopped: wanted.draw(stopped)):
                if isinstance(update, Waiting):
                    yield {self.pictures: {"state": "waiting", "status": ahead(update.ahead, update.seconds)}}
                else:
                    yield {self.pictures: update.payload(), **(idle if update.state != "drawing" else {})}
        except Exception:
            yield idle
            raise
        yield {self.nothing: gr.skip()}  # so that the whole table does not travel twice

    def halt(self, request: gr.Request) -> None:
        self.runs.stop(visitor(request))

    def wire(self, inputs: list[Any]) -> None:
        started = self.go.click(self.start, inputs, [self.note, self.go, self.stop], **AT_ONCE)
        started.then(self.run, None, [self.pictures, self.go, self.stop, self.nothing], **STREAM)
        self.stop.click(self.halt, None, None, queue=False, **QUIET)


def build_grid(studio: Studio, controls: Controls, line: Line) -> None:
    """The grid's tab."""
    gr.Markdown("The DDPM draws the ticked objects for several seeds, with other steps in every column.")
    with gr.Row():
        text = gr.Textbox(DEFAULT_COLUMNS, label="Steps, a column each", elem_id="grid-values")
        seeds = gr.Slider(1, MOST_SEEDS, 3, step=1, label="Rows: seeds, from the one on the left", elem_id="grid-seeds")

    def make(text: str, seeds: int, *values: Any) -> Drawable:
        rows = grid_requests(controls.read(values), text, int(seeds))
        return Drawable(sum(work(one) for row in rows for one in row), partial(draw_grid, studio, rows))

    Experiment("Draw the grid", "grid", line, make).wire([text, seeds, *controls.request])


def build_change(studio: Studio, controls: Controls, line: Line) -> None:
    """The tab that changes one object."""
    gr.Markdown("Both models draw twice from the same seed. What stays, and what moves, when one object changes?")
    with gr.Row():
        choices = [NOTHING, *OBJECTS]
        out = gr.Dropdown(choices, value=NOTHING, label="Take out", elem_id="take-out")
        into = gr.Dropdown(choices, value="cyan sphere", label="Put in", elem_id="put-in")
    controls.picker.change(None, [controls.picker, out], out, js=asset("change.choices.js"), api_visibility="private")

    def make(out: str, into: str, *values: Any) -> Drawable:
        before = controls.read(values).single(0)
        after = changed(before, out or NOTHING, into or NOTHING)
        return Drawable(work(before) + work(after), partial(draw_change, studio, before, after))

    Experiment("Draw both", "change", line, make).wire([out, into, *controls.request])
