"""The page's scripts that know no page run in node, where there is one."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from clevr_demo.ui.widgets import asset

SIDE = {
    "frames": [
        {"stage": "where", "step": 1, "ms": 1, "x0": "empty", "places": [[1, 2]]},
        {"stage": "where", "step": 2, "ms": 2, "places": [[3, 4]]},
        {"stage": "what", "step": 1, "ms": 10, "x0": "noise", "xt": "more noise", "found": []},
        {"stage": "what", "step": 3, "ms": 30, "x0": "scene", "found": [[1, 5, 6, 990]]},
    ],
    "last": {"stage": "what", "step": 4, "ms": 40, "x0": "picture", "found": [[1, 5, 6, 990]], "hits": 1},
    "seconds": 0.04, "evaluations": 4, "since": [3], "complete": 3, "cost": "4 passes, 40 ms",
}  # fmt: skip
"""A timeline of two frames of places and four steps, of which one was left out."""


def in_node(expression: str, *files: str) -> Any:
    """The value of a JavaScript expression, which may await, over scripts of the page; `side` is the timeline above."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    scripts = asset(*files or ("duel/model.js",))
    told = f"(async () => console.log(JSON.stringify({expression})))();"
    program = f"{scripts}\nconst side = {json.dumps(SIDE)};\n{told}"
    answer = subprocess.run([node, "-"], input=program, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)
