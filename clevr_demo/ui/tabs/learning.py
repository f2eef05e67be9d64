"""The tab that shows how both models learn; only there where the sheets are (see `serve.learning`)."""

from __future__ import annotations

from typing import Any

import gradio as gr

from clevr_demo.serve.learning import learned, there
from clevr_demo.ui.widgets import Learning

WORDS = """The same requests and seeds, drawn at moments of both models' training from random weights. The axis counts
the windows of 32x32 pixels that each had seen."""


def build_learning() -> None:
    """The tab, or nothing."""
    if not there():
        return
    with gr.Tab("Learning", id="learning"):
        gr.Markdown(WORDS)

        def sheets(_: Any) -> dict[str, Any]:
            return learned() or {}

        Learning(sheets, elem_id="learning")
