"""Two experiments on one request: a grid of seeds by steps or guidance, and the same seed with one object changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from clevr_demo.objects import OBJECTS, InputError, index_of
from clevr_demo.pictures import difference
from clevr_demo.request import GenerationRequest
from clevr_demo.ui.component import asset
from clevr_demo.ui.controls import QUIET, Controls
from clevr_demo.ui.drawing import MODELS_QUEUE, message, visitor
from clevr_demo.ui.newest_run import NewestRun
from clevr_demo.ui.note import Note
from clevr_demo.ui.studio import Studio
from clevr_demo.ui.table import Pictures, Table, cell

MOST_COLUMNS, MOST_SEEDS = 8, 6
DEFAULTS = {"steps": "2, 4, 8, 16", "guidance": "1, 2, 4, 7"}
NOTHING = "nothing"


def numbers(text: str, axis: str) -> list[float]:
    """The columns' values out of "5, 10, 20"; an InputError names what is no number."""
    found: list[float] = []
    for part in filter(None, (part.strip() for part in str(text).split(","))):
        try:
            found.append(float(part))
        except ValueError:
            raise InputError("grid", f"{part!r} is not a number; write the {axis} as 5, 10, 20") from None
    if not 1 <= len(found) <= MOST_COLUMNS:
        raise InputError("grid", f"write one to {MOST_COLUMNS} numbers, separated by commas")
    return found


def ddpm_picture(studio: Studio, request: GenerationRequest, stopped: Callable[[], bool]) -> np.ndarray | None:
    """The DDPM's picture, or None once stopped."""
    for still in studio.ddpm_stills(request):
        if stopped():
            return None
        if still.index == request.steps - 1:
            return still.predicted
    return None


def grid_requests(values: list[Any], axis: str, text: str, seeds: int) -> list[list[GenerationRequest]]:
    """A row of requests a seed, a column a value; checked before anything is drawn."""
    base = GenerationRequest.of(*values)
    rows = []
    for number in range(int(seeds)):
        single = base.single(number)
        fields = {"labels": single.objects, "seed": single.seed, "steps": single.steps, "sampler": single.sampler}
        row = [GenerationRequest.of(**(fields | {"guidance": single.guidance, axis: n})) for n in numbers(text, axis)]
        rows.append(row)
    return rows


def draw_grid(
    studio: Studio, rows: list[list[GenerationRequest]], axis: str, stopped: Callable[[], bool]
) -> Iterator[Table]:
    """The table after every picture."""
    columns = [f"{getattr(one, axis):g} steps" if axis == "steps" else f"guidance {one.guidance:g}" for one in rows[0]]
    title = f"DDPM: {', '.join(rows[0][0].names)}, by seed and {axis}"
    table = Table(title, columns, [f"seed {row[0].seed}" for row in rows])
    yield table
    for request in [request for row in rows for request in row]:
        pixels = ddpm_picture(studio, request, stopped)
        if pixels is None:
            table.state = "stopped"
            break
        words = f"seed {request.seed}, {request.steps} steps"
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
            pixels = ddpm_picture(studio, request, stopped) if model == "DDPM" else studio.acgan_picture(request)
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
    """A tab's buttons, message and table, and the events that draw into it. `make` turns inputs into tables."""

    def __init__(self, title: str, name: str, make: Callable[..., Callable[..., Iterator[Table]]]) -> None:
        self.make, self.name, self.desk, self.ticket = make, name, NewestRun(), gr.State(0)
        self.note = Note(name)
        with gr.Row():
            self.go = gr.Button(title, variant="primary", elem_id=f"{name}-go")
            self.stop = gr.Button("Stop", variant="stop", visible="hidden", elem_id=f"{name}-stop")
        self.pictures = Pictures(elem_id=name)

    def start(self, request: gr.Request, *values: Any) -> list[Any]:
        """[ticket, go, stop, note]."""
        try:
            self.make(*values)
        except InputError as error:
            return [0, gr.skip(), gr.skip(), message(error)]
        return [self.desk.issue(visitor(request)), gr.Button(visible="hidden"), gr.Button(visible=True), []]

    def run(self, request: gr.Request, ticket: int, *values: Any) -> Iterator[Any]:
        who = visitor(request)
        if not self.desk.claim(who, ticket):
            yield gr.skip()
            return
        try:
            for table in self.make(*values)(lambda: self.desk.ended(who, ticket)):
                yield table.payload()
            yield gr.skip()  # so that the whole table does not travel twice
        finally:
            self.desk.close(who, ticket)

    def finish(self) -> list[Any]:
        return [gr.Button(visible=True), gr.Button(visible="hidden")]

    def halt(self, request: gr.Request) -> None:
        self.desk.stop(visitor(request))

    def wire(self, inputs: list[Any]) -> None:
        outputs = [self.ticket, self.go, self.stop, self.note]
        started = self.go.click(self.start, inputs, outputs, queue=False, **QUIET)
        drawn = started.then(self.run, [self.ticket, *inputs], self.pictures, **QUIET, **MODELS_QUEUE)
        drawn.then(self.finish, None, [self.go, self.stop], queue=False, **QUIET)
        self.stop.click(self.halt, None, None, queue=False, **QUIET)


def build_grid(studio: Studio, controls: Controls) -> None:
    """The grid's tab."""
    gr.Markdown("The DDPM draws the ticked objects for several seeds, with another setting in every column.")
    with gr.Row():
        axis = gr.Radio([("Steps", "steps"), ("Guidance", "guidance")], value="steps", label="Columns", elem_id="axis")
        text = gr.Textbox(DEFAULTS["steps"], label="Values of the columns", elem_id="grid-values")
        seeds = gr.Slider(1, MOST_SEEDS, 3, step=1, label="Rows: seeds, from the one on the left", elem_id="grid-seeds")
    axis.input(None, axis, text, js=f"(axis) => ({DEFAULTS!r})[axis]", api_visibility="private")

    def make(axis: str, text: str, seeds: int, *values: Any) -> Callable[..., Iterator[Table]]:
        rows = grid_requests(list(values), axis, text, seeds)
        return lambda stopped: draw_grid(studio, rows, axis, stopped)

    Experiment("Draw the grid", "grid", make).wire([axis, text, seeds, *controls.request])


def build_change(studio: Studio, controls: Controls) -> None:
    """The tab that changes one object."""
    gr.Markdown("Both models draw twice from the same seed. What stays, and what moves, when one object changes?")
    with gr.Row():
        choices = [NOTHING, *OBJECTS]
        out = gr.Dropdown(choices, value=NOTHING, label="Take out", elem_id="take-out")
        into = gr.Dropdown(choices, value="cyan sphere", label="Put in", elem_id="put-in")
    controls.picker.change(None, [controls.picker, out], out, js=asset("change.choices.js"), api_visibility="private")

    def make(out: str, into: str, *values: Any) -> Callable[..., Iterator[Table]]:
        before = GenerationRequest.of(*values).single(0)
        after = changed(before, out or NOTHING, into or NOTHING)
        return lambda stopped: draw_change(studio, before, after, stopped)

    Experiment("Draw both", "change", make).wire([out, into, *controls.request])
