"""A message beside a control: a live region, so that a screen reader says it when it fills."""

from __future__ import annotations

from typing import Any

import gradio as gr

from clevr_demo.ui.picker import asset


class Note(gr.HTML):
    """Its value is a list of plain sentences; none hides it. The browser sets them as text, never as markup."""

    def __init__(self, name: str, tone: str = "fault", **arguments: Any) -> None:
        super().__init__(
            value=[],
            html_template=f'<div class="note-body {tone}" role="status"></div>',
            js_on_load=asset("note.js"),
            apply_default_css=False,
            elem_id=f"note-{name}",
            elem_classes="note",
            **arguments,
        )

    def preprocess(self, payload: Any) -> Any:
        return list(payload or [])

    def postprocess(self, value: Any) -> Any:
        return [value] if isinstance(value, str) and value else list(value or [])

    def api_info(self) -> dict[str, Any]:
        return {"title": "Note", "type": "array", "items": {"type": "string"}}

    def example_payload(self) -> Any:
        return []

    def example_value(self) -> Any:
        return []
