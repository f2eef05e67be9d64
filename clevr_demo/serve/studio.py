"""Who draws behind the page, and who judges.

    studio = Studio.load()                                      # the DDPM and the ACGAN that ship with the project
    for number, still in studio.draw([Cell("ddpm", request), Cell("acgan", request)]):
        ...

Every contender stands behind its gate (see `gate`). Page, endpoint, grids and command line draw through `Studio.draw`.
The judge is so small that it stays on the CPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from PIL import Image

from clevr_demo.checkpoints import former
from clevr_demo.judge.evaluator import Evaluator, Verdict, load_evaluator
from clevr_demo.models import Contender, usual_pair
from clevr_demo.request import GenerationRequest, from_query
from clevr_demo.serve.costs import Costs
from clevr_demo.serve.gate import Gate, Numbered, Still, one_thread

EVALUATOR = "CLEVR_EVALUATOR"
"""The environment variable that names another classifier than the one that ships with the project."""


@dataclass(frozen=True)
class Cell:
    """One picture to draw, by a contender's name: all its frames with `timeline`, else the finished one alone."""

    contender: str
    request: GenerationRequest
    timeline: bool = False


@dataclass(frozen=True)
class Studio:
    """The contenders' gates by name, the first two of which draw unless a request names others, the judge, and what
    draws have cost."""

    gates: Mapping[str, Gate]
    judge: Evaluator
    costs: Costs = field(default_factory=Costs)

    @classmethod
    def load(cls, contenders: Sequence[Contender] = (), device: str = "auto") -> Self:
        """Reads the checkpoints of the contenders, by default of the two that ship with the project.

        Raises:
            CheckpointError: names a file that is missing or does not fit.
        """
        gates = {one.name: Gate(one, one.load, device) for one in contenders or usual_pair()}
        return cls(gates, load_evaluator(os.environ.get(EVALUATOR), device="cpu"))

    @property
    def contenders(self) -> dict[str, Contender]:
        return {name: gate.contender for name, gate in self.gates.items()}

    @property
    def pair(self) -> tuple[Contender, ...]:
        """The two that draw unless a request names others."""
        return tuple(self.contenders.values())[:2]

    def duel(self, request: GenerationRequest) -> tuple[Contender, ...]:
        """The two contenders that draw a request."""
        return tuple(self.gates[name].contender for name in request.duel) or self.pair

    def settled(self, request: GenerationRequest) -> GenerationRequest:
        """The request without the names of the two that would draw it anyway."""
        return replace(request, duel=()) if self.duel(request) == self.pair else request

    def fingerprint(self, name: str) -> str:
        """Of a contender's weights."""
        return self.gates[name].fingerprint

    def query(self, request: GenerationRequest, *more: str) -> str:
        """The request's link, with the fingerprints of those who draw it; `more` contenders' may join."""
        names = dict.fromkeys([*(one.name for one in self.duel(request)), *more])
        return request.query({name: self.fingerprint(name) for name in names})

    def read(self, query: Mapping[str, str]) -> tuple[GenerationRequest, list[str]]:
        """The request of a link or a picture's metadata, and what to tell about it."""
        request, notes, theirs = from_query(query, self.gates)
        for name, mark in theirs.items():
            if mark != (here := self.fingerprint(name)):
                one, still = self.contenders[name], ""
                if commit := former(one.kind).get(mark):
                    still = f" Commit {commit} of this project still draws it."
                notes.append(
                    f"Made with other {one.title} weights ({mark}, here {here}): its {one.title} picture may look "
                    f"different.{still}"
                )
        return self.settled(request), notes

    def alone(self, cell: Cell) -> GenerationRequest:
        """A cell's request as a duel that shows it: with its contender as one of the two."""
        shown = [one.name for one in self.duel(cell.request)]
        return cell.request if cell.contender in shown else replace(cell.request, duel=(cell.contender, shown[0]))

    def draw(
        self, cells: Sequence[Cell], stopped: Callable[[], bool] = lambda: False, borrow: bool = True, **settings: str
    ) -> Iterator[Numbered]:
        """(place of the cell, still) of cells: those that take one pass first, then a contender after the other, so
        that a shared GPU is asked for once, or without `borrow` never. Closing the iterator cancels the rest, and so
        does `stopped()`.

        `settings` are the models' own that no request holds, such as the ACGAN's walk.
        """
        groups: dict[tuple[str, bool], list[int]] = {}
        contenders = self.contenders
        for place, cell in enumerate(cells):
            groups.setdefault((cell.contender, cell.timeline), []).append(place)
        for (name, timeline), places in sorted(groups.items(), key=lambda one: contenders[one[0][0]].model.has_steps):
            if stopped():
                return
            requests = [cells[place].request for place in places]
            for number, still in self.gates[name].stills(requests, timeline, stopped, borrow=borrow, **settings):
                yield places[number], still

    def verdicts(
        self, pictures: Sequence[np.ndarray], request: GenerationRequest, course: bool = True
    ) -> list[Verdict]:
        """The judge's verdicts on (64, 64, 3) uint8 pictures of one request, with the course's measure or without."""
        one_thread()
        return self.judge.judge([Image.fromarray(pixels) for pixels in pictures], request.objects, course)

    def watched(self, stills: Sequence[Still], request: GenerationRequest) -> Iterator[tuple[Still, Verdict | None]]:
        """A timeline's frames with their verdicts: by the detector alone, but for the finished picture; none where
        nothing is drawn yet."""
        for still in stills:
            drawn = still.stage == "what"
            yield still, self.verdicts([still.predicted], request, course=still.last)[0] if drawn else None

    def close(self) -> None:
        """Ends every draw at its next step."""
        for gate in self.gates.values():
            gate.close()
