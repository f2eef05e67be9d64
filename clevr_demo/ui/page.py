"""The page: what the visitor asks for on the left, what comes of it on the right."""

from __future__ import annotations

from typing import Any

import gradio as gr

from clevr_demo.ui.api import add_api
from clevr_demo.ui.component import ASSETS, asset
from clevr_demo.ui.controls import build_controls
from clevr_demo.ui.drawing import Drawing
from clevr_demo.ui.duel import Duel
from clevr_demo.ui.files import Files
from clevr_demo.ui.gate import draws_at_once
from clevr_demo.ui.grids import build_change, build_grid
from clevr_demo.ui.history import History
from clevr_demo.ui.line import Line
from clevr_demo.ui.links import Links, copy_button
from clevr_demo.ui.note import Note
from clevr_demo.ui.studio import Studio
from clevr_demo.ui.walk import build_walk

TITLE = "CLEVR duel"
HEAD = """# CLEVR duel
A diffusion model and a GAN draw the same objects from the same request. An independent judge says what it sees."""


def theme() -> gr.themes.Base:
    """A quiet theme on system fonts: nothing is fetched from elsewhere."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "monospace"]
    quiet = gr.themes.Default(primary_hue="blue", neutral_hue="slate", radius_size="md", font=fonts, font_mono=mono)
    return quiet.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
    )


def launch_options() -> dict[str, Any]:
    """What `launch` needs for the page to look and behave as meant."""
    return {
        "theme": theme(),
        "css_paths": [ASSETS / "page.css", ASSETS / "duel.css"],
        "js": asset("page.js"),
        "ssr_mode": False,
        "run_history": False,
        "footer_links": ["api"],
    }


def build_demo(studio: Studio | None = None) -> gr.Blocks:
    """The whole page with its events and its API; without a studio, the weights that ship with the project."""
    studio = studio or Studio.load()
    line = Line(draws_at_once())
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)) as demo:
        gr.Markdown(HEAD, elem_id="head")
        link_note = Note("link", "hint")
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="ask", scale=0, min_width=320):
                controls = build_controls()
                drop_place = gr.Column(elem_id="drop-column")
            with gr.Column(elem_id="show", scale=1, min_width=320), gr.Tabs(elem_id="tabs") as tabs:
                with gr.Tab("Duel", id="duel"):
                    duel = Duel(elem_id="duel", address=True)
                    drawing = Drawing(studio, controls, duel, tabs, link_note, line)
                    files = Files(drawing)
                    with gr.Row(elem_id="share"):
                        copy_button()
                        files.build_downloads()
                    build_walk(drawing)
                with gr.Tab("Grid", id="grids"):
                    build_grid(studio, controls, line)
                with gr.Tab("Change one object", id="changes"):
                    build_change(studio, controls, line)
                with gr.Tab("History", id="history"):
                    history = History()
        with drop_place:
            files.build_drop_place()
        drawing.wire()
        files.load_on(history.load, history.query)
        drawing.then_draw(Links(drawing).wire(demo))
        add_api(studio, line)
    return demo.queue(default_concurrency_limit=1)
