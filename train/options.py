"""What the trainers' command lines share: options, presets, errors in one line, and the start of a run."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from clevr_demo.checkpoints import CheckpointError
from clevr_demo.request import MAX_SEED
from train.batches import Examples
from train.data import DataError, Pictures, load_pictures
from train.loop import LoopSettings, Run, Task
from train.runfolder import RunError


def clear_errors(main: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose user's mistakes end it with one line that names the culprit, not with a stack trace."""

    @functools.wraps(main)
    def command(*arguments: Any, **named: Any) -> Any:
        try:
            return main(*arguments, **named)
        except (DataError, CheckpointError, RunError) as error:
            sys.exit(f"error: {error}")
        except OSError as error:  # a full disk, a folder that may not be written
            sys.exit(f"error: {error.filename or 'file'}: {error.strerror or error}")

    return command


def between(kind: Callable[[str], Any], low: float, high: float = math.inf) -> Callable[[str], Any]:
    """Reads a number of the command line that lies between two others, both included."""

    def number(text: str) -> Any:  # argparse tells this name
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return value

    return number


def arguments(description: str, presets: dict[str, Any], default: str = "default") -> argparse.ArgumentParser:
    """The options that every trainer has; `default` names the preset that is trained unless another is asked for."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="folder with train.json and the pictures")
    parser.add_argument("--preset", choices=sorted(presets), default=default)
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/NAME-PRESET)")
    parser.add_argument(
        "--pictures", type=between(int, 1), help="length of the run in training pictures (default: the preset's)"
    )
    parser.add_argument("--seed", type=between(int, 0, MAX_SEED), help="default: the preset's")
    parser.add_argument("--max-minutes", type=between(float, 0), default=math.inf, help="stop cleanly after this time")
    parser.add_argument("--save-minutes", type=between(float, 0), default=5.0, help="time between checkpoints")
    parser.add_argument("--compile", action="store_true", help="torch.compile the networks")
    parser.add_argument("--dry-run", action="store_true", help="print the settings and stop")
    return parser


def chosen(presets: dict[str, Any], options: argparse.Namespace) -> Any:
    """The preset with the command line's settings on top, printed; the networks are then made from its seed."""
    preset = presets[options.preset]
    loop: LoopSettings = preset.loop
    seed = loop.seed if options.seed is None else options.seed
    preset = dataclasses.replace(
        preset, loop=dataclasses.replace(loop, seed=seed, pictures=options.pictures or loop.pictures)
    )
    print(json.dumps(dataclasses.asdict(preset), indent=2))
    torch.manual_seed(seed)
    return preset


def training_pictures(options: argparse.Namespace) -> Pictures:
    """The training scenes; for the report's presets all pictures, as the report trained on."""
    pictures = load_pictures(options.data)
    return pictures if options.preset.startswith("report") else pictures.split()[0]


def train_task(
    name: str, options: argparse.Namespace, task: Task, training: Pictures | Examples, loop: LoopSettings
) -> Run:
    """Starts the run in its folder, or goes on with it."""
    run = Run(task, training, loop, options.out or Path("runs") / f"{name}-{options.preset}", options.compile)
    run.train(options.max_minutes, options.save_minutes)
    return run
