"""The labelled card: its size, exact pixels, and texts that stay inside, whatever is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clevr_demo.objects import OBJECTS
from clevr_demo.request import MAX_SEED, GenerationRequest
from clevr_demo.serve import card as cards
from clevr_demo.serve.card import MARGIN, PICTURE, SIZE, TOP, Entry, card, icon, typeface, wrapped


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8))


def entries(sentence: str = "All 2 drawn, nothing else") -> list[Entry]:
    return [
        Entry("DDPM", noise(0), sentence, "20 passes, 0.31 s", True),
        Entry("ACGAN", noise(1), sentence, "1 pass, 8 ms", False),
    ]


REQUEST = GenerationRequest.of(["red cube", "blue sphere"], seed=7)


def test_the_card_is_as_large_as_previews_want_and_shows_every_pixel() -> None:
    made = card(REQUEST, entries(), "https://example.org/?" + REQUEST.query())
    assert made.size == SIZE == (1200, 630)
    for number, left in enumerate((MARGIN, MARGIN + PICTURE + cards.GAP)):
        shown = made.crop((left, TOP, left + PICTURE, TOP + PICTURE)).resize((64, 64), Image.Resampling.NEAREST)
        assert np.array_equal(np.asarray(shown), np.asarray(noise(number)))


def test_the_verdicts_colour_tells_good_from_bad() -> None:
    made = card(REQUEST, entries(), "link")
    below = (TOP + PICTURE + 40, TOP + PICTURE + 70)
    colours = []
    for left in (MARGIN, MARGIN + PICTURE + cards.GAP):
        strip = np.asarray(made.crop((left, below[0], left + PICTURE, below[1]))).astype(int)
        colours.append(
            strip[strip.min(axis=-1).argmin() // strip.shape[1], strip.min(axis=-1).argmin() % strip.shape[1]]
        )
    assert colours[0][1] > colours[0][0]  # green
    assert colours[1][0] > colours[1][1]  # red


def test_nothing_is_cut_off_in_the_longest_request() -> None:
    request = GenerationRequest.of(list(OBJECTS), seed=MAX_SEED, steps=1200, sampler="unipc", pictures=8)
    sentence = "0 of 24 drawn: " + ", ".join(OBJECTS) + " missing"
    made = np.asarray(card(request, entries(sentence), "https://example.org/?" + request.query()))
    edge = np.concatenate([made[:24].reshape(-1, 3), made[-4:].reshape(-1, 3), made[:, -40:].reshape(-1, 3)])
    assert (edge == 255).all()


@pytest.mark.parametrize("text", ["a b c", "word " * 60, "x" * 500, "short " + "y" * 300 + " end"])
def test_wrapped_lines_fit_their_width(text: str) -> None:
    lines = wrapped(text, 20, 200, 3)
    assert 1 <= len(lines) <= 3
    assert all(typeface(20).getlength(line) <= 200 for line in lines)
    if typeface(20).getlength(text) > 620:
        assert lines[-1].endswith("…")
    else:
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_every_object_has_an_icon_of_its_own() -> None:
    assert len({icon(name, 34).tobytes() for name in OBJECTS}) == len(OBJECTS)


def test_a_shape_without_an_icon_is_named() -> None:
    with pytest.raises(ValueError, match="no icon of a cone"):
        icon("red cone", 34)
