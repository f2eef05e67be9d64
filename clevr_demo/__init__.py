"""Draw i-CLEVR scenes from a set of objects, with a DDPM or an ACGAN, and let an independent evaluator judge them.

    model = clevr_demo.load("ddpm")                    # or "acgan"
    result = model.generate(labels=["red cube", "blue sphere"], seed=7, steps=20)
    judge = clevr_demo.load_evaluator()
    verdict = judge(result.image, labels=["red cube", "blue sphere"])

The same request draws the same pixels, whatever was drawn before or beside it.
"""

from __future__ import annotations

from pathlib import Path

from clevr_demo.checkpoints import CheckpointError, folder_of
from clevr_demo.generators.protocol import Frame, Generation, Generator
from clevr_demo.judge.evaluator import Evaluator, Verdict, load_evaluator
from clevr_demo.models import model_of
from clevr_demo.objects import COLOURS, OBJECTS, SHAPES, InputError
from clevr_demo.request import GenerationRequest

__all__ = [
    "COLOURS", "OBJECTS", "SHAPES", "CheckpointError", "Evaluator", "Frame", "Generation", "GenerationRequest",
    "Generator", "InputError", "Verdict", "load", "load_evaluator",
]  # fmt: skip


def load(name: str, path: str | Path | None = None, device: str = "auto", revision: str | None = None) -> Generator:
    """Loads a generator: "ddpm" or "acgan", from the weights that ship with the project, from a checkpoint folder, or
    from one on the Hugging Face Hub, "owner/name", at a revision of it.

    Raises:
        ValueError: for another name or an unknown device ("auto", "cpu" and "cuda" are known).
        CheckpointError: names the file that is missing or does not fit.
    """
    model = model_of(name)
    return model.load(folder_of(name, path, revision) if revision else path, device)
