""" "Guess first": names and verdicts are hidden until the visitor has guessed; the browser keeps the score."""

from __future__ import annotations

from typing import Any

from clevr_demo.ui.component import Html, asset


class Guess(Html):
    """A button, and the panel with question, answers and score. Everything happens in the browser."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(
            asset("guess/guess.html"), ("guess/guess.model.js", "guess/guess.js"), elem_id="guess", **arguments
        )
