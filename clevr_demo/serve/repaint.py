"""Repaints a scene while somebody moves its objects: both models in few steps, judged, as the page shows them.

    repainter = Repainter(studio, line)
    repainter.answer({"query": "objects=red-cube&at=red-cube:30:12", "visitor": "1f3a"})    # {"run", "rest": 0.0}

The page asks for its newest state alone, one at a time, and draws the released one as any other request. A move takes
half of the machine at most, never a shared GPU, and while others wait for a full draw half of the visitor's time.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import replace
from typing import Any

from clevr_demo.request import FAST_STEPS, SAMPLERS, GenerationRequest, query_of
from clevr_demo.serve.gate import cores
from clevr_demo.serve.payload import Pair, Run, Side
from clevr_demo.serve.queue import REMEMBERED, WaitingLine
from clevr_demo.serve.studio import Cell, Studio

STATE = "moving"
"""The run's state: one that is never kept."""
AGAIN = 0.1
"""Seconds after which to ask again, while the visitor's move before is being drawn."""
MOST_NAME = 64
"""Characters of a visitor's name that tell it from others."""


def repainted(studio: Studio, request: GenerationRequest) -> Run:
    """The request in few steps, without the way there; both pictures are judged in one pass."""
    quick = replace(request, steps=min(request.steps, FAST_STEPS), sampler=SAMPLERS[0], pictures=1)
    query, contenders = studio.query(quick), studio.duel(quick)
    stills = dict(studio.draw([Cell(one.name, quick) for one in contenders], borrow=False))
    drawn = [stills[place] for place in range(len(contenders))]
    sides = {}
    verdicts = studio.verdicts([still.predicted for still in drawn], quick)
    for one, still, verdict in zip(contenders, drawn, verdicts, strict=True):
        before = still.index + 1 - still.evaluations  # frames of the places, which are not shown
        side = Side(one, quick.objects, query, seconds=still.seconds, evaluations=still.evaluations, where=before)
        side.add(still, verdict)
        sides[one.name] = side
    return Run(quick, query, contenders, state=STATE, pairs=[Pair(quick, sides)])


class Repainter:
    """Answers the moves of all visitors, each in its turn."""

    def __init__(self, studio: Studio, line: WaitingLine) -> None:
        """`line` is that of the full draws, which moves leave room for."""
        self.studio, self.line = studio, line
        self._turn, self._lock = threading.BoundedSemaphore(max(1, cores() // 2)), threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()  # when a visitor may ask again

    def answer(self, asked: Any) -> dict[str, Any]:
        """What is drawn of `asked`, {"query", "visitor"}, and after how many seconds the visitor may ask again.

        There is no "run" where the visitor has to rest first, nor where nothing is asked for.
        """
        fields = asked if isinstance(asked, dict) else {}
        request, _ = self.studio.read(query_of(str(fields.get("query", ""))))
        if not request.objects:
            return {"rest": 0.0}
        visitor = str(fields.get("visitor", ""))[:MOST_NAME]
        if rest := self._enter(visitor):
            return {"rest": rest}
        rest = 0.0
        try:
            with self._turn:
                run = repainted(self.studio, request)
            if self.line.crowded:
                rest = sum(side.seconds for side in run.pairs[0].sides.values())
        finally:
            self._leave(visitor, rest)
        return {"run": run.payload(), "rest": rest}

    def _enter(self, visitor: str) -> float:
        """Seconds that the visitor has to rest; at 0 a move of theirs is being drawn from now on."""
        with self._lock:
            left = self._until.get(visitor, 0.0) - time.monotonic()
            if left > 0:
                return AGAIN if left == math.inf else left
            self._until[visitor] = math.inf
            self._until.move_to_end(visitor)
            while len(self._until) > REMEMBERED:
                self._until.popitem(last=False)
            return 0.0

    def _leave(self, visitor: str, rest: float) -> None:
        with self._lock:
            self._until[visitor] = time.monotonic() + rest
