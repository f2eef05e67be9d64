"""The models behind the page: the two generators and the judge.

`Studio.load()` reads the three checkpoints once. The DDPM takes a GPU where there is one and is reached through its
gate alone (see `gate`); the ACGAN and the judge are so small that they stay on the CPU, which keeps a borrowed GPU's
time for the denoising.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

import clevr_demo
from clevr_demo.generators.acgan import ACGANGenerator
from clevr_demo.generators.ddpm import DiffusionGenerator
from clevr_demo.judge.evaluator import Evaluator, Verdict
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.gate import Gate, Still, one_thread, streamed

WEIGHTS = {"ddpm": "CLEVR_DDPM", "acgan": "CLEVR_ACGAN", "evaluator": "CLEVR_EVALUATOR"}
"""Environment variables that name other checkpoint folders than those that ship with the project."""


@dataclass(frozen=True)
class Studio:
    """The two generators, the DDPM's gate and the judge."""

    ddpm: DiffusionGenerator
    acgan: ACGANGenerator
    judge: Evaluator
    gate: Gate

    @classmethod
    def load(cls) -> Studio:
        """Reads the checkpoints; raises CheckpointError with the name of a file that is missing or does not fit."""
        paths = {name: os.environ.get(variable) for name, variable in WEIGHTS.items()}
        ddpm = clevr_demo.load("ddpm", paths["ddpm"])
        return cls(
            ddpm=ddpm,  # type: ignore[arg-type]
            acgan=clevr_demo.load("acgan", paths["acgan"], device="cpu"),  # type: ignore[arg-type]
            judge=clevr_demo.load_evaluator(paths["evaluator"], device="cpu"),
            gate=Gate(ddpm, spare=lambda: clevr_demo.load("ddpm", paths["ddpm"], device="cpu")),
        )

    @property
    def weights(self) -> dict[str, str]:
        """Fingerprints of both generators' weights, as links carry them."""
        return {model.kind: model.name.partition("@")[2] for model in (self.ddpm, self.acgan)}

    def ddpm_stills(self, request: GenerationRequest) -> Iterator[Still]:
        """The DDPM's frames of one picture; closing the iterator cancels the rest."""
        for _, still in self.gate.stills([request]):
            yield still

    def acgan_stills(self, request: GenerationRequest, walk: str = "both") -> Iterator[Still]:
        """The ACGAN's walk through its noise, of "places", "looks" or "both", ending in its picture."""
        return streamed(self.acgan, request, walk=walk)

    def acgan_still(self, request: GenerationRequest) -> Still:
        """The ACGAN's picture, in one pass."""
        one_thread()
        drawn = self.acgan.generate_batch([request.objects], [request.seed], request.steps, timeline=False)[0]
        return Still.of(drawn.frames[-1], drawn.seconds, drawn.evaluations, last=True)

    def verdicts(self, pictures: list[np.ndarray], request: GenerationRequest) -> list[Verdict]:
        """The judge's verdicts on (64, 64, 3) uint8 pictures of one request, in one pass."""
        one_thread()
        return self.judge.judge([Image.fromarray(pixels) for pixels in pictures], request.objects)
