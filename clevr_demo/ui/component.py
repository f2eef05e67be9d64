"""What the page's own components share: `gr.HTML` with a template and scripts out of assets/, and a plain value."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import gradio as gr

ASSETS = Path(__file__).parent / "assets"


def asset(name: str) -> str:
    """The text of a file in assets/."""
    return (ASSETS / name).read_text(encoding="utf-8")


class Html(gr.HTML):
    """Its value is plain data that the scripts draw; what a subclass does not say otherwise is an object.

    `schema` describes the value to API users, `nothing` is the value that shows nothing, `example` one that does.
    """

    schema: ClassVar[dict[str, Any]] = {"type": "object"}
    nothing: ClassVar[Any] = {}
    example: ClassVar[Any] = {}

    def __init__(self, template: str, scripts: Sequence[str] = (), value: Any = None, **arguments: Any) -> None:
        """`template` is HTML, `scripts` name files in assets/, joined in order; the rest goes to `gr.HTML`."""
        super().__init__(
            value=self.fresh() if value is None else value,
            html_template=template,
            js_on_load="\n".join(asset(name) for name in scripts),
            apply_default_css=False,
            **arguments,
        )

    @classmethod
    def fresh(cls) -> Any:
        """A value that shows nothing."""
        return copy.deepcopy(cls.nothing)

    def preprocess(self, payload: Any) -> Any:
        """What the browser sent, or nothing where that is of another kind."""
        return payload if isinstance(payload, type(self.nothing)) else self.fresh()

    def postprocess(self, value: Any) -> Any:
        return value or self.fresh()

    def api_info(self) -> dict[str, Any]:
        return {"title": type(self).__name__} | self.schema

    def example_payload(self) -> Any:
        return copy.deepcopy(self.example)

    def example_value(self) -> Any:
        return copy.deepcopy(self.example)
