"""A table as one picture."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from clevr_demo.pictures import query_in
from clevr_demo.serve.sheet import sheet_png
from clevr_demo.serve.table import Table
from tests.serve.tables import FakeStudio, drawn, plan_of


def test_the_sheet_is_a_picture_that_knows_its_grid(tmp_path: Any) -> None:
    _, table = drawn(FakeStudio(), plan_of("ddpm", ("seed", "1, 2"), ("steps", "4, 8")))
    path = tmp_path / "sheet.png"
    path.write_bytes(sheet_png(table, "https://duel.example/"))
    query = query_in(path)
    assert query is not None
    assert query.endswith("&grid=ddpm&rows=seed:1,2&columns=steps:4,8")
    shown = np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))
    small = table.pictures[3].pixels
    doubled = small.repeat(2, 0).repeat(2, 1)
    windows = np.lib.stride_tricks.sliding_window_view(shown[..., 0], (1, 128))[:, :, 0]
    assert (
        (windows == doubled[0, :, 0]).all(axis=-1).any()
    )  # the last picture's first line stands in it, pixel by pixel


def test_the_largest_sheet_and_the_longest_names_fit() -> None:
    table = Table("title " * 30, ["a very long head of a column"] * 8, ["row " * 20] * 8, passes=1, query="x" * 2000)
    shown = np.asarray(Image.open(io.BytesIO(sheet_png(table, "https://duel.example/"))).convert("RGB"))
    assert (shown[:, -20:] == 255).all()
    assert (shown[-20:] == 255).all()
