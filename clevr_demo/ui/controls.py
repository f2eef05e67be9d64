"""What the visitor asks for: the left column, the same for all tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import gradio as gr

from clevr_demo.request import DEFAULT_STEPS, FAST_STEPS, MAX_PICTURES, SAMPLERS, GenerationRequest
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.wording import SAMPLER_NAMES
from clevr_demo.ui.widgets import Note, Picker, asset

EXAMPLES = {
    "2 objects": ["blue sphere", "yellow cylinder"],
    "3 objects": ["green cube", "purple sphere", "gray cylinder"],
    "3 spheres": ["red sphere", "brown sphere", "cyan sphere"],
}
SURPRISE = "Surprise me"
DISTILLED = f"{FAST_STEPS} steps of DPM-Solver++ 2M are drawn by a painter distilled from that of {DEFAULT_STEPS}."


@dataclass
class Controls:
    """The inputs. `request` lists those that make a request; `read` makes it of their values, in that order."""

    picker: Picker
    seed: gr.Number
    steps: gr.Number
    sampler: gr.Dropdown
    pictures: gr.Slider
    duel: gr.Dropdown
    dice: gr.Button
    locked: gr.Checkbox
    live: gr.Checkbox
    generate: gr.Button
    stop: gr.Button
    cost: Note
    notes: dict[str, Note] = field(default_factory=dict)
    examples: list[Any] = field(default_factory=list)
    """Events after which an example is ticked, and to be drawn."""

    @property
    def request(self) -> list[Any]:
        return [self.picker, self.seed, self.steps, self.sampler, self.pictures, self.duel]

    @staticmethod
    def read(values: Sequence[Any]) -> GenerationRequest:
        """The checked request; an InputError names the control at fault."""
        objects, seed, steps, sampler, pictures, duel = values
        return GenerationRequest.of(objects, seed, steps, sampler, pictures, tuple(duel.split(",")) if duel else ())

    @staticmethod
    def with_seed(values: Sequence[Any], seed: int) -> tuple[Any, ...]:
        return (values[0], seed, *values[2:])

    def show(self, request: GenerationRequest) -> dict[Any, Any]:
        """The updates that put a request into the controls."""
        duel = ",".join(request.duel)
        values = (list(request.names), request.seed, request.steps, request.sampler, request.pictures, duel)
        return dict(zip(self.request, values, strict=True))


def _picker(notes: dict[str, Note]) -> tuple[Picker, list[Any]]:
    picker = Picker(elem_id="picker")
    notes["objects"] = Note("objects")
    with gr.Row(elem_id="examples"):
        scripts = {title: f"() => [{names!r}]" for title, names in EXAMPLES.items()}
        scripts = {SURPRISE: asset("picker/surprise.js"), **scripts}
        ids = {SURPRISE: "surprise"}
        buttons = {title: gr.Button(title, size="sm", elem_id=ids.get(title)) for title in scripts}
        clear = gr.Button("Clear", size="sm", elem_id="clear")
    clear.click(None, None, picker, js="() => [[]]", api_visibility="private")
    return picker, [
        button.click(None, None, picker, js=scripts[title], api_visibility="private")
        for title, button in buttons.items()
    ]


def _duels(studio: Studio) -> list[tuple[str, str]]:
    """The duels that can be chosen, the usual one first, by what people read and by what a link says."""
    usual = studio.pair
    pairs = [pair for pair in permutations(studio.contenders.values(), 2) if pair != usual]
    titles = [(" against ".join(one.title for one in pair), ",".join(one.name for one in pair)) for pair in pairs]
    return [(" against ".join(one.title for one in usual), ""), *titles]


def _more(studio: Studio) -> tuple[gr.Dropdown, gr.Slider, gr.Dropdown]:
    with gr.Accordion("More settings", open=False, elem_id="more"):
        choices = [(SAMPLER_NAMES[name], name) for name in SAMPLERS]
        sampler = gr.Dropdown(choices, value="dpm", label="DDPM sampler", info=DISTILLED, elem_id="sampler")
        pictures = gr.Slider(1, MAX_PICTURES, 1, step=1, label="Pictures a model", elem_id="pictures")
        several = len(studio.contenders) > 2
        duel = gr.Dropdown(_duels(studio), value="", label="Who draws", visible=several or "hidden", elem_id="who")
    return sampler, pictures, duel


def build_controls(studio: Studio) -> Controls:
    """The left column's inputs."""
    notes: dict[str, Note] = {}
    picker, examples = _picker(notes)
    with gr.Row(elem_id="go"):
        sheet = gr.Button("Objects", size="lg", elem_id="sheet")  # on a phone alone
        sheet.click(None, None, None, js=asset("page/sheet.js"), api_visibility="private")
        generate = gr.Button("Generate", variant="primary", size="lg", elem_id="generate")
        stop = gr.Button("Stop", variant="stop", size="lg", elem_id="stop", visible="hidden")
    with gr.Row(elem_id="numbers"):
        with gr.Column(min_width=100):
            seed = gr.Number(7, label="Seed", elem_id="seed")
            notes["seed"] = Note("seed")
        with gr.Column(min_width=100):
            steps = gr.Number(DEFAULT_STEPS, label="Steps", elem_id="steps")
            notes["steps"], cost = Note("steps"), Note("cost", "hint")
    with gr.Row(elem_id="seed-tools"):
        dice = gr.Button("Roll the seed", size="sm", elem_id="dice")
        locked = gr.Checkbox(True, label="Keep the seed", elem_id="lock", container=False)
        live = gr.Checkbox(False, label="Draw as I click", elem_id="live", container=False)
    # Whoever draws as they click wants few steps, and sees how many; a seed that is typed is to be kept.
    live.change(
        None, [live, steps], steps, js=asset("page/live.js").replace("@few", str(FAST_STEPS)), api_visibility="private"
    )
    seed.input(None, None, locked, js="() => true", api_visibility="private")
    for control, name in ((picker, "objects"), (seed, "seed"), (steps, "steps")):  # what was wrong is changed
        control.change(None, None, notes[name], js="() => [[]]", api_visibility="private")
    sampler, pictures, duel = _more(studio)
    return Controls(
        picker, seed, steps, sampler, pictures, duel, dice, locked, live, generate, stop, cost, notes, examples
    )  # fmt: skip
