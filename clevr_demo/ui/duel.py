"""The duel: both pictures, the timeline with its scrubber, and the judge's verdict along it, in the browser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clevr_demo.models import Contender
from clevr_demo.objects import OBJECTS
from clevr_demo.ui.component import Html, asset

SCRIPTS = (
    "history/history.model.js", "duel/duel.model.js", "duel/duel.chart.js", "duel/duel.marks.js",
    "duel/duel.race.js", "duel/duel.view.js", "duel/duel.js",
)  # fmt: skip


class Duel(Html):
    """Shows a run's payload (see `payload`). Scrubbing happens in the browser alone."""

    def __init__(self, contenders: Iterable[Contender], address: bool = False, **arguments: Any) -> None:
        """Of the contenders the first two draw what names no others. With `address`, a result goes into the browser's
        address, which draws it again, and into the history."""
        known = [
            {"name": one.name, "title": one.title, "costs": one.model.costs, "steps": one.model.has_steps}
            for one in contenders
        ]
        told = {"names": list(OBJECTS), "contenders": known, "address": address}
        super().__init__(asset("duel/duel.html"), SCRIPTS, **told, **arguments)
