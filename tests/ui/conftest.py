"""The page's parts around a studio that draws at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
import pytest

from clevr_demo.serve.queue import WaitingLine
from clevr_demo.ui.controls import Controls
from clevr_demo.ui.events import Drawing
from clevr_demo.ui.sharing import Sharing
from clevr_demo.ui.tabs.scoreboard import build_claims
from clevr_demo.ui.widgets import Duel, Note
from tests.serve.at_once import FakeStudio


@dataclass
class Page:
    controls: Controls
    drawing: Drawing
    sharing: Sharing
    report: list[Any]
    """What its buttons do."""


@pytest.fixture(scope="module")
def page() -> Page:
    """The page's parts around a studio that draws at once."""
    with gr.Blocks(analytics_enabled=False) as demo:
        studio: Any = FakeStudio()
        note, controls = Note("link"), Controls(studio.contenders)
        with gr.Tabs() as tabs, gr.Tab("Duel", id="duel"):
            duel = Duel(studio.contenders.values())
        drawing = Drawing(studio, controls, duel, tabs, note, WaitingLine())
        sharing = Sharing(drawing)
        sharing.build_downloads()
        drawing.wire()
        sharing.restore_on(demo)
        known = set(demo.fns)
        build_claims(drawing)
        clicks = [event for number, event in demo.fns.items() if number not in known and event.targets[0][1] == "click"]
    return Page(controls, drawing, sharing, [event.fn for event in clicks])
