"""Makes records: draws what a set asks for, one picture at a time as the page does, and keeps a row of each.

    rows, _ = made(job, "test", 20, PartialState())    # read where the folder has them, drawn where it lacks them

Rows are kept every `CHUNK` pictures, so a stopped run goes on where it was. Under `accelerate launch` the pictures are
shared out; the rows are those of one process.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from PIL import Image
from tqdm.auto import tqdm

from clevr_demo.judge.evaluator import Verdict, topk_hits
from clevr_demo.models import Contender
from clevr_demo.objects import multi_hot
from clevr_demo.pictures import from_image
from clevr_demo.places import Given
from clevr_demo.records import Record, read, seen, write
from clevr_demo.request import DEFAULT_STEPS, SAMPLERS, GenerationRequest
from clevr_demo.serve.gate import Gate, Still
from clevr_demo.serve.studio import Cell, Studio
from train.measure.drawing import seeds_of
from train.measure.job import Job
from train.measure.prompts import ANYWHERE, NUMBERS, SCENES, Prompt, read_prompts, scenes

CHUNK = 16
"""Pictures that a process draws between two times that rows are kept."""


@dataclass(frozen=True)
class Asked:
    """A set: what it is called, and for each of its prompts the objects and the places that are given."""

    name: str
    prompts: list[Prompt]
    places: list[Given]

    @classmethod
    def of(cls, job: Job, name: str) -> Asked:
        """The set of a name, or of a prompt file; a DataError names a file that is missing or broken."""
        if name == ANYWHERE:
            given = [scene for count in range(1, len(NUMBERS) + 1) for scene in scenes(count, SCENES)]
            return cls(name, [tuple(scene) for scene in given], given)
        prompts = read_prompts(name, job.options.data, lambda: job.pictures)
        return cls(name, prompts, [{}] * len(prompts))

    @cached_property
    def digest(self) -> str:
        """Of all that it asks for."""
        places = [sorted(given.items()) for given in self.places]
        return hashlib.sha256(json.dumps([self.prompts, places]).encode()).hexdigest()[:8]


class Recorder:
    """Draws and judges one picture at a time with a job's model and judge, through the page's own studio."""

    def __init__(self, job: Job) -> None:
        self.job = job
        contender = Contender(job.kind.kind, job.kind.kind, job.folder)
        gate = Gate(contender, lambda device: job.model, job.options.device)
        self.studio = Studio({contender.name: gate}, job.judge)
        self.steps = job.settings["steps"] if job.kind.has_steps else 0
        self.sampler = job.settings.get("sampler", "")

    def request(
        self, objects: Sequence[int], seed: int = 0, places: Mapping[Any, Any] | None = None
    ) -> GenerationRequest:
        """A request by the job's settings, the usual ones where the model has none."""
        how = self.steps or DEFAULT_STEPS, self.sampler or SAMPLERS[0]
        return GenerationRequest.of(objects, seed, *how, places=places)

    def requests(self, asked: Asked, repeats: int) -> list[GenerationRequest]:
        """Every prompt of a set once a repeat, from seeds that no two share."""
        every = [*zip(asked.prompts, asked.places, strict=True)]
        seeds = [seeds_of(repeat, len(every)) for repeat in range(repeats)]
        return [
            self.request(prompt, seed, given) for row in seeds for seed, (prompt, given) in zip(row, every, strict=True)
        ]

    def draw(self, request: GenerationRequest) -> Still:
        """The finished picture."""
        *_, (_, still) = self.studio.draw([Cell(self.job.kind.kind, request)])
        return still

    def row(self, name: str, digest: str, request: GenerationRequest) -> Record:
        """The record of a picture of a set."""
        still = self.draw(request)
        verdict = self.studio.verdicts([still.predicted], request)[0]
        facts = {"model": self.job.model.name, "steps": self.steps, "sampler": self.sampler, "seconds": still.seconds}
        return recorded(self.job, still.predicted, request, verdict, prompts=name, digest=digest, **facts)


@torch.inference_mode()
def recorded(job: Job, pixels: np.ndarray, request: GenerationRequest, verdict: Verdict, **facts: Any) -> Record:
    """The record of a picture of (64, 64, 3) uint8 pixels that was judged, and other facts of it."""
    logits = job.teacher(from_image(Image.fromarray(pixels))[None])
    teacher = int(topk_hits(logits, multi_hot([request.objects]))[0])
    asked: dict[str, Any] = {
        "judge": job.judge.name,
        "seed": request.seed,
        "objects": request.objects,
        "at": request.places,
    }
    return Record(**asked, **seen(request, verdict), **facts, teacher=teacher)


def processor() -> str:
    """What kind of processor draws here: on another kind some sums round otherwise, and now and then a verdict."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{(names or [platform.machine()])[0]}, {torch.backends.cpu.get_cpu_capability()}"


def keep(job: Job, fresh: Iterable[Record]) -> None:
    """Adds rows to the folder's records, and leaves out those of weights that are there no longer."""
    rows = {row.key: row for row in (*read(job.folder), *fresh)}
    write(job.folder, (row for row in rows.values() if row.model == job.model.name))


def there(job: Job, recorder: Recorder, asked: Asked) -> dict[int, Record]:
    """The rows of a set that the folder holds, by the seed."""
    like = (job.model.name, job.judge.name, asked.name, asked.digest, recorder.steps, recorder.sampler)
    return {row.seed: row for row in read(job.folder) if row.key[:-1] == like}


def drawn(
    recorder: Recorder, asked: Asked, requests: list[GenerationRequest], state: PartialState
) -> Iterator[list[Record]]:
    """The rows of the requests, a part at a time, of all processes together."""
    count = state.num_processes
    bar = tqdm(
        total=len(requests),
        desc=f"{asked.name}{recorder.job.variant}",
        unit="picture",
        disable=not state.is_main_process,
    )
    for start in range(0, len(requests), CHUNK * count):
        part = requests[start : start + CHUNK * count]
        rows = [recorder.row(asked.name, asked.digest, one) for one in part[state.process_index :: count]]
        yield gather_object(rows) if count > 1 else rows
        bar.update(len(part))
    bar.close()


def made(job: Job, name: str, seeds: int, state: PartialState) -> tuple[list[Record], bool]:
    """The rows of a set in the order of its seeds, each of which is there or is drawn, and whether any was drawn."""
    asked, recorder = Asked.of(job, name), Recorder(job)
    requests, fresh = {request.seed: request for request in recorder.requests(asked, seeds)}, False
    while missing := requests.keys() - there(job, recorder, asked).keys():  # again, if another command wrote meanwhile
        fresh = True
        state.wait_for_everyone()
        for rows in drawn(recorder, asked, [requests[seed] for seed in sorted(missing)], state):
            if state.is_main_process:
                keep(job, rows)
        state.wait_for_everyone()
    found = there(job, recorder, asked)
    return [found[seed] for seed in requests], fresh
