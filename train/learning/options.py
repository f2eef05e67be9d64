"""What the trainers' command lines share: options, presets, errors in one line, and the start of a run."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError

from clevr_demo.checkpoints import CheckpointError, fault, write_metrics
from clevr_demo.request import MAX_SEED, MAX_STEPS
from train.data.batches import Examples
from train.data.iclevr import DataError, Pictures, load_pictures
from train.learning.loop import Run
from train.learning.runfolder import RunError
from train.learning.start import begin
from train.learning.task import Task


class SettingError(Exception):
    """A setting that a preset does not have; the message names it."""


def clear_errors(main: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose user's mistakes end it with one line that names the culprit, not with a stack trace."""

    @functools.wraps(main)
    def command(*arguments: Any, **named: Any) -> Any:
        try:
            return main(*arguments, **named)
        except (DataError, CheckpointError, RunError, SettingError) as error:
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


positive, not_negative = between(int, 1), between(int, 0)
steps = between(int, 1, MAX_STEPS)


def arguments(description: str, presets: dict[str, Any], default: str = "default") -> argparse.ArgumentParser:
    """The options that every trainer has; `default` names the preset that is trained unless another is asked for."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="folder with train.json and the pictures")
    parser.add_argument("--preset", choices=sorted(presets), default=default)
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/NAME-PRESET)")
    parser.add_argument(
        "--pictures", type=positive, help="length of the run in training pictures (default: the preset's)"
    )
    parser.add_argument("--seed", type=between(int, 0, MAX_SEED), help="default: the preset's")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=VALUE", dest="changes",
        help="other settings of the preset, values as in JSON: --set loop.batch=64 rate=2e-3 model.widths=[48,96,192]",
    )  # fmt: skip
    parser.add_argument("--max-minutes", type=between(float, 0), default=math.inf, help="stop cleanly after this time")
    parser.add_argument("--save-minutes", type=between(float, 0), default=5.0, help="time between checkpoints")
    parser.add_argument(
        "--start",
        nargs="+",
        type=Path,
        help="run or checkpoint whose weights a new run starts from, of several the mean",
    )
    parser.add_argument(
        "--moments", type=not_negative, default=0, metavar="N",
        help="keep the weights of so many moments, evenly in the logarithm of the examples seen",
    )  # fmt: skip
    parser.add_argument("--compile", action="store_true", help="torch.compile the networks")
    parser.add_argument("--dry-run", action="store_true", help="print the settings and stop")
    return parser


def with_changes(preset: Any, changes: list[str]) -> Any:
    """The preset with the settings of `--set` on top, "loop.batch=64", values as in JSON.

    Raises:
        SettingError: names a setting that the preset does not have, or a value that is not of its kind.
    """
    for change in changes:
        name, _, text = change.partition("=")
        *sections, setting = name.split(".")
        values = section = dataclasses.asdict(preset)
        try:
            for one in sections:
                section = section[one]
            section[setting] = json.loads(text)
            preset = TypeAdapter(type(preset)).validate_json(json.dumps(values), strict=True, extra="forbid")
        except ValidationError as error:
            raise SettingError(f"--set {change}: {fault(error)}") from None
        except json.JSONDecodeError as error:
            raise SettingError(f"--set {change}: {error}") from None
        except (KeyError, TypeError):
            raise SettingError(f"--set {change}: there is no setting {name!r}") from None
    return preset


def chosen(presets: dict[str, Any], options: argparse.Namespace) -> Any:
    """The preset with the command line's settings on top, printed; the networks are then made from its seed."""
    own = {"seed": options.seed, "pictures": options.pictures}
    changes = [f"loop.{name}={value}" for name, value in own.items() if value is not None]
    preset = with_changes(presets[options.preset], [*options.changes, *changes])
    print(json.dumps(dataclasses.asdict(preset), indent=2))
    torch.manual_seed(preset.loop.seed)
    return preset


MakeTask = Callable[[Any, Pictures, argparse.Namespace], tuple[Task, Examples]]
"""Makes a preset's task, and the examples that it trains on, out of the training scenes and the command line."""


def train(name: str, presets: dict[str, Any], make_task: MakeTask, options: argparse.Namespace) -> Run | None:
    """Starts the run of a preset in its folder, or goes on with it; None after --dry-run, or where it was stopped."""
    preset = chosen(presets, options)
    if options.dry_run:
        return None
    if options.compile and not any(map(shutil.which, (os.environ.get("CXX", "g++"), "g++", "clang++", "cl"))):
        raise SettingError("--compile needs a C++ compiler such as g++, and there is none; go without it")
    pictures = load_pictures(options.data)
    if not options.preset.startswith("report"):  # the report trained on all pictures
        pictures = pictures.split()[0]
    task, examples = make_task(preset, pictures, options)
    folder = options.out or Path("runs") / f"{name}-{options.preset}"
    start = begin(task, options.start, folder) if options.start else None
    run = Run(task, examples, preset.loop, folder, options.compile, start, options.moments)
    return run if run.train(options.max_minutes, options.save_minutes) else None


def train_and_score(
    name: str,
    presets: dict[str, Any],
    make: Callable[[Any, Pictures], Task],
    score: Callable[[Path, Pictures], dict[str, Any]],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None,
    settle: Callable[[Any, Path], None] = lambda task, folder: None,
) -> None:
    """Trains a part of the judge, settles what training leaves open, and scores it on the held-out pictures; `--score`
    only scores. What `score` finds goes to the folder's metrics.json."""
    parser.add_argument("--score", type=Path, help="only score this checkpoint folder on the held-out pictures")
    options = parser.parse_args(argv)
    folder = options.score
    if folder is None:
        run = train(name, presets, lambda preset, data, _: (make(preset, data), Examples(data)), options)
        if run is None or not run.accelerator.is_main_process:
            return
        folder = run.folder
        settle(run.task, folder)
    found = score(folder, load_pictures(options.data).split()[1])
    write_metrics(folder, found)
    print(json.dumps(found["held_out"], indent=2))
