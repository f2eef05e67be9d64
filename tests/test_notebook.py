"""The notebook does what it says, from the first cell to the last, with the weights that ship with the project."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import shipped

NOTEBOOK = Path(__file__).parent.parent / "docs" / "duel.ipynb"


def cells() -> list[str]:
    """The source of the code cells."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run_cell(source: str, namespace: dict[str, Any]) -> Any:
    """Runs a cell as a notebook does; the value of its last expression, which is what is shown."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(NOTEBOOK), "exec"), namespace)
    return eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), namespace) if last else None  # type: ignore[attr-defined]


def test_the_notebook_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("ddpm", "acgan", "detector", "classifier"):
        shipped(name)
    namespace: dict[str, Any] = {}
    shown = [run_cell(source, namespace) for source in cells()]
    pictures = [value for value in shown if isinstance(value, Image.Image)]
    assert len(pictures) == 4
    assert all(len(set(picture.convert("L").tobytes())) > 50 for picture in pictures)
    assert shown[-1] is True
    assert capsys.readouterr().out.lower().count("drawn") >= 2


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], 10 <= len(notebook["cells"]) <= 16) == (4, True)
    for cell in notebook["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
