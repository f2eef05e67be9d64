"""The object picker: 24 boxes in a grid, shapes down, colours across; one tab stop with arrow keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from clevr_demo.objects import COLOURS, MAX_TRAINED, OBJECTS, SHAPES, parse
from clevr_demo.ui.component import Html, asset


def _cell(colour: str, shape: str) -> str:
    name = f"{colour} {shape}"
    return (
        f'<td role="gridcell"><label class="cell colour-{colour}" title="{name}">'
        f'<input type="checkbox" value="{name}" aria-label="{name}" tabindex="-1">'
        f'<svg class="object" aria-hidden="true"><use href="#object-{shape}"></use></svg></label></td>'
    )


def _rows() -> str:
    rows = []
    for shape in SHAPES:
        cells = "".join(_cell(colour, shape) for colour in COLOURS)
        rows.append(f'<tr role="row"><th scope="row" role="rowheader">{shape}s</th>{cells}</tr>')
    return "".join(rows)


class Picker(Html):
    """A grid of 24 boxes whose value is the list of ticked names, in index order."""

    schema: ClassVar[dict[str, Any]] = {"type": "array", "items": {"type": "string", "enum": list(OBJECTS)}}
    nothing: ClassVar[list[str]] = []
    example: ClassVar[list[str]] = ["red cube"]

    def __init__(self, value: Sequence[str] = (), **arguments: Any) -> None:
        heads = "".join(f'<th scope="col" role="columnheader"><span>{colour}</span></th>' for colour in COLOURS)
        template = asset("picker/picker.html").replace("@heads", heads).replace("@rows", _rows())
        super().__init__(template, ["picker/picker.js"], list(value), most=MAX_TRAINED, **arguments)

    def preprocess(self, payload: Any) -> list[str]:
        return [name for name in super().preprocess(payload) if isinstance(name, str)]

    def postprocess(self, value: Any) -> list[str]:
        return [OBJECTS[index] for index in parse(value)] if value else []
