"""What the endpoint answers: typed JSON with files, and its schema for those who read Gradio's description.

answers = Answers(studio, folder)
result, sheet = answers.follow(request, timeline=False, address="http://127.0.0.1:7860/")
"""

# No deferred annotations here: TypedDict reads NotRequired off the real ones.
import copy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NotRequired

from PIL import Image
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from clevr_demo.pictures import enlarged, film_strip, png
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.downloads import Shelf
from clevr_demo.serve.gate import Still
from clevr_demo.serve.shared import Shared
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.verdicts import Judged, Place, plain, plain_places
from clevr_demo.serve.wording import beyond

KEPT = 256
"""Answers that are kept for equal requests and for those who fetch their files later."""
SHEET_SCALE = 4


class File(TypedDict):
    """A file as Gradio's clients know it; `url` is where to fetch it."""

    path: str
    url: NotRequired[str]
    orig_name: str
    mime_type: str
    meta: dict[str, str]


class Step(TypedDict):
    """One column of a timeline's film strip."""

    timestep: int
    stage: str
    sentence: str


class Timeline(TypedDict):
    """The way to a picture: a film strip, the noisy pictures above the model's estimates, and what the judge says."""

    strip: File
    steps: list[Step]


class Picture(TypedDict):
    """One picture, what it cost and what came of it."""

    model: str
    seed: int
    file: File
    seconds: float
    evaluations: int
    places: list[Place]
    verdict: Judged
    timeline: NotRequired[Timeline]


Result = dict[str, Any]
"""Everything that a call gives, see `result_type`."""
Answer = tuple[Result, File]


def result_type(contenders: Sequence[str]) -> Any:
    """The TypedDict of a call's result: link, query, what is worth knowing about how it was drawn (mostly nothing), and
    the pictures of each contender."""
    told = {"link": str, "query": str, "notice": str}
    return TypedDict("Result", told | dict.fromkeys(contenders, list[Picture]))  # type: ignore[operator]


def schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type in one piece and without our docstrings, as Gradio writes it out in a line."""
    whole = TypeAdapter(kind).json_schema()
    named = whole.pop("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, dict):
            part = named[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
            return {name: inlined(one) for name, one in part.items() if name != "description"}
        return [inlined(one) for one in part] if isinstance(part, list) else part

    return inlined(whole)


class Answers:
    """Draws, judges and files, once for equal requests; the files go with the answer."""

    def __init__(self, studio: Studio, place: Path) -> None:
        """`place` is where the files shall lie."""
        self.studio, self.shelf = studio, Shelf(place=place)
        self.answers = Shared[Answer](KEPT, dropped=lambda key, answer: self.shelf.drop(key))

    def key(self, request: GenerationRequest, timeline: bool) -> str:
        return f"{self.studio.query(request)}&timeline={int(timeline)}"

    def has(self, request: GenerationRequest, timeline: bool) -> bool:
        """Whether an answer costs no draw."""
        return self.key(request, timeline) in self.answers

    def follow(
        self, request: GenerationRequest, timeline: bool, address: str, stopped: Callable[[], bool] = lambda: False,
        report: Callable[[float], None] = lambda done: None,
    ) -> Answer | None:  # fmt: skip
        """The answer, whose link starts with `address`, drawn here or by another caller; None once `stopped()`.

        `report` is told the share of the work that is done here.
        """
        key, own = self.key(request, timeline), list[str]()

        def draw() -> Iterator[Answer]:
            for answer in self._draw(request, timeline, key, stopped, report):
                own.append(answer[0]["notice"])
                yield answer

        answers = list(self.answers.follow(key, draw, stopped))
        if not answers:
            return None
        result, sheet = answers[-1]
        met = own[-1] if own else ""  # what another caller's drawing met with is no news for this one
        notice = f"{met} {beyond(request)}".strip()
        # Gradio writes the address of whoever is answered into the files, which others are given too.
        return copy.deepcopy(({**result, "link": f"{address}?{result['query']}", "notice": notice}, sheet))

    def _draw(
        self, request: GenerationRequest, timeline: bool, key: str, stopped: Callable[[], bool],
        report: Callable[[float], None],
    ) -> Iterator[Answer]:  # fmt: skip
        singles = [request.single(number) for number in range(request.pictures)]
        names = [one.name for one in self.studio.duel(request)]
        cells = [Cell(name, single, timeline) for name in names for single in singles]
        drawn: list[list[Still]] = [[] for _ in cells]
        total = sum(one.passes(request) * request.pictures for one in self.studio.duel(request))
        for place, still in self.studio.draw(cells, stopped):
            drawn[place].append(still)
            report(min(1.0, sum(stills[-1].evaluations for stills in drawn if stills) / total))
        if not all(stills and stills[-1].last for stills in drawn):
            return
        result: Result = {
            "link": "",
            "query": self.studio.query(request),
            "notice": next((still.notice for stills in drawn for still in stills if still.notice), ""),
            **{name: [] for name in names},
        }
        for cell, stills in zip(cells, drawn, strict=True):
            result[cell.contender].append(self._picture(cell, stills, key))
        pictures = [Image.fromarray(stills[-1].predicted) for stills in drawn]
        sheet = film_strip([pictures[row : row + len(singles)] for row in range(0, len(cells), len(singles))])
        yield result, self._file(key, f"{request.stem}_all.png", enlarged(sheet, SHEET_SCALE), result["query"])

    def _picture(self, cell: Cell, stills: list[Still], key: str) -> Picture:
        query, stem = self.studio.query(cell.request), f"{cell.request.stem}_{cell.contender}"
        last = stills[-1]
        verdicts = self.studio.verdicts([still.predicted for still in stills], cell.request)
        picture: Picture = {
            "model": self.studio.gates[cell.contender].model.name,
            "seed": cell.request.seed,
            "file": self._file(key, f"{stem}.png", Image.fromarray(last.predicted), query),
            "seconds": round(last.seconds, 3),
            "evaluations": last.evaluations,
            "places": plain_places(last.places),
            "verdict": plain(verdicts[-1]),
        }
        if cell.timeline:
            rows = [[Image.fromarray(getattr(still, part)) for still in stills] for part in ("noisy", "predicted")]
            steps: list[Step] = [
                {"timestep": still.timestep, "stage": still.stage, "sentence": verdict.sentence}
                for still, verdict in zip(stills, verdicts, strict=True)
            ]
            strip = self._file(key, f"{stem}_timeline.png", film_strip(rows), query)
            picture["timeline"] = {"strip": strip, "steps": steps}
        return picture

    def _file(self, key: str, name: str, image: Image.Image, query: str) -> File:
        """A PNG beside those of the same answer, which knows its query."""
        path = self.shelf.put(key, {name: png(image, query)})[0]
        told = {"_type": "gradio.FileData"}
        return {"path": str(path.resolve()), "orig_name": name, "mime_type": "image/png", "meta": told}
