"""The film strip: every step with its number, every pixel as it was drawn, nothing alone in a row of its own."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clevr_demo.request import MAX_STEPS, GenerationRequest
from clevr_demo.serve.strip import APART, EDGE, GAP, HEAD, Shot, strip

REQUEST = GenerationRequest.of(["red cube", "cyan sphere"], seed=7, steps=3)
SIDE = 64 + GAP


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8))


def film(steps: list[int]) -> list[Shot]:
    return [Shot(step, noise(step), noise(5000 + step)) for step in steps]


def ink(canvas: Image.Image, box: tuple[int, int, int, int]) -> bool:
    """Whether something is written there."""
    return bool((np.asarray(canvas.crop(box)) < 200).any())


@pytest.mark.parametrize("steps", [[1], [1, 2, 3], list(range(1, MAX_STEPS + 1, 20))])
def test_every_picture_stands_in_its_row_below_its_number(steps: list[int]) -> None:
    shots = film(steps)
    made = strip(REQUEST, "DDPM", shots, {"ACGAN": noise(9999)})
    top = made.height - EDGE - 2 * SIDE
    for column, shot in enumerate(shots):
        left = EDGE + HEAD + column * SIDE
        for row, picture in enumerate((shot.noisy, shot.clear)):
            shown = made.crop((left, top + row * SIDE, left + 64, top + row * SIDE + 64))
            assert np.array_equal(np.asarray(shown), np.asarray(picture))
        assert ink(made, (left, top - 18, left + 64, top)), "the step's number"
    for row in range(2):
        assert ink(made, (EDGE, top + row * SIDE, EDGE + HEAD - 4, top + row * SIDE + 64)), "the row's name"
    beside = EDGE + HEAD + len(steps) * SIDE + APART
    assert np.array_equal(
        np.asarray(made.crop((beside, top + SIDE, beside + 64, top + SIDE + 64))), np.asarray(noise(9999))
    )
    assert ink(made, (beside, top + SIDE - 18, beside + 64, top + SIDE)), "who drew the other picture"
    assert not ink(made, (0, 0, made.width, EDGE))
    assert not ink(made, (made.width - EDGE, 0, made.width, made.height))
