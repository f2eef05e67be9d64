"""A message beside a control: a live region, so that a screen reader says it when it fills."""

from __future__ import annotations

from typing import Any, ClassVar

from clevr_demo.ui.component import Html


class Note(Html):
    """Its value is a list of plain sentences; none hides it. The browser sets them as text, never as markup."""

    schema: ClassVar[dict[str, Any]] = {"type": "array", "items": {"type": "string"}}
    nothing: ClassVar[list[str]] = []
    example: ClassVar[list[str]] = []

    def __init__(self, name: str, tone: str = "fault", **arguments: Any) -> None:
        template = f'<div class="note-body {tone}" role="status"></div>'
        super().__init__(template, ["note/note.js"], elem_id=f"note-{name}", elem_classes="note", **arguments)

    def postprocess(self, value: Any) -> list[str]:
        return [value] if isinstance(value, str) and value else list(value or [])
