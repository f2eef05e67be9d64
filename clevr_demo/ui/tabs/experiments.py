"""Two experiments on one request: a grid of pictures along two free axes, and the same seed with one object changed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import gradio as gr

from clevr_demo.objects import OBJECTS, InputError
from clevr_demo.request import from_query, query_of
from clevr_demo.serve import axes
from clevr_demo.serve.addresses import page_of
from clevr_demo.serve.axes import AXES, NOTHING, Plan
from clevr_demo.serve.downloads import SHELVES, Shelf
from clevr_demo.serve.experiments import Drawable, change, grid
from clevr_demo.serve.queue import NewestRun
from clevr_demo.serve.sheet import sheet_png
from clevr_demo.serve.table import Table
from clevr_demo.ui.events import AT_ONCE, Drawing, Stage, Updates, message, visitor
from clevr_demo.ui.sharing import copy_button
from clevr_demo.ui.widgets import Note, Pictures, Starts, asset, in_browser

STARTS = {"seed": "7, 8, 9", "steps": "2, 4, 8, 20"}
"""The axes' values when the page opens."""


class Experiment(Stage):
    """A tab's buttons, message and table, and the events that draw into it. `make` turns inputs into a drawing."""

    def __init__(self, title: str, name: str, drawing: Drawing, make: Callable[..., Drawable]) -> None:
        self.make, self.name = make, name
        self.note, nothing, self.shelf = Note(name), gr.State(None), Shelf(SHELVES)
        with gr.Row(elem_classes="experiment-buttons"):
            go = gr.Button(title, variant="primary", elem_id=f"{name}-go")
            stop = gr.Button("Stop", variant="stop", visible="hidden", elem_id=f"{name}-stop")
            self.sheet = gr.DownloadButton(
                "Download as a picture", size="sm", interactive=False, elem_id=f"{name}-sheet"
            )
            copy_button(f"{name}-link", f"#{name} .pictures")
        runs = NewestRun[Drawable, Table](drawing.line, lambda wanted: wanted.work, lambda table: table.progress)
        shown = Pictures(elem_id=name)
        super().__init__(runs, lambda wanted, stopped: wanted.draw(stopped), go, stop, shown, nothing, self.sheet)

    def start(self, request: gr.Request, *values: Any) -> Updates:
        try:
            wanted = self.make(*values)
        except InputError as error:
            return {self.note: [message(error)]}
        return self.ask(request, wanted)

    def ask(self, request: gr.Request, wanted: Drawable) -> Updates:
        """Makes this the visitor's newest table."""
        self.runs.ask(visitor(request), wanted)
        return {self.note: [], **self.busy()}

    def busy(self) -> Updates:
        return {self.sheet: gr.DownloadButton(value=None, interactive=False), **super().busy()}

    @property
    def asked(self) -> list[Any]:
        """What an event that asks for a table may change."""
        return [self.note, self.sheet, self.go, self.stop]

    def ended(self, request: gr.Request, table: Table) -> Updates:
        """The finished table as a picture to keep."""
        if not table.pictures:
            return {}
        name = f"{self.name}-{uuid.uuid4().hex[:8]}"
        path = self.shelf.put(name, {f"{name}.png": sheet_png(table, page_of(request.headers))})[0]
        return {self.sheet: gr.DownloadButton(value=path, interactive=True)}

    def wire(self, inputs: list[Any]) -> None:
        self.then_draw(self.go.click(self.start, inputs, self.asked, **AT_ONCE))
        self.stop_on()


def _axis(name: str, title: str, kind: str, seed: gr.Number) -> tuple[gr.Dropdown, gr.Textbox]:
    """What an axis varies, and its values; another kind brings values that suit it."""
    choices = [(told, kind) for kind, told in AXES.items()]
    axis = gr.Dropdown(choices, value=kind, label=title, elem_id=f"grid-{name}")
    values = gr.Textbox(STARTS[kind], label=f"Values of the {name}", elem_id=f"grid-{name}-values")
    in_browser(axis.input, asset("table/values.js"), [axis, seed], values)
    return axis, values


def build_grid(drawing: Drawing, demo: gr.Blocks) -> None:
    """The grid's tab; a link to a grid opens it and draws."""
    studio, controls, tabs = drawing.studio, drawing.controls, drawing.tabs
    gr.Markdown("The ticked objects along two axes: numbers as 5, 10, 20 or 7-12, objects by their names.")
    with gr.Row():
        rows, down = _axis("rows", "Rows", "seed", controls.seed)
        columns, across = _axis("columns", "Columns", "steps", controls.seed)
        models = [(one.title, name) for name, one in studio.contenders.items()]
        model = gr.Radio(models, value=models[0][1], label="Model, where no axis varies it", elem_id="grid-model")

    def make(rows: str, down: str, columns: str, across: str, model: str, *values: Any) -> Drawable:
        plan = Plan.of(controls.read(values), model, (rows, down), (columns, across), studio.contenders)
        return grid(studio, plan)

    def restore(request: gr.Request) -> Updates:
        query = query_of(str(request.query_params))
        plan, notes = axes.from_query(query, from_query(query, studio.gates)[0], studio.contenders)
        if plan is None:
            return {tab.note: notes or gr.skip(), **({tabs: gr.Tabs(selected="grids")} if notes else {})}
        shown = {rows: plan.rows.kind, down: plan.rows.text, columns: plan.columns.kind, across: plan.columns.text}
        return {**shown, model: plan.model, tabs: gr.Tabs(selected="grids"), **tab.ask(request, grid(studio, plan))}

    tab = Experiment("Draw the grid", "grid", drawing, make)
    inputs = [rows, down, columns, across, model]
    tab.wire([*inputs, *controls.request])
    begin = Starts(studio.contenders, elem_id="grid-starts")
    begun = in_browser(begin.select, asset("table/begin.js"), [begin, controls.picker], [*inputs, controls.picker])
    tab.then_draw(begun.then(tab.start, [*inputs, *controls.request], tab.asked, **AT_ONCE))
    tab.then_draw(demo.load(restore, None, [*inputs, tabs, *tab.asked], **AT_ONCE))


def build_change(drawing: Drawing) -> None:
    """The tab that changes one object."""
    controls = drawing.controls
    gr.Markdown("Both models draw twice from the same seed. What stays, and what moves, when one object changes?")
    with gr.Row():
        choices = [NOTHING, *OBJECTS]
        out = gr.Dropdown(choices, value=NOTHING, label="Take out", elem_id="take-out")
        into = gr.Dropdown(choices, value="cyan sphere", label="Put in", elem_id="put-in")
    in_browser(controls.picker.change, asset("table/choices.js"), [controls.picker, out], out)

    def make(out: str, into: str, *values: Any) -> Drawable:
        return change(drawing.studio, controls.read(values), out or NOTHING, into or NOTHING)

    Experiment("Draw both", "change", drawing, make).wire([out, into, *controls.request])
