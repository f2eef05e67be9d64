"""The page's public endpoint `/generate`, for gradio_client, plain HTTP and, where `mcp` is installed, as an MCP tool.

It gives typed JSON and a sheet of all pictures. Every picture is a file that knows its own request, so that it can be
opened on the page.
"""

# No deferred annotations here: Gradio counts an endpoint's outputs by the real one.
import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import anyio.to_thread
import gradio as gr
from gradio.events import api

from clevr_demo.objects import InputError
from clevr_demo.request import DEFAULT_STEPS, GenerationRequest
from clevr_demo.serve.addresses import home
from clevr_demo.serve.answer import Answer, Answers, File, result_type, schema
from clevr_demo.serve.asked import asked, truth
from clevr_demo.serve.drawing import work
from clevr_demo.serve.queue import Turn, WaitingLine
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.wording import about
from clevr_demo.ui.internals import called_at, caller_left, describe, fill_in, uploads

MOST_WAITING = 64
"""Draws that may wait in the line; whoever comes then is told how long it is."""
EXAMPLE = [["red cube", "blue sphere"], 7, DEFAULT_STEPS, "dpm", 1, False, {"red cube": [30, 12]}, {"pixels": 3}]


class Endpoint:
    """Answers one call when its turn in the line has come."""

    def __init__(self, studio: Studio, line: WaitingLine) -> None:
        self.line, self.answers = line, Answers(studio, uploads())

    async def answer(self, request: GenerationRequest, timeline: bool) -> Answer:
        """The answer to a checked request; a gr.Error if the line is too long or the caller left before."""
        left, address = caller_left(), home() or called_at()
        follow = partial(self.answers.follow, request, timeline, address, left)
        if self.answers.has(request, timeline):
            answer = await anyio.to_thread.run_sync(follow)
        else:
            with self.line.turn(work(request)) as turn:
                await self._wait(turn, left)
                answer = await anyio.to_thread.run_sync(follow, partial(self.line.report, turn))
        if answer is None:
            raise gr.Error("The call was given up.", print_exception=False)
        return answer

    async def _wait(self, turn: Turn, left: Callable[[], bool]) -> None:
        if (ahead := self.line.ahead(turn)) > MOST_WAITING:
            busy = f"Busy: {ahead} ahead{about(self.line.seconds(turn))}. Try again later."
            raise gr.Error(busy, print_exception=False)
        while self.line.ahead(turn) and not left():
            await asyncio.sleep(0.05)


def add_api(demo: gr.Blocks, studio: Studio, line: WaitingLine) -> None:
    """Adds the endpoint `/generate` to the page that is being built."""
    endpoint = Endpoint(studio, line)

    async def generate(
        labels: list[str],
        seed: int = 7,
        steps: int = DEFAULT_STEPS,
        sampler: Literal["dpm", "unipc", "ddim", "ddpm"] = "dpm",
        pictures: int = 1,
        timeline: bool = False,
        places: dict[str, list[float]] | None = None,
        seeds: dict[str, int] | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Draws a set of objects with a DDPM and an ACGAN and lets an independent judge say what it sees in each
        picture. Equal calls give equal pictures.

        Args:
            labels: objects such as "red cube": a colour (gray, red, blue, green, brown, purple, cyan, yellow) and a
                shape (cube, sphere, cylinder).
            seed: the noise to start from, 0 to 2147483647; picture i has seed + i.
            steps: the DDPM's denoising steps, 1 to 1200; 4 are fast, drawn by a painter distilled for them, 20 are the
                best.
            sampler: the DDPM's sampler: dpm, unipc, ddim or ddpm.
            pictures: pictures a model, 1 to 8; steps times pictures may be 1200 at most.
            timeline: whether every picture comes with the way to it, as a film strip and the judge's words.
            places: where some or all of the objects are to stand: an object's name to its row and column in pixels of
                the 64x64 picture, 0 to 63; the models place the others around them.
            seeds: seeds of single sources of noise, where they are not to be `seed`: places, looks, light and grain of
                the ACGAN, places and pixels of the DDPM.

        Returns:
            Files, costs, places and verdicts of both models' pictures, with the link that shows them; and one sheet
            of all pictures, enlarged: the DDPM's above the ACGAN's.
        """
        try:
            request, ways = asked(labels, seed, steps, sampler, pictures, places, seeds), truth("timeline", timeline)
            return await endpoint.answer(request, ways)  # type: ignore[return-value]
        except InputError as error:
            field = "labels: " if error.field == "objects" else ""
            raise gr.Error(f"{field}{error}", print_exception=False) from None

    # Calls wait in the page's own line.
    function = demo.fns[api(generate, api_name="generate", concurrency_limit=None)["id"]]
    result = result_type([one.name for one in studio.pair])
    describe(function, EXAMPLE, {"result": schema(result), "sheet": schema(File)})
    fill_in(demo, function)
