""" "What am I seeing?": three short steps with small drawings that drive the real page, in half a minute."""

from __future__ import annotations

from typing import Any

from clevr_demo.ui.component import Html, asset


class Tour(Html):
    """A button, and the panel that it opens. Everything happens in the browser."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(asset("tour/tour.html"), ("tour/tour.js",), elem_id="tour", **arguments)
