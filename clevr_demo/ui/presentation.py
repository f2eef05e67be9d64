"""Presentation mode: the duel alone on the whole screen, larger, with a key for everything."""

from __future__ import annotations

from typing import Any

from clevr_demo.ui.component import Html, asset


class Presentation(Html):
    """A button, and the bar that lists the keys. Everything happens in the browser."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(
            asset("presentation/presentation.html"),
            ("presentation/presentation.js",),
            elem_id="presentation",
            **arguments,
        )
