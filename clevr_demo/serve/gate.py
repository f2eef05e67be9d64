"""The gate to a contender: whatever is drawn goes through it, on a GPU where one is to be had.

    for number, still in gate.stills([request]):          # the timeline of every picture, one picture after the other
    for number, still in gate.stills(requests, timeline=False):       # the finished pictures alone, in batches

A model that is worth a GPU takes one where there is one; the others are so small that they stay on the CPU. On a hosted
Space with a shared GPU (ZeroGPU) the weights lie packed on disk and only a forked process that holds the GPU can use
them. It is asked for once a call, however many pictures that draws. If the visitor's quota is used up, if
no GPU comes in time or if it is lost on the way, a second copy of the weights draws what is missing on the CPU, and
every still of it says so in one sentence, as those of a GPU's half precision do.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch

from clevr_demo.generators.protocol import Batched, Frame, Generator
from clevr_demo.models import Contender
from clevr_demo.pictures import to_uint8
from clevr_demo.places import Places
from clevr_demo.request import GenerationRequest

BATCH = 16
"""Pictures that a GPU draws at a time."""
AT_ONCE_ON_GPU = 8
"""Visitors whose draws a GPU takes at the same time; a shared GPU has a line of its own."""
HALF = "A GPU drew this in half precision: a picture that the CPU draws differs a little."
QUOTA = "The GPU time of this visit is used up, so the CPU draws: the same picture, but slower."
NO_GPU = "No GPU could be had, so the CPU draws: the same picture, but slower."
Numbered = tuple[int, "Still"]


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared_gpu() -> bool:
    """Whether this is a Space that borrows its GPU for every call."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def draws_at_once() -> int:
    """How many draws may go on at a time: one a core, as each draws with one thread, or as many as a GPU takes."""
    return AT_ONCE_ON_GPU if shared_gpu() or torch.cuda.is_available() else cores()


def one_thread() -> None:
    """Lets torch use a single thread in the calling one.

    How many threads share a sum decides how it is rounded, and so a link's pixels, now and then by one level. With
    one, a picture is the same on machines of any number of cores; several pictures use several cores.
    """
    torch.set_num_threads(1)


@dataclass(frozen=True)
class Still:
    """A frame as plain values, which a forked GPU process can send: two (64, 64, 3) uint8 arrays.

    `seconds` and `evaluations` count from the picture's start, without the time the caller took between frames.
    `last` marks the finished picture, and `notice` says what the visitor should know about how it was drawn.
    """

    index: int
    timestep: int
    noisy: np.ndarray
    predicted: np.ndarray
    seconds: float
    evaluations: int
    last: bool = False
    stage: str = "what"
    places: Places = Places()
    notice: str = ""

    @classmethod
    def of(cls, frame: Frame, seconds: float, evaluations: int, last: bool) -> Self:
        noisy, predicted = to_uint8(frame.noisy_pixels), to_uint8(frame.predicted_pixels)
        cost = seconds, evaluations
        return cls(frame.index, frame.timestep, noisy, predicted, *cost, last, frame.stage, frame.places)


def streamed(model: Generator, request: GenerationRequest, settings: Mapping[str, Any]) -> Iterator[Still]:
    """A picture's frames, each as soon as it is made; closing the iterator cancels the rest."""
    frames = model.stream(request.objects, request.seed, request.steps, **settings)
    seconds, evaluations = 0.0, 0
    while True:
        one_thread()  # here, as every step may run in another thread
        started = time.perf_counter()
        frame = next(frames, None)
        seconds += time.perf_counter() - started
        if frame is None:
            return
        evaluations += frame.stage == "what"
        yield Still.of(frame, seconds, evaluations, last=evaluations == request.steps)


def batches(requests: Sequence[GenerationRequest]) -> list[list[int]]:
    """Places of requests that one batch can draw, as they share steps and settings."""
    alike: dict[tuple[int, str], list[int]] = {}
    for number, request in enumerate(requests):
        alike.setdefault((request.steps, request.sampler), []).append(number)
    return [group[start : start + BATCH] for group in alike.values() for start in range(0, len(group), BATCH)]


def finished(model: Generator, contender: Contender, requests: Sequence[GenerationRequest]) -> Iterator[Numbered]:
    """The finished pictures alone, batch by batch."""
    one_thread()
    for batch in batches(requests):
        some = [requests[number] for number in batch]
        objects, seeds = [one.objects for one in some], [one.seed for one in some]
        settings, fixed = contender.keywords(some[0]), [contender.fixed(one) for one in some]
        if any(fixed):
            settings["places"] = [one.get("places") for one in fixed]
            settings["source_seeds"] = [one.get("seeds") for one in fixed]
        drawn = model.generate_batch(objects, seeds, some[0].steps, timeline=False, **settings)
        for number, result in zip(batch, drawn, strict=True):
            yield number, Still.of(result.frames[-1], result.seconds, result.evaluations, last=True)


