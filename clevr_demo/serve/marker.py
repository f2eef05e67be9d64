"""Marks pictures from the command line.

    python -m clevr_demo judge grid.png --prompts test.json
    python -m clevr_demo judge pictures.zip --objects "red cube" --csv verdicts.csv --json

Files are grids as torchvision's make_grid saves them (any padding, any number a row), single pictures, or zips of
either, taken in the order of their names; the prompts are a file of the course's form, one a picture, by the pictures'
names where it has them, or the objects that all pictures should show.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import write_text
from clevr_demo.judge.evaluator import load_evaluator
from clevr_demo.objects import InputError, parse
from clevr_demo.serve.marking import Asked, Marks, mark, opened, prompts_in


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, help="pictures, grids of pictures, or zips of either")
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--prompts", type=Path, help="what each picture should show: a JSON list of lists of names")
    asked.add_argument("--objects", help='what all of them should show, e.g. "red cube, blue sphere"')
    parser.add_argument("--csv", type=Path, help="also a row a picture, into this file")
    parser.add_argument("--json", action="store_true", help="print the shares as JSON instead of lines")


def plain(marks: Marks) -> dict[str, Any]:
    """The shares as JSON has them."""
    shares = {"exact": marks.exact, "number": marks.number, "accuracy": marks.accuracy}
    return {"pictures": len(marks.pictures), **{name: one.plain for name, one in shares.items()}}


def run(options: argparse.Namespace) -> None:
    for file in filter(None, (*options.files, options.prompts)):
        if not file.is_file():
            raise InputError("pictures", f"{file}: no such file")
    asked = prompts_in(options.prompts) if options.prompts else Asked((parse(options.objects),))
    pictures = opened(options.files, len(asked.prompts) if options.prompts else None)
    marks = mark(load_evaluator(), pictures, asked)
    if options.csv:
        write_text(options.csv, marks.csv())
    print(json.dumps(plain(marks), indent=2) if options.json else "\n".join([f"{len(pictures)} pictures", *marks.told]))
