"""Foreign grids are cut into the pictures that they hold, or refused with a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torchvision.utils import make_grid

from clevr_demo.checkpoints import folder_of
from clevr_demo.cutting import cells
from clevr_demo.objects import InputError
from clevr_demo.pictures import from_image, to_image

SHEET = folder_of("ddpm") / "test.png"  # 32 scenes, 8 a row


@pytest.fixture(scope="module")
def scenes() -> torch.Tensor:
    """(32, 3, 64, 64) in [0, 1], drawn ones."""
    with Image.open(SHEET) as sheet:
        levels = torch.from_numpy(np.array(sheet.convert("RGB"))).movedim(-1, 0) / 255
    return torch.stack([
        levels[:, 2 + 66 * row : 66 + 66 * row, 2 + 66 * column : 66 + 66 * column]
        for row in range(4) for column in range(8)
    ])  # fmt: skip


def as_jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=85)
    return Image.open(buffer)


def enlarged(image: Image.Image) -> Image.Image:
    return image.resize((2 * image.width, 2 * image.height), Image.Resampling.NEAREST)


GRIDS: dict[str, tuple[dict[str, float], Callable[[Image.Image], Image.Image], int]] = {
    "torchvision": ({}, lambda grid: grid, 32),
    "padding 4, white": ({"padding": 4, "pad_value": 1.0}, lambda grid: grid, 32),
    "gray gaps": ({"padding": 3, "pad_value": 0.5}, lambda grid: grid, 32),
    "4 a row": ({"nrow": 4}, lambda grid: grid, 32),
    "the last row half empty": ({"nrow": 10}, lambda grid: grid, 32),
    "RGBA": ({}, lambda grid: grid.convert("RGBA"), 32),
    "JPEG": ({"padding": 4}, as_jpeg, 32),
    "gray": ({}, lambda grid: grid.convert("L"), 32),
    "cells of 128": ({}, enlarged, 32),
    "a screenshot's border": ({"pad_value": 1.0}, lambda grid: ImageOps.expand(grid, (31, 17, 12, 40), "white"), 32),
    "no gaps": ({"padding": 0}, lambda grid: grid, 32),
}


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_of_any_make_is_cut_into_its_pictures(name: str, scenes: torch.Tensor) -> None:
    options, change, number = GRIDS[name]
    found = cells(change(to_image(make_grid(scenes, **{"nrow": 8, **options}) * 2 - 1)))
    assert len(found) == number
    drawn = torch.stack([from_image(cell) for cell in found])
    wanted = 2 * scenes - 1
    if name == "gray":
        wanted = torch.stack([from_image(to_image(one).convert("L")) for one in wanted])
    apart = (drawn - wanted).abs().mean(dim=(1, 2, 3)) * 127.5
    assert apart.max() < (6 if name == "JPEG" else 0.6)


@pytest.mark.parametrize("side", [64, 128, 256])
def test_one_picture_is_one_scene_whole(side: int, scenes: torch.Tensor) -> None:
    for scene in scenes:
        picture = to_image(2 * scene - 1).resize((side, side), Image.Resampling.NEAREST)
        (found,) = cells(picture)
        assert (from_image(found) - (2 * scene - 1)).abs().max() < 0.01


def test_how_many_are_expected_settles_what_a_grid_without_gaps_holds(scenes: torch.Tensor) -> None:
    grid = enlarged(to_image(make_grid(scenes[:4], nrow=2, padding=0) * 2 - 1))
    assert len(cells(grid, expected=4)) == 4
    assert len(cells(grid, expected=1)) == 1


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ((16, 16), "16x16 pixels; scenes have 64x64"),
        ((300, 200), "no grid of square"),
        ((9000, 2000), "at most 16 million"),
    ],
)
def test_what_is_no_grid_is_one_sentence(size: tuple[int, int], told: str) -> None:
    noise = np.resize(np.random.default_rng(0).integers(0, 255, 9001, dtype=np.uint8), (size[1], size[0], 3))
    with pytest.raises(InputError, match=told):
        cells(Image.fromarray(noise))
