"""The duel: both pictures, the timeline with its scrubber, and the judge's verdict along it, in the browser."""

from __future__ import annotations

from typing import Any

import gradio as gr

from clevr_demo.objects import COLOURS, OBJECTS
from clevr_demo.ui.picker import asset

SCRIPTS = ("duel.model.js", "duel.chart.js", "duel.view.js", "duel.js")

from gradio.events import Dependency

class Duel(gr.HTML):
    """Shows a run's payload (see `runs.Run.payload`). Scrubbing happens in the browser alone."""

    def __init__(self, address: bool = False, **arguments: Any) -> None:
        """With `address`, the browser's address follows the result, so that a reload draws it again."""
        super().__init__(
            value={},
            html_template=asset("duel.html"),
            js_on_load="\n".join(asset(name) for name in SCRIPTS),
            names=list(OBJECTS),
            address=address,
            apply_default_css=False,
            **arguments,
        )

    def preprocess(self, payload: Any) -> Any:
        return payload if isinstance(payload, dict) else {}

    def postprocess(self, value: Any) -> Any:
        return value or {}

    def api_info(self) -> dict[str, Any]:
        return {"title": "Duel", "type": "object"}

    def example_payload(self) -> Any:
        return {}

    def example_value(self) -> Any:
        return {}
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component