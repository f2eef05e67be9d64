"""A page whose second contender is a third model: its name, its picture, its links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from clevr_demo.models import Model
from clevr_demo.ui import build_demo, server
from tests.browser.conftest import PATIENCE
from tests.browser.helpers import generate, run_shown, wait_for_state
from tests.test_models import discs, studio_of

__all__ = ["discs"]


@pytest.fixture
def address(discs: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: F811
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    studio = studio_of("ddpm", "acgan")
    studio = type(studio)({name: studio.gates[name] for name in ("ddpm", "discs", "acgan")}, studio.judge)
    demo = build_demo(studio)
    yield server.start(demo).rstrip("/")
    server.stop(demo, studio)


def test_a_third_model_is_one_of_the_two(address: str, chromium: Any) -> None:
    page = chromium.new_page(viewport={"width": 1366, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.wait_for_selector("#picker .picker-count")
    assert page.locator("#duel .stage strong").all_inner_texts() == ["DDPM", "Discs"]
    generate(page, "red cube", steps=4)
    assert page.locator('#duel .stage[data-model="discs"] .told').inner_text() == "Drawn, nothing else"
    cost = page.locator('#duel .lane[data-model="discs"] .lane-cost').inner_text()
    assert re.fullmatch(r"1 pass, \d{1,2} ms \(measured once here\)", cost), cost
    query = parse_qs(urlsplit(page.url).query)
    assert query["discs"] == ["0d15c500"]
    assert "duel" not in query
    page.goto(f"{page.url}&duel=acgan,discs")  # two of one pass each: nothing to scrub, both pictures are there
    wait_for_state(page, "done")
    assert page.locator("#duel .stage strong").all_inner_texts() == ["ACGAN", "Discs"]
    assert all(one.startswith("data:image/png") for one in page.locator("#duel .picture").evaluate_all(
        "(all) => all.map((one) => one.src)"
    ))  # fmt: skip
    assert "duel=acgan,discs" in page.url.replace("%2C", ",")
    seats = page.locator("#duel .who-pick")
    assert seats.evaluate_all("(all) => all.map((one) => one.value)") == ["acgan", "discs"]
    for seat, name, titles, link in (
        (1, "ddpm", ["ACGAN", "DDPM"], "duel=acgan,ddpm"),
        (0, "ddpm", ["DDPM", "ACGAN"], "duel=ddpm,acgan"),  # it sat on the other side: both change seats
        (1, "discs", ["DDPM", "Discs"], ""),
    ):
        before = run_shown(page)
        seats.nth(seat).select_option(name)
        wait_for_state(page, "done", before)
        assert page.locator("#duel .stage strong").all_inner_texts() == titles
        url = page.url.replace("%2C", ",")
        assert link in url if link else "duel=" not in url, "the usual two need no word"
    page.keyboard.press("Control+z")
    page.wait_for_function("document.querySelector('#duel .duel').dataset.query.includes('duel=ddpm,acgan')")
    page.close()