def gpu_seconds(name: str, requests: Sequence[GenerationRequest], timeline: bool) -> int:
    """What to ask of a shared GPU: quota is charged by this, so it stays close to the need."""
    steps = (one.steps for one in requests) if timeline else (requests[batch[0]].steps for batch in batches(requests))
    return 4 + sum(steps) // 20


def on_gpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """Runs a module-level function on a hosted Space's shared GPU; anywhere else the function itself."""
    if not shared_gpu():
        return function
    import spaces

    return spaces.GPU(duration=gpu_seconds)(function)


_on_gpu: dict[str, tuple[Contender, Generator]] = {}  # by contender: a forked GPU process finds the model here


@on_gpu
def gpu_stills(name: str, requests: Sequence[GenerationRequest], timeline: bool) -> Iterator[Numbered]:
    """What `Gate.stills` gives, drawn by the contender's model on the GPU; only plain values go in and come out."""
    contender, model = _on_gpu[name]
    if not timeline:
        yield from finished(model, contender, requests)
        return
    for number, request in enumerate(requests):
        for still in streamed(model, request, contender.keywords(request) | contender.fixed(request)):
            yield number, still


def excuse(error: Exception) -> str:
    """One sentence for the visitor on why the CPU draws."""
    return QUOTA if "quota" in str(getattr(error, "title", "")).lower() else NO_GPU


class Gate:
    """Draws with one contender; `load(device)` makes its model. A second copy, made when it is first needed, draws on
    the CPU where the GPU fails."""

    def __init__(self, contender: Contender, load: Callable[[str], Generator], device: str = "auto") -> None:
        self.contender, self._load = contender, load
        self.model = load(device if contender.model.on_gpu else "cpu")
        self.has_gpu = self.model.device.type == "cuda"
        self._spare = None if self.has_gpu else self.model
        self._lock, self._turn = threading.Lock(), threading.BoundedSemaphore(cores())
        self._closed = threading.Event()
        if self.has_gpu:
            _on_gpu[contender.name] = contender, self.model
            if isinstance(self.model, Batched):
                self.model.chunk = BATCH  # a GPU rounds otherwise than a CPU anyway, and is as fast with many

    @property
    def fingerprint(self) -> str:
        """Of the weights, as links carry it."""
        return self.model.name.partition("@")[2]

    def stills(
        self,
        requests: Sequence[GenerationRequest],
        timeline: bool = True,
        stopped: Callable[[], bool] = lambda: False,
        borrow: bool = True,
        **settings: Any,
    ) -> Iterator[Numbered]:
        """(place of the request, still) for every frame or, without `timeline`, for every finished picture.

        Closing the iterator cancels the rest, and so does `stopped()` once it is true, at the next step. Without
        `borrow` no shared GPU is asked for. `settings` are the model's own that no request holds.
        """
        requests = [self.contender.request(request) for request in requests]
        seen: set[tuple[int, int]] = set()
        notice = ""
        if self.has_gpu and (borrow or not shared_gpu()):
            try:
                for number, still in gpu_stills(self.contender.name, requests, timeline):
                    if stopped():
                        return
                    seen.add((number, -1 if still.last else still.index))
                    yield number, replace(still, notice=HALF)
                return
            except Exception as error:  # a quota, a busy pool, a lost process: there are many ways, and one answer
                notice = excuse(error)
                print(f"The GPU failed, the CPU draws instead. {type(error).__name__}: {error}", file=sys.stderr)
                if os.environ.get("CLEVR_DEBUG"):
                    traceback.print_exc()
        for number, request in enumerate(requests):
            if (number, -1) in seen:
                continue
            for still in self._on_cpu(request, timeline, stopped, settings):
                if (number, still.index) not in seen:
                    yield number, replace(still, notice=notice)
            if stopped() or self._closed.is_set():
                return

    def on_cpu(self, request: GenerationRequest) -> Iterator[Still]:
        """A picture's frames as a CPU draws them, wherever pictures are drawn else."""
        return self._on_cpu(self.contender.request(request), True, lambda: False, {})

    def close(self) -> None:
        """Ends every draw at its next step."""
        self._closed.set()

    def _on_cpu(
        self, request: GenerationRequest, timeline: bool, stopped: Callable[[], bool], settings: Mapping[str, Any]
    ) -> Iterator[Still]:
        """A picture's frames, or its last one alone."""
        if timeline or self.contender.model.has_steps:  # step by step, so that it can be stopped at any
            keywords = self.contender.keywords(request) | self.contender.fixed(request) | dict(settings)
            frames = streamed(self._cpu_model(), request, keywords)
        else:
            frames = (still for _, still in finished(self._cpu_model(), self.contender, [request]))
        while not (stopped() or self._closed.is_set()):
            with self._turn:  # for one step, so that a visitor who is slow to look keeps nobody waiting
                still = next(frames, None)
            if still is None:
                return
            if timeline or still.last:
                yield still

    def _cpu_model(self) -> Generator:
        with self._lock:
            if self._spare is None:
                self._spare = self._load("cpu")
            return self._spare
