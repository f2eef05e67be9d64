"""What the measures share: the `Measure` that the table lists, its options, the command as it is printed, and a `Job`
that hands out what a measure needs and keeps what it finds.

A metrics.json holds an entry a measure, "realism", or several where other settings than the default were measured,
"realism, 4 steps". Every entry says which weights, by which command.
"""

from __future__ import annotations

import argparse
import os
import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

import clevr_demo
from clevr_demo.checkpoints import ROOT, CheckpointError, write_metrics
from clevr_demo.generators.protocol import Batched, Generator
from clevr_demo.judge.evaluator import Evaluator
from clevr_demo.models import MODELS, Model
from clevr_demo.request import DEFAULT_STEPS, SAMPLERS
from train.data.iclevr import Pictures, load_pictures
from train.data.layout import Layout
from train.data.lifting import true_layout
from train.learning.course import load_teacher
from train.learning.options import steps
from train.measure.drawing import BATCH, Drawn, draw, seen_layout
from train.measure.prompts import Prompt

FOLDER_HELP = "checkpoint folder: weights, and where the results go (default: in checkpoints/)"


@dataclass
class Job:
    """One run of one measure. What it needs is loaded when it is first asked for."""

    options: argparse.Namespace
    command: str

    @property
    def folder(self) -> Path:
        """Where the model's checkpoint lies and the results go; the detector's where no model is measured."""
        return getattr(self.options, "checkpoint", None) or ROOT / getattr(self.options, "model", "detector")

    @property
    def kind(self) -> Model:
        """What the registry says of the model."""
        return MODELS[self.options.model]

    @cached_property
    def model(self) -> Generator:
        model = self.kind.load(self.folder, self.options.device)
        if isinstance(model, Batched):
            model.chunk = BATCH
        return model

    @cached_property
    def judge(self) -> Evaluator:
        return clevr_demo.load_evaluator(self.options.evaluator, self.options.device)

    @cached_property
    def teacher(self) -> nn.Module:
        return load_teacher().eval().requires_grad_(False)

    @cached_property
    def pictures(self) -> Pictures:
        return load_pictures(self.options.data)

    @cached_property
    def layout(self) -> Layout:
        """Where all pictures' objects truly stand."""
        return true_layout(self.pictures)

    def check(self) -> None:
        """Before anything is drawn: the folder is there, what it found can be written, and the model is of its kind.

        Raises:
            CheckpointError: names the folder, or the file in it that does not fit.
            OSError: names what may not be written.
        """
        if not self.folder.is_dir():
            raise CheckpointError(f"{self.folder}: no such folder")
        with tempfile.NamedTemporaryFile(dir=self.folder):
            pass
        if hasattr(self.options, "model"):
            self.model  # noqa: B018  # loads it

    def settings_of(self, **options: Any) -> dict[str, Any]:
        """Of some options, those that decide how the model draws; one without steps draws in one."""
        own = {name: options[name] for name in self.kind.settings if name in options}
        return {"steps": options["steps"] if self.kind.has_steps else 1} | own

    @property
    def settings(self) -> dict[str, Any]:
        """How the model draws."""
        return self.settings_of(**vars(self.options))

    @property
    def variant(self) -> str:
        """What an entry's name carries where the model does not draw by the default settings."""
        if self.settings == self.settings_of(steps=DEFAULT_STEPS, sampler=SAMPLERS[0]):
            return ""
        sampler = self.settings.get("sampler", SAMPLERS[0])
        return f", {self.settings['steps']} steps" + (f" of {sampler}" if sampler != SAMPLERS[0] else "")

    def draw(self, prompts: Sequence[Prompt], repeat: int = 0, what: str = "", **changes: Any) -> Drawn:
        """One picture a prompt, by the command line's settings or others."""
        return draw(self.model, prompts, repeat, what, **self.settings | changes)

    def located(self, drawn: Drawn) -> Layout:
        """Where the model meant the objects to stand, or, if it does not say, where the detector sees them."""
        return drawn.layout or seen_layout(self.judge, drawn.pixels)

    def signed(self, found: Mapping[str, Any], *by: str) -> dict[str, Any]:
        """An entry of metrics.json: what was found, of which model or by which judge, by which command."""
        return {**found, **{part: getattr(self, part).name for part in by}, "command": self.command}

    def record(self, name: str, found: Mapping[str, Any], *by: str) -> None:
        """Sets one entry of the folder's metrics.json, leaving the others."""
        write_metrics(self.folder, {name: self.signed(found, *(by or ("model",)))})


@dataclass(frozen=True)
class Measure:
    """One line of the table of measures.

    `about` says in its first sentence what is measured, and then how, and whose idea it was; `needs` are of "data",
    "model", "judge" and "teacher"; `options` are its own, each with what argparse takes of it; `run` measures and
    records; `card` makes the part of a model card between the markers of the measure's name, from the folder and the
    measure's entries of its metrics.
    """

    name: str
    about: str
    needs: tuple[str, ...]
    run: Callable[[Job], None]
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    card: Callable[[Path, Mapping[str, Any]], str] | None = None


def add_common(parser: argparse.ArgumentParser, needs: tuple[str, ...]) -> None:
    """The options that mean the same for every measure; each gets those that its needs call for."""
    if "data" in needs:
        parser.add_argument("--data", type=Path, default=Path("data/iclevr"), help="folder with train.json")
    if "model" in needs:
        parser.add_argument("--model", required=True, choices=sorted(MODELS))
    parser.add_argument("--checkpoint", type=Path, help=FOLDER_HELP)
    if "model" in needs:
        parser.add_argument("--steps", type=steps, default=DEFAULT_STEPS, help="steps of a model that has them")
        parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0], help="sampler of a diffusion model")
    if "judge" in needs:
        parser.add_argument("--evaluator", type=Path, help="another classifier: a folder or the course's .pth")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])


def command_of(parser: argparse.ArgumentParser, name: str, options: argparse.Namespace) -> str:
    """The command that was run, with all its arguments, the defaults as well."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    launch = ["accelerate", "launch", "--multi_gpu", "--num_processes", str(processes)]  # several on a CPU, too
    words = [*(["python"] if processes == 1 else launch), "-m", "train.measure", name]
    for action in parser._actions:
        value = getattr(options, action.dest, None)
        if value is None or value is False:
            continue
        words += action.option_strings[:1]
        if value is not True:
            words += [str(part) for part in (value if isinstance(value, (list, tuple)) else [value])]
    return shlex.join(words)
