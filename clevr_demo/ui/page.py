"""The page: what the visitor asks for on the left, what comes of it on the right."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from clevr_demo.request import PAIR
from clevr_demo.serve import showcase
from clevr_demo.serve.addresses import Proxied
from clevr_demo.serve.gate import draws_at_once
from clevr_demo.serve.kit import Kit
from clevr_demo.serve.preview import TITLE, Preview
from clevr_demo.serve.queue import WaitingLine
from clevr_demo.serve.repaint import Repainter
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.supply import Supply
from clevr_demo.ui.controls import Controls
from clevr_demo.ui.endpoint import add_api
from clevr_demo.ui.events import Drawing
from clevr_demo.ui.sharing import Sharing, copy_button, picture_button
from clevr_demo.ui.tabs.experiments import build_change, build_grid
from clevr_demo.ui.tabs.history import build_history
from clevr_demo.ui.tabs.learning import build_learning
from clevr_demo.ui.tabs.luck import build_luck
from clevr_demo.ui.tabs.marking import build_marking
from clevr_demo.ui.tabs.scoreboard import build_scoreboard
from clevr_demo.ui.tabs.walk import build_walk
from clevr_demo.ui.widgets import ASSETS, Address, Duel, Guess, Hands, Lessons, Note, Presentation, asset, in_browser

STYLES = [
    ASSETS / name
    for name in (
        "page/page.css",
        "duel/duel.css",
        "hands/hands.css",
        "page/story.css",
        "scoreboard/scoreboard.css",
        "page/forced.css",
    )  # fmt: skip
]
HEAD = """# CLEVR duel
A diffusion model and a GAN draw the same request. An independent judge says what it sees."""


def theme() -> gr.themes.Base:
    """A quiet theme on system fonts: nothing is fetched from elsewhere."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "monospace"]
    quiet = gr.themes.Default(primary_hue="blue", neutral_hue="slate", radius_size="md", font=fonts, font_mono=mono)
    return quiet.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_small_text_size="13px",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
    )


def launch_options(demo: gr.Blocks) -> dict[str, Any]:
    """What `launch` needs for the page to look and behave as meant."""
    return {
        "theme": theme(),
        "css_paths": STYLES,
        "favicon_path": ASSETS / "page/icon.svg",
        "app_kwargs": {"middleware": [Middleware(Proxied), Middleware(Preview), Middleware(Supply, kit=demo.kit)]},  # type: ignore[attr-defined]
        "js": asset("page/page.js"),
        "ssr_mode": False,
        "run_history": False,
        "footer_links": ["api"],
    }


def tell_changes(controls: Controls) -> None:
    """Tells the page's scripts what stands in the controls, whenever that changes."""
    changes = [control.change for control in controls.request]
    in_browser(partial(gr.on, changes), asset("page/asked.js"), controls.request)


def build_demo(studio: Studio | None = None) -> gr.Blocks:
    """The whole page with its events and its API; without a studio, the weights that ship with the project."""
    studio, line = studio or Studio.load(), WaitingLine(draws_at_once())
    greets = tuple(one.name for one in studio.pair) == PAIR
    greeting = showcase.payload() if greets else None
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)) as demo:
        with gr.Row(elem_id="top"):
            gr.Markdown(HEAD, elem_id="head")
            with gr.Row(elem_id="story"):
                lessons = Lessons(elem_id="lessons")
                Presentation(elem_id="presentation")
                Guess(elem_id="guess")
        link_note = Note("link", "hint")
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="ask", scale=0, min_width=320):
                controls = Controls(studio.contenders)
                drop_place = gr.Column(elem_id="drop-column")
            with gr.Column(elem_id="show", scale=1, min_width=320), gr.Tabs(elem_id="tabs") as tabs:
                with gr.Tab("Duel", id="duel"):
                    usual = [one.value for one in controls.request]
                    hands = Hands(usual, Repainter(studio, line).answer, elem_id="hands")
                    duel = Duel(studio.contenders.values(), elem_id="duel", address=True, value=greeting)
                    drawing = Drawing(studio, controls, duel, tabs, link_note, line)
                    sharing = Sharing(drawing)
                    with gr.Row(elem_id="share"):
                        copy_button()
                        picture_button()
                        sharing.build_downloads()
                    build_walk(drawing, showcase.REQUEST if greets else None)
                    build_luck(drawing, showcase.REQUEST if greets else None)
                with gr.Tab("Grid", id="grids"):
                    build_grid(drawing, demo)
                with gr.Tab("Change one object", id="changes"):
                    build_change(drawing)
                with gr.Tab("History", id="history"):
                    build_history(sharing)
                with gr.Tab("Score yours", id="marking"):
                    build_marking(drawing)
                with gr.Tab("Scoreboard", id="scoreboard"):
                    build_scoreboard(drawing)
                build_learning()
        address = Address(elem_id="address")
        with drop_place:
            sharing.build_drop_place()
        drawing.wire()
        drawing.settle_on(hands.select, hands)
        tell_changes(controls)
        sharing.load_on(address.select, address)
        sharing.load_on(lessons.select, lessons)
        sharing.restore_on(demo)
        add_api(demo, studio, drawing.line)
    demo.kit = Kit(studio, ASSETS / "engine")  # for `launch_options`
    return demo.queue(default_concurrency_limit=1)
