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
from train.batches import Examples
from train.data import DataError, Pictures, load_pictures
from train.loop import LoopSettings, Run, Task


def clear_errors(main: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose user's mistakes end it with one line that names the culprit, not with a stack trace."""

    @functools.wraps(main)
    def command(*arguments: Any, **named: Any) -> Any:
        try:
            return main(*arguments, **named)
        except (DataError, CheckpointError) as error:
            sys.exit(f"error: {error}")

    return command


def arguments(description: str, presets: dict[str, Any], default: str = "default") -> argparse.ArgumentParser:
    """The options that every trainer has; `default` names the preset that is trained unless another is asked for."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="folder with train.json and the pictures")
    parser.add_argument("--preset", choices=sorted(presets), default=default)
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/NAME-PRESET)")
    parser.add_argument("--pictures", type=int, help="length of the run in training pictures (default: the preset's)")
    parser.add_argument("--seed", type=int, help="default: the preset's")
    parser.add_argument("--max-minutes", type=float, default=math.inf, help="stop cleanly after this time")
    parser.add_argument("--save-minutes", type=float, default=5.0, help="time between checkpoints")
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
