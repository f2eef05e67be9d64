"""The showcase is what the server draws now; where it is not, the test says which command makes it anew."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clevr_demo import checkpoints
from clevr_demo.serve import showcase
from clevr_demo.serve.card import SIZE
from clevr_demo.serve.studio import Studio

AGAIN = "the showcase is out of date; run: python -m clevr_demo.serve.showcase"


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    """The showcase as the server draws it now."""
    try:
        studio = Studio.load()
    except checkpoints.CheckpointError as error:
        pytest.skip(f"the weights that ship with the project cannot be loaded: {error}")
    return showcase.bake(studio)


def decoded(base64_text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(base64_text))).convert("RGB")).astype(int)


def frames(baked: dict[str, Any], model: str) -> list[dict[str, Any]]:
    side = baked["pairs"][0][model]
    return [*side["frames"], side["last"]]


def test_it_is_drawn_with_the_weights_that_ship(now: dict[str, Any]) -> None:
    assert showcase.payload()["query"] == now["query"], AGAIN


@pytest.mark.parametrize("model", ["ddpm", "acgan"])
def test_its_frames_and_verdicts_are_the_servers(now: dict[str, Any], model: str) -> None:
    baked, drawn = frames(showcase.payload(), model), frames(now, model)
    assert [(one["stage"], one["step"]) for one in baked] == [(one["stage"], one["step"]) for one in drawn], AGAIN
    assert [one.get("told") for one in baked] == [one.get("told") for one in drawn], AGAIN
    for one, other in zip(baked, drawn, strict=True):
        for part in {"x0", "xt"} & set(other):  # another processor rounds another way now and then
            assert np.abs(decoded(one[part]) - decoded(other[part])).mean() < 1.5, AGAIN
    assert np.abs(decoded(baked[-1]["x0"]) - decoded(drawn[-1]["x0"])).max() <= 2, AGAIN


def test_its_card_says_what_its_run_says(now: dict[str, Any]) -> None:
    told = [frames(now, model)[-1]["told"] for model in ("ddpm", "acgan")]
    assert [entry.sentence for entry in showcase.entries()] == told, AGAIN
    assert all(sentence in showcase.words() for sentence in told)
    assert showcase.card().size == SIZE


def test_it_is_small_and_no_run_of_the_visitors() -> None:
    assert showcase.PATH.stat().st_size <= showcase.MOST_BYTES
    assert showcase.payload()["state"] == showcase.STATE
    assert showcase.payload()["status"] == showcase.GREETING
