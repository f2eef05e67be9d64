"""What the visitor asks for: the left column, the same for all tabs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import gradio as gr

from clevr_demo.models import Contender
from clevr_demo.request import (
    DEFAULT_STEPS,
    FAST_STEPS,
    MAX_PICTURES,
    SAMPLERS,
    SEED_FIELDS,
    GenerationRequest,
    from_query,
    query_of,
)
from clevr_demo.serve.wording import SAMPLER_NAMES
from clevr_demo.ui.widgets import Note, Picker, Word, asset, in_browser

EXAMPLES = {
    "2 objects": ["blue sphere", "yellow cylinder"],
    "3 objects": ["green cube", "purple sphere", "gray cylinder"],
    "3 spheres": ["red sphere", "brown sphere", "cyan sphere"],
}
SURPRISE = "Surprise me"
DISTILLED = f"{FAST_STEPS} steps of DPM-Solver++ 2M are drawn by a painter distilled from that of {DEFAULT_STEPS}."


def duels(contenders: Mapping[str, Contender]) -> list[tuple[str, str]]:
    """The duels that can be chosen, by what people read and by what a link says; the first is the usual one."""
    pairs = list(permutations(contenders.values(), 2))
    named = [(" against ".join(one.title for one in pair), ",".join(one.name for one in pair)) for pair in pairs]
    return [(named[0][0], ""), *named[1:]]


class Controls:
    """The inputs, built where they are made. `request` lists those that make a request; `read` makes it of their
    values, in that order. What no control shows, given places and single sources' seeds, stands as its part of a link
    in the hidden `given`, until the visitor takes it back.

    `notes` are the messages beside them, by field; `examples` are events after which one is ticked, and to be drawn.
    """

    def __init__(self, contenders: Mapping[str, Contender]) -> None:
        self._build_objects()
        with gr.Row(elem_id="go"):
            sheet = gr.Button("Objects", size="lg", elem_id="sheet")  # on a phone alone
            in_browser(sheet.click, asset("page/sheet.js"))
            self.generate = gr.Button("Generate", variant="primary", size="lg", elem_id="generate")
            self.stop = gr.Button("Stop", variant="stop", size="lg", elem_id="stop", visible="hidden")
        self._build_numbers()
        self._build_more(contenders)
        for control, note in zip(self.request, self.notes.values(), strict=False):
            in_browser(control.change, "() => [[]]", None, note)  # what was wrong is changed

    def _build_objects(self) -> None:
        self.picker = Picker(elem_id="picker")
        self.notes = {"objects": Note("objects")}
        with gr.Row(elem_id="examples"):
            scripts = {title: f"() => [{names!r}]" for title, names in EXAMPLES.items()}
            scripts = {SURPRISE: asset("picker/surprise.js"), **scripts}
            ids = {SURPRISE: "surprise"}
            buttons = {title: gr.Button(title, size="sm", elem_id=ids.get(title)) for title in scripts}
            clear = gr.Button("Clear", size="sm", elem_id="clear")
        self.given = gr.Textbox(visible="hidden", elem_id="given")
        in_browser(clear.click, "() => [[], '']", None, [self.picker, self.given])
        in_browser(self.picker.change, asset("given/kept.js"), [self.picker, self.given], self.given)
        self.examples = [
            in_browser(button.click, scripts[title], None, self.picker) for title, button in buttons.items()
        ]

    def _build_numbers(self) -> None:
        with gr.Row(elem_id="numbers"):
            with gr.Column(min_width=100):
                self.seed = gr.Number(7, label="Seed", elem_id="seed")
                self.notes["seed"] = Note("seed")
            with gr.Column(min_width=100):
                self.steps = gr.Number(DEFAULT_STEPS, label="Steps", elem_id="steps")
                self.notes["steps"], self.cost = Note("steps"), Note("cost", "hint")
        with gr.Row(elem_id="seed-tools"):
            self.dice = gr.Button("Roll the seed", size="sm", elem_id="dice")
            self.locked = gr.Checkbox(True, label="Keep the seed", elem_id="lock", container=False)
            self.live = gr.Checkbox(False, label="Draw as I click", elem_id="live", container=False)
            Word("seed")
        # Whoever draws as they click wants few steps, and sees how many; a seed that is typed is to be kept.
        few = asset("page/live.js").replace("@few", str(FAST_STEPS))
        in_browser(self.live.change, few, [self.live, self.steps], self.steps)
        in_browser(self.seed.input, "() => true", None, self.locked)
        for another in (self.seed.input, self.dice.click):
            in_browser(another, asset("given/reseeded.js"), self.given, self.given)

    def _build_more(self, contenders: Mapping[str, Contender]) -> None:
        with gr.Accordion("More settings", open=False, elem_id="more"):
            choices = [(SAMPLER_NAMES[name], name) for name in SAMPLERS]
            self.sampler = gr.Dropdown(choices, value="dpm", label="DDPM sampler", info=DISTILLED, elem_id="sampler")
            self.pictures = gr.Slider(1, MAX_PICTURES, 1, step=1, label="Pictures a model", elem_id="pictures")
            self.duel = gr.Dropdown(
                duels(contenders), value="", label="Who draws", visible=len(contenders) > 2 or "hidden", elem_id="who"
            )

    @property
    def request(self) -> list[Any]:
        return [self.picker, self.seed, self.steps, self.sampler, self.pictures, self.duel, self.given]

    @staticmethod
    def read(values: Sequence[Any]) -> GenerationRequest:
        """The checked request; an InputError names the control at fault. Places of objects that are no longer ticked
        are left out."""
        objects, seed, steps, sampler, pictures, duel, given = values
        names = tuple(duel.split(",")) if duel else ()
        request = GenerationRequest.of(objects, seed, steps, sampler, pictures, names)
        link, _, _ = from_query(query_of(given or "") | request.fields())
        return replace(request, places=link.places, seeds=link.seeds)

    @staticmethod
    def with_seed(values: Sequence[Any], seed: int) -> tuple[Any, ...]:
        """The values with another seed, which is one for all noise."""
        *others, given = values
        at = query_of(given or "").get("at")
        return (values[0], seed, *others[2:], f"at={at}" if at else "")

    def show(self, request: GenerationRequest) -> dict[Any, Any]:
        """The updates that put a request into the controls."""
        fields = request.fields()
        given = "&".join(f"{name}={fields[name]}" for name in ("at", *SEED_FIELDS) if name in fields)
        shown = (request.seed, request.steps, request.sampler, request.pictures, ",".join(request.duel))
        values = (list(request.names), *shown, given)
        return dict(zip(self.request, values, strict=True))
