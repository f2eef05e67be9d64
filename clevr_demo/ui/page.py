"""The page: what the visitor asks for on the left, what comes of it on the right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from clevr_demo.request import MAX_PICTURES, SAMPLERS
from clevr_demo.ui.api import add_api
from clevr_demo.ui.duel import Duel
from clevr_demo.ui.drawing import Drawing
from clevr_demo.ui.picker import ASSETS, Picker
from clevr_demo.ui.studio import Studio

TITLE = "CLEVR duel"
EXAMPLES = {
    "One": ["red cube"],
    "Two": ["blue sphere", "yellow cylinder"],
    "Three": ["green cube", "purple sphere", "gray cylinder"],
    "Same shape": ["red sphere", "cyan sphere", "brown sphere"],
}
SAMPLER_NAMES = {"dpm": "DPM-Solver++ 2M", "unipc": "UniPC", "ddim": "DDIM", "ddpm": "DDPM, ancestral"}


def theme() -> gr.themes.Base:
    """A quiet theme on system fonts: nothing is fetched from elsewhere."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "monospace"]
    return gr.themes.Default(
        primary_hue="blue", neutral_hue="slate", radius_size="md", font=fonts, font_mono=mono
    ).set(button_primary_background_fill="*primary_700", button_primary_background_fill_dark="*primary_600")


def launch_options() -> dict[str, Any]:
    """What `launch` needs for the page to look and behave as meant."""
    return {
        "theme": theme(),
        "css_paths": [Path(ASSETS / "page.css"), Path(ASSETS / "duel.css")],
        "ssr_mode": False,
        "run_history": False,
        "footer_links": ["api"],
    }


@dataclass
class Controls:
    """The inputs on the left, in the order in which a request takes them."""

    picker: Picker
    seed: gr.Number
    steps: gr.Number
    sampler: gr.Dropdown
    guidance: gr.Number
    pictures: gr.Slider
    live: gr.Checkbox
    locked: gr.Checkbox
    notes: dict[str, gr.HTML]
    generate: gr.Button
    stop: gr.Button

    @property
    def request(self) -> list[gr.components.Component]:
        return [self.picker, self.seed, self.steps, self.sampler, self.guidance, self.pictures]


def note(field: str) -> gr.HTML:
    """The place for a message beside a control, announced when it fills."""
    return gr.HTML("", elem_id=f"note-{field}", elem_classes="note", apply_default_css=False)


def build_picker() -> tuple[Picker, gr.HTML]:
    picker = Picker(elem_id="picker")
    objects_note = note("objects")
    with gr.Row(elem_id="examples"):
        surprise = gr.Button("Surprise me", size="sm", elem_id="surprise")
        for title, names in EXAMPLES.items():
            example = gr.Button(title, size="sm")
            example.click(None, None, picker, js=f"() => [{names!r}]", api_visibility="private")
        clear = gr.Button("Clear", size="sm", elem_id="clear")
    surprise.click(None, None, picker, js=(ASSETS / "surprise.js").read_text(), api_visibility="private")
    clear.click(None, None, picker, js="() => [[]]", api_visibility="private")
    return picker, objects_note


def build_controls() -> Controls:
    """The left column."""
    picker, objects_note = build_picker()
    notes = {"objects": objects_note}
    with gr.Row(elem_id="numbers"):
        with gr.Column(min_width=120):
            seed = gr.Number(7, label="Seed", elem_id="seed")
            notes["seed"] = note("seed")
        with gr.Column(min_width=120):
            steps = gr.Number(20, label="Steps", elem_id="steps")
            notes["steps"] = note("steps")
    with gr.Row(elem_id="seed-tools"):
        dice = gr.Button("Roll the seed", size="sm", elem_id="dice")
        locked = gr.Checkbox(True, label="Keep the seed", elem_id="lock", container=False)
        live = gr.Checkbox(False, label="Draw as I click", elem_id="live", container=False)
    dice.click(None, None, seed, js="() => Math.floor(Math.random() * 2 ** 31)", api_visibility="private")
    generate = gr.Button("Generate", variant="primary", size="lg", elem_id="generate")
    stop = gr.Button("Stop", variant="stop", size="lg", elem_id="stop", visible="hidden")
    with gr.Accordion("More settings", open=False, elem_id="more"):
        sampler = gr.Dropdown(
            [(SAMPLER_NAMES[name], name) for name in SAMPLERS], value="dpm", label="DDPM sampler", elem_id="sampler"
        )
        guidance = gr.Number(None, label="Guidance (empty: the model's own)", elem_id="guidance")
        notes["guidance"] = note("guidance")
        pictures = gr.Slider(1, MAX_PICTURES, 1, step=1, label="Pictures a model", elem_id="pictures")
    return Controls(picker, seed, steps, sampler, guidance, pictures, live, locked, notes, generate, stop)


def build_demo(studio: Studio | None = None) -> gr.Blocks:
    """The whole page with its events and its API; without a studio, the weights that ship with the project."""
    studio = studio or Studio.load()
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as demo:
        gr.Markdown(
            "# CLEVR duel\nA diffusion model and a GAN draw the same objects; an independent judge says what it sees.",
            elem_id="head",
        )
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="ask", scale=4, min_width=340):
                controls = build_controls()
            with gr.Column(elem_id="show", scale=7, min_width=340):
                duel = Duel(elem_id="duel")
        Drawing(studio, controls, duel).wire(demo)
        add_api(studio)
    return demo.queue(default_concurrency_limit=1)
