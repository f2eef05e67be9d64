"""The engine's scripts answer as Python does."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from clevr_demo.pictures import query_in, to_uint8
from clevr_demo.request import MAX_SEED, GenerationRequest
from tests.ui.assets.engine.table import TABLE
from tests.ui.assets.engine.twin import answers


def differences(ours: Any, theirs: Any) -> Iterator[float]:
    """How far the numbers of two nested values are apart; all else must be the same."""
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        ours, theirs = list(ours.values()), list(theirs.values())
    if isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for our, their in zip(ours, theirs, strict=True):
            yield from differences(our, their)
    elif isinstance(theirs, (int, float)) and not isinstance(theirs, bool):
        yield abs(ours - theirs)
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", TABLE)
def test_python_and_the_page_agree(name: str) -> None:
    entry = TABLE[name]
    cases = list(entry.cases())
    worst = 0.0
    for (inputs, theirs), ours in zip(cases, answers(name, [inputs for inputs, _ in cases]), strict=True):
        told = f"{str(inputs)[:2000]}: {str(ours)[:2000]}, not {str(theirs)[:2000]}"
        try:
            here = max(differences(ours, theirs), default=0.0)
        except (AssertionError, TypeError) as error:
            raise AssertionError(told) from error
        assert here <= entry.within, told
        worst = max(worst, here)
    print(f"{name}: {len(cases)} cases, at most {worst:.1e} apart")


@pytest.mark.parametrize("side", [1, 64, 65])
def test_a_picture_made_in_the_browser_knows_how_it_was_drawn(side: int) -> None:
    request = GenerationRequest.of(["red cube"], MAX_SEED, places={"red cube": (30.5, 12)}, seeds={"pixels": 3})
    pixels = torch.randn(3, side, side, generator=torch.Generator().manual_seed(side))
    for query in (request.query({"ddpm": "1a2b3c4d"}), ""):
        (made,) = answers("png", [[pixels.flatten().tolist(), side, query]])
        content = base64.b64decode(made)
        assert query_in(io.BytesIO(content)) == (query or None)
        with Image.open(io.BytesIO(content)) as image:
            image.verify()  # every chunk's checksum
        with Image.open(io.BytesIO(content)) as image:
            assert image.mode == "RGB"
            assert np.array_equal(np.asarray(image), to_uint8(pixels))
