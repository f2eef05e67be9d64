"""Runs the engine's modules in node, beside the constants that Python writes for them."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import clevr_demo
from clevr_demo.serve import twins

ENGINE = Path(clevr_demo.__file__).parent / "ui/assets/engine"
ADAPTERS = Path(__file__).with_name("adapters.js")
PROGRAM = """
import * as adapters from './adapters.js';
import { readFileSync, writeFileSync } from 'node:fs';
const [name, file] = process.argv.slice(2);
const answers = [];
for (const inputs of JSON.parse(readFileSync(file, 'utf8'))) answers.push(await adapters[name](...inputs));
writeFileSync(file, JSON.stringify(answers));
"""


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """The engine as a page has it: its modules and the constants, side by side."""
    made = tempfile.TemporaryDirectory()
    folder = Path(made.name)
    shutil.copytree(ENGINE, folder, dirs_exist_ok=True)
    shutil.copy(ADAPTERS, folder)
    (folder / twins.NAME).write_text(twins.module())
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "program.js").write_text(PROGRAM)
    return made


def answers(name: str, inputs: Sequence[Sequence[Any]]) -> list[Any]:
    """What an adapter answers to each list of inputs, in one process."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    folder = Path(_folder().name)
    with tempfile.NamedTemporaryFile("w+", dir=folder, suffix=".json") as file:
        json.dump(inputs, file, allow_nan=False)
        file.flush()
        done = subprocess.run(
            [node, "program.js", name, file.name], cwd=folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(Path(file.name).read_text())
