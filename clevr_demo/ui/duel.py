"""The duel: both pictures, the timeline with its scrubber, and the judge's verdict along it, in the browser."""

from __future__ import annotations

from typing import Any

from clevr_demo.objects import OBJECTS
from clevr_demo.ui.component import Html, asset

SCRIPTS = ("duel.model.js", "duel.chart.js", "duel.view.js", "duel.js")


class Duel(Html):
    """Shows a run's payload (see `runs.Run.payload`). Scrubbing happens in the browser alone."""

    def __init__(self, address: bool = False, **arguments: Any) -> None:
        """With `address`, the browser's address follows the result, so that a reload draws it again."""
        super().__init__(asset("duel.html"), SCRIPTS, names=list(OBJECTS), address=address, **arguments)
