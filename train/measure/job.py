"""What the measures share: the `Measure` that the table lists, its options, the command as it is printed, and a `Job`
that hands out what a measure needs and keeps what it finds.

A metrics.json holds an entry a measure, "realism", or several where other settings than the default were measured,
"realism, 4 steps". Every entry says which weights, by which command.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

import clevr_demo
from clevr_demo.checkpoints import ROOT, write_json
from clevr_demo.generators.protocol import Generator
from clevr_demo.judge.evaluator import Evaluator
from clevr_demo.request import DEFAULT_STEPS, SAMPLERS
from train.data.iclevr import Pictures, load_pictures
from train.data.layout import Layout, find_layout
from train.learning.course import load_teacher

METRICS = "metrics.json"
FOLDER_HELP = "checkpoint folder: weights, and where the results go (default: in checkpoints/)"
PASS = 32  # pictures that a diffusion model draws in one pass here; the page takes one, for the same pixels everywhere


@dataclass(frozen=True)
class Measure:
    """One line of the table of measures.

    `needs` are of "data", "model", "judge" and "teacher"; `options` adds the measure's own; `card` makes the part of
    a model card between the markers of the measure's name, from the folder and the measure's entries of its metrics.
    """

    name: str
    what: str
    needs: tuple[str, ...]
    how: str
    source: str
    options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Job], None]
    card: Callable[[Path, Mapping[str, Any]], str] | None = None


@dataclass
class Job:
    """One run of one measure. What it needs is loaded when it is first asked for."""

    options: argparse.Namespace
    command: str

    @property
    def folder(self) -> Path:
        """Where the model's checkpoint lies and the results go; the detector's where no model is measured."""
        return getattr(self.options, "checkpoint", None) or ROOT / getattr(self.options, "model", "detector")

    @cached_property
    def model(self) -> Generator:
        model: Any = clevr_demo.load(self.options.model, self.folder, self.options.device)
        if hasattr(model, "chunk"):
            model.chunk = PASS
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
        """Where all pictures' objects stand."""
        return find_layout(self.pictures)

    @property
    def settings(self) -> dict[str, Any]:
        """How the model draws: a diffusion model's steps and sampler; a GAN draws in one."""
        if self.options.model != "ddpm":
            return {"steps": 1}
        return {"steps": self.options.steps, "sampler": self.options.sampler}

    @property
    def variant(self) -> str:
        """What an entry's name carries where the model does not draw by the default settings."""
        steps, sampler = (f"{self.options.steps} steps", self.options.sampler)
        usual = self.options.model != "ddpm" or (self.options.steps == DEFAULT_STEPS and sampler == "dpm")
        return "" if usual else f", {steps}" + (f" of {sampler}" if sampler != "dpm" else "")

    def record(self, name: str, found: Mapping[str, Any]) -> None:
        """Sets one entry of the folder's metrics.json, leaving the others."""
        write_json(self.folder / METRICS, read_metrics(self.folder) | {name: dict(found)})


def read_metrics(folder: Path) -> dict[str, Any]:
    path = folder / METRICS
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def add_common(parser: argparse.ArgumentParser, needs: tuple[str, ...]) -> None:
    """The options that mean the same for every measure; each gets those that its needs call for."""
    if "data" in needs:
        parser.add_argument("--data", type=Path, default=Path("data/iclevr"), help="folder with train.json")
    if "model" in needs:
        parser.add_argument("--model", required=True, choices=sorted(clevr_demo.LOADERS))
        parser.add_argument("--checkpoint", type=Path, help=FOLDER_HELP)
        parser.add_argument("--steps", type=int, default=DEFAULT_STEPS, help="steps of a diffusion model")
        parser.add_argument("--sampler", choices=SAMPLERS, default="dpm", help="sampler of a diffusion model")
    else:
        parser.add_argument("--checkpoint", type=Path, help=FOLDER_HELP)
    if "judge" in needs:
        parser.add_argument("--evaluator", type=Path, help="another classifier: a folder or the course's .pth")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])


def command_of(parser: argparse.ArgumentParser, name: str, options: argparse.Namespace) -> str:
    """The command that was run, with all its arguments, the defaults as well."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    words = ["python", "-m"] if processes == 1 else ["accelerate", "launch", "--num_processes", str(processes), "-m"]
    words += ["train.measure", name]
    for action in parser._actions:
        value = getattr(options, action.dest, None)
        if value is None or value is False:
            continue
        words.append(action.option_strings[0])
        if value is not True:
            words += [str(part) for part in (value if isinstance(value, (list, tuple)) else [value])]
    return shlex.join(words)
