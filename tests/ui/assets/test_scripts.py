"""Components' scripts as Gradio runs them, put together from files and the engine's modules."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from clevr_demo.ui.widgets import Html
from tests.ui.assets.node import in_node


@pytest.mark.parametrize(
    "component", [one for one in Html.__subclasses__() if one.script], ids=lambda one: one.__name__
)
def test_a_components_script_is_the_body_of_one_function(component: type[Html]) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    program = f"new Function('element', 'props', 'watch', 'trigger', {json.dumps(component.script)})"
    answer = subprocess.run([node, "-"], input=program, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr


def test_components_say_numbers_and_names_in_the_engines_words() -> None:
    files = ("engine/numbers.js", "engine/words.js")
    assert in_node("[many(1200, 'step'), listed(['a', 'b', 'c']), duration(0.0314)]", *files) == [
        "1,200 steps", "a, b and c", "31 ms",
    ]  # fmt: skip
