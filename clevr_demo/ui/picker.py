"""The object picker: 24 real checkboxes in a grid, shapes down, colours across."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from clevr_demo.objects import COLOURS, MAX_TRAINED, OBJECTS, SHAPES, parse

ASSETS = Path(__file__).parent / "assets"


def asset(name: str) -> str:
    """The text of a file in assets/."""
    return (ASSETS / name).read_text(encoding="utf-8")


def _cell(colour: str, shape: str) -> str:
    name = f"{colour} {shape}"
    return (
        f'<td><label class="cell colour-{colour}" title="{name}">'
        f'<input type="checkbox" value="{name}" aria-label="{name}">'
        f'<svg class="object" aria-hidden="true"><use href="#object-{shape}"></use></svg></label></td>'
    )


def _rows() -> str:
    rows = []
    for shape in SHAPES:
        cells = "".join(_cell(colour, shape) for colour in COLOURS)
        rows.append(f'<tr><th scope="row">{shape}s</th>{cells}</tr>')
    return "".join(rows)


class Picker(gr.HTML):
    """A grid of 24 checkboxes whose value is the list of ticked names, in index order."""

    def __init__(self, value: Sequence[str] = (), **arguments: Any) -> None:
        heads = "".join(f'<th scope="col"><span>{colour}</span></th>' for colour in COLOURS)
        template = asset("picker.html").replace("@heads", heads).replace("@rows", _rows())
        super().__init__(
            value=list(value),
            html_template=template,
            js_on_load=asset("picker.js"),
            most=MAX_TRAINED,
            apply_default_css=False,
            **arguments,
        )

    def preprocess(self, payload: Any) -> Any:
        return [name for name in payload or [] if isinstance(name, str)]

    def postprocess(self, value: Any) -> Any:
        return [OBJECTS[index] for index in parse(value)] if value else []

    def api_info(self) -> dict[str, Any]:
        return {"title": "Objects", "type": "array", "items": {"type": "string", "enum": list(OBJECTS)}}

    def example_payload(self) -> Any:
        return ["red cube"]

    def example_value(self) -> Any:
        return ["red cube"]
