"""The duel: both pictures, the timeline with its scrubber, and the judge's verdict along it, in the browser."""

from __future__ import annotations

from typing import Any

from clevr_demo.objects import OBJECTS
from clevr_demo.ui.component import Html, asset

SCRIPTS = (
    "history/history.model.js", "duel/duel.model.js", "duel/duel.chart.js", "duel/duel.marks.js",
    "duel/duel.race.js", "duel/duel.view.js", "duel/duel.js",
)  # fmt: skip


class Duel(Html):
    """Shows a run's payload (see `payload`). Scrubbing happens in the browser alone."""

    def __init__(self, address: bool = False, **arguments: Any) -> None:
        """With `address`, a result goes into the browser's address, which draws it again, and into the history."""
        super().__init__(asset("duel/duel.html"), SCRIPTS, names=list(OBJECTS), address=address, **arguments)
