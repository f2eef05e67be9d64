"""The page's public endpoint `/generate`, for gradio_client, plain HTTP and, where `mcp` is installed, as an MCP tool.

It gives typed JSON and a sheet of all pictures. Every picture is a file that knows its own request, so that it can be
opened on the page.
"""

# No deferred annotations here: Gradio counts an endpoint's outputs by the real one.
import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal

import anyio.to_thread
import gradio as gr
from gradio.events import api
from PIL import Image

from clevr_demo.objects import InputError
from clevr_demo.pictures import film_strip, png
from clevr_demo.request import DEFAULT_STEPS, GenerationRequest
from clevr_demo.serve.addresses import home
from clevr_demo.serve.answer import Answer, File, Picture, Result, Step, png_file, result_type, schema
from clevr_demo.serve.downloads import Shelf
from clevr_demo.serve.drawing import work
from clevr_demo.serve.gate import Still
from clevr_demo.serve.queue import Line, Place
from clevr_demo.serve.shared import Shared
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.verdicts import plain, plain_places
from clevr_demo.serve.wording import about
from clevr_demo.ui.internals import called_at, caller_left, describe, uploads, with_defaults

MOST_WORK = 1200
"""Steps times pictures of one call, at most: some 40 seconds of one core."""
KEPT = 256
"""Results that are kept for equal requests and for those who fetch their files later."""
SHEET_SCALE = 4
GIVEN_UP = "The call was given up."
MOST_WAITING = 64
"""Draws that may wait in the line; whoever comes then is told how long it is."""
EXAMPLE = [["red cube", "blue sphere"], 7, DEFAULT_STEPS, "dpm", 1, False]


class Endpoint:
    """Draws, judges and files what one call asks for, when its turn in the line has come."""

    def __init__(self, studio: Studio, line: Line) -> None:
        self.studio, self.line = studio, line
        self.shelf = Shelf(place=uploads())  # where Gradio does not copy it again
        self.answers = Shared[Answer](KEPT, dropped=lambda key, answer: self.shelf.drop(key))

    def file(self, key: str, name: str, image: Image.Image, query: str) -> File:
        """A PNG beside those of the same answer, which knows its query."""
        return png_file(self.shelf.put(key, {name: png(image, query)})[0])

    def key(self, request: GenerationRequest, timeline: bool) -> str:
        return f"{self.studio.query(request)}&timeline={int(timeline)}"

    async def answer(self, request: GenerationRequest, timeline: bool) -> Answer:
        """The answer to a checked request; a gr.Error if the line is too long or the caller left before."""
        left, address = caller_left(), home() or called_at()
        if self.key(request, timeline) in self.answers:
            return await anyio.to_thread.run_sync(self._answer, request, timeline, address, left)
        with self.line.place(work(request)) as place:
            await self._turn(place, left)
            report = partial(self.line.report, place)
            return await anyio.to_thread.run_sync(self._answer, request, timeline, address, left, report)

    async def _turn(self, place: Place, left: Callable[[], bool]) -> None:
        if (ahead := self.line.ahead(place)) > MOST_WAITING:
            busy = f"Busy: {ahead} ahead{about(self.line.seconds(place))}. Try again later."
            raise gr.Error(busy, print_exception=False)
        while self.line.ahead(place):
            if left():
                raise gr.Error(GIVEN_UP, print_exception=False)
            await asyncio.sleep(0.05)

    def _answer(
        self, request: GenerationRequest, timeline: bool, address: str, left: Callable[[], bool],
        report: Callable[[float], None] = lambda done: None,
    ) -> Answer:  # fmt: skip
        key, own = self.key(request, timeline), list[str]()

        def draw() -> Iterator[Answer]:
            for answer in self._draw(request, timeline, key, left, report):
                own.append(answer[0]["notice"])
                yield answer

        answers = list(self.answers.follow(key, draw, left))
        if not answers:
            raise gr.Error(GIVEN_UP, print_exception=False)
        result, sheet = answers[-1]
        notice = own[-1] if own else ""  # what another caller's drawing met with is no news for this one
        return {**result, "link": f"{address}?{result['query']}", "notice": notice}, sheet

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
        large = sheet.resize((sheet.width * SHEET_SCALE, sheet.height * SHEET_SCALE), Image.Resampling.NEAREST)
        yield result, self.file(key, f"{request.stem}_all.png", large, result["query"])

    def _picture(self, cell: Cell, stills: list[Still], key: str) -> Picture:
        query, stem = self.studio.query(cell.request), f"{cell.request.stem}_{cell.contender}"
        last = stills[-1]
        verdicts = self.studio.verdicts([still.predicted for still in stills], cell.request)
        picture: Picture = {
            "model": self.studio.gates[cell.contender].model.name,
            "seed": cell.request.seed,
            "file": self.file(key, f"{stem}.png", Image.fromarray(last.predicted), query),
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
            strip = self.file(key, f"{stem}_timeline.png", film_strip(rows), query)
            picture["timeline"] = {"strip": strip, "steps": steps}
        return picture


def add_api(demo: gr.Blocks, studio: Studio, line: Line) -> None:
    """Adds the endpoint `/generate` to the page that is being built."""
    endpoint = Endpoint(studio, line)

    async def generate(
        labels: list[str],
        seed: int = 7,
        steps: int = DEFAULT_STEPS,
        sampler: Literal["dpm", "unipc", "ddim", "ddpm"] = "dpm",
        pictures: int = 1,
        timeline: bool = False,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Draws a set of objects with a DDPM and an ACGAN and lets an independent judge say what it sees in each
        picture. Equal calls give equal pictures.

        Args:
            labels: objects such as "red cube": a colour (gray, red, blue, green, brown, purple, cyan, yellow) and a
                shape (cube, sphere, cylinder).
            seed: the noise to start from, 0 to 2147483647; picture i has seed + i.
            steps: the DDPM's denoising steps, 1 to 1200; 4 are fast, drawn by a painter distilled
                for them, 20 are the best.
            sampler: the DDPM's sampler: dpm, unipc, ddim or ddpm.
            pictures: pictures a model, 1 to 8; steps times pictures may be 1200 at most.
            timeline: whether every picture comes with the way to it, as a film strip and the judge's words.

        Returns:
            Files, costs, places and verdicts of both models' pictures, with the link that shows them; and one sheet
            of all pictures, enlarged: the DDPM's above the ACGAN's.
        """
        try:
            request = GenerationRequest.of(labels, seed, steps, sampler, pictures=pictures)
            if request.steps * request.pictures > MOST_WORK:
                asked = request.steps * request.pictures
                raise InputError("steps", f"steps times pictures may be {MOST_WORK} at most here, not {asked}")
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None
        return await endpoint.answer(request, bool(timeline))  # type: ignore[return-value]

    # Calls wait in the page's own line.
    function = demo.fns[api(generate, api_name="generate", concurrency_limit=None)["id"]]
    result = result_type([one.name for one in studio.pair])
    describe(function, EXAMPLE, {"result": schema(result), "sheet": schema(File)})
    with_defaults(demo, function)
