"""The sheet of drawn objects beside real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clevr_demo.checkpoints import read_metrics
from clevr_demo.pictures import to_image
from tests.train.measure.made import job
from train.measure import sheet
from train.measure.drawing import CROP


def test_the_sheet_puts_the_nearest_real_crop_beside_a_drawn_one() -> None:
    real = torch.rand(6, 3, CROP, CROP) * 2 - 1
    drawn = (real[[4, 2]] + 0.01).clamp(-1, 1)
    found = sheet.trios({0: drawn, 1: drawn[:0]}, {0: real, 1: real})
    assert len(found) == 2
    assert torch.equal(found[0][1], real[4])
    assert torch.equal(found[1][1], real[2])
    page = np.asarray(sheet.sheet(found))
    side = CROP * sheet.SCALE
    expected = np.asarray(to_image(found[0][0])).repeat(sheet.SCALE, 0).repeat(sheet.SCALE, 1)
    assert np.array_equal(page[sheet.HEAD : sheet.HEAD + side, :side], expected)


def test_the_sheet_of_a_model_lies_beside_its_weights(iclevr: Path, tmp_path: Path) -> None:
    sheet.run(job(iclevr, tmp_path / "model", "sheet"))
    with Image.open(tmp_path / "model" / sheet.FILE) as page:
        assert page.width > 1000
    assert sheet.FILE in sheet.card(tmp_path / "model", read_metrics(tmp_path / "model"))
