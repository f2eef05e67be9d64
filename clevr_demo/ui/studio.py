"""The models behind the page, and the one place where drawing asks for a GPU.

`Studio.load()` reads the three checkpoints once. The DDPM takes a GPU where there is one; the ACGAN and the judge
are so small that they stay on the CPU, which keeps a borrowed GPU's time for the denoising alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

import clevr_demo
from clevr_demo.acgan import ACGANGenerator
from clevr_demo.diffusion import DiffusionGenerator
from clevr_demo.evaluator import Evaluator, Verdict
from clevr_demo.generator import Frame
from clevr_demo.pictures import to_uint8
from clevr_demo.request import GenerationRequest

WEIGHTS = {"ddpm": "CLEVR_DDPM", "acgan": "CLEVR_ACGAN", "evaluator": "CLEVR_EVALUATOR"}
"""Environment variables that name other checkpoint folders than those that ship with the project."""


@dataclass(frozen=True)
class Still:
    """A frame as plain values, which a forked GPU process can send: two (64, 64, 3) uint8 arrays.

    `seconds` and `evaluations` count from the picture's start, without the time the caller took between frames.
    """

    index: int
    timestep: int
    noisy: np.ndarray
    predicted: np.ndarray
    seconds: float
    evaluations: int


@contextmanager
def counted(network: nn.Module) -> Iterator[list[int]]:
    """A list that grows by the batch size of every pass through the network."""
    passes: list[int] = []
    hook = network.register_forward_hook(lambda module, inputs, output: passes.append(len(inputs[0])))
    try:
        yield passes
    finally:
        hook.remove()


def stills(network: nn.Module, frames: Iterator[Frame]) -> Iterator[Still]:
    """The frames as plain values, with what they cost so far."""
    seconds = 0.0
    with counted(network) as passes:
        while True:
            started = time.perf_counter()
            frame = next(frames, None)
            seconds += time.perf_counter() - started
            if frame is None:
                return
            noisy, predicted = to_uint8(frame.noisy_pixels), to_uint8(frame.predicted_pixels)
            yield Still(frame.index, frame.timestep, noisy, predicted, seconds, sum(passes))


def gpu_seconds(request: GenerationRequest) -> int:
    """What to ask of a shared GPU for one picture: quota is charged by this, so it stays close to the need."""
    return 4 + request.steps // 20


def on_gpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """Runs a module-level function on a hosted Space's shared GPU; anywhere else the function itself."""
    try:
        import spaces
    except ImportError:
        return function
    return spaces.GPU(duration=gpu_seconds)(function)


_ddpm: dict[str, DiffusionGenerator] = {}  # a forked GPU process finds the model here


@on_gpu
def ddpm_stills(request: GenerationRequest) -> Iterator[Still]:
    """The DDPM's frames of one picture, each as soon as it is made."""
    model = _ddpm["model"]
    frames = model.stream(
        request.objects, request.seed, request.steps, sampler=request.sampler, guidance=request.guidance
    )
    yield from stills(model.network, frames)


@dataclass(frozen=True)
class Studio:
    """The two generators and the judge."""

    ddpm: DiffusionGenerator
    acgan: ACGANGenerator
    judge: Evaluator

    @classmethod
    def load(cls) -> Studio:
        """Reads the checkpoints; raises CheckpointError with the name of a file that is missing or does not fit."""
        paths = {name: os.environ.get(variable) for name, variable in WEIGHTS.items()}
        studio = cls(
            ddpm=clevr_demo.load("ddpm", paths["ddpm"]),  # type: ignore[arg-type]
            acgan=clevr_demo.load("acgan", paths["acgan"], device="cpu"),  # type: ignore[arg-type]
            judge=clevr_demo.load_evaluator(paths["evaluator"], device="cpu"),
        )
        _ddpm["model"] = studio.ddpm
        return studio

    @property
    def weights(self) -> dict[str, str]:
        """Fingerprints of both generators' weights, as links carry them."""
        return {model.kind: model.name.partition("@")[2] for model in (self.ddpm, self.acgan)}

    def ddpm_stills(self, request: GenerationRequest) -> Iterator[Still]:
        """The DDPM's frames of one picture; closing the iterator cancels the rest."""
        return ddpm_stills(request)

    def acgan_stills(self, request: GenerationRequest) -> Iterator[Still]:
        """The ACGAN's walk through its latent space, ending in its picture."""
        return stills(self.acgan.network, self.acgan.stream(request.objects, request.seed, request.steps))

    def acgan_picture(self, request: GenerationRequest) -> np.ndarray:
        """The ACGAN's picture in one pass, (64, 64, 3) uint8."""
        drawn = self.acgan.generate_batch([request.objects], [request.seed], request.steps, timeline=False)
        return np.asarray(drawn[0].image)

    def verdicts(self, pictures: list[np.ndarray], request: GenerationRequest) -> list[Verdict]:
        """The judge's verdicts on (64, 64, 3) uint8 pictures of one request, in one pass."""
        return self.judge.judge([Image.fromarray(pixels) for pixels in pictures], request.objects)
