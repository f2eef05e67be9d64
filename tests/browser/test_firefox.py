"""The same page in Firefox: tick, draw, scrub, open the link."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import PATIENCE
from tests.browser.firefox import END, HOME, firefox
from tests.browser.helpers import STEP, faults

PICTURES = "[...document.querySelectorAll('#duel .picture')].map((one) => one.src)"
TICKED = "[...document.querySelectorAll('#picker input:checked')].map((one) => one.value)"
LOADED = "document.querySelector('#picker .picker-count')?.textContent.length > 0"


def in_state(state: str) -> str:
    return f"document.querySelector('#duel .duel')?.dataset.state === '{state}'"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    path = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        pytest.skip("there is no Firefox on this machine")
    pytest.importorskip("websockets", reason="websockets is not installed")
    with firefox(path, tmp_path, PATIENCE / 1000) as browser:
        browser.resize(1366, 900)
        yield browser


def test_firefox_ticks_draws_scrubs_and_opens_the_link(browser: Any, address: str) -> None:
    browser.open(f"{address}/")
    browser.wait(LOADED)
    for name in ("red cube", "blue sphere"):
        browser.click(f"#picker input[value='{name}']")
    assert browser.value(TICKED) == ["red cube", "blue sphere"]
    browser.click("#generate")
    browser.wait(in_state("done"))
    drawn = browser.value(PICTURES)
    assert all(source.startswith("data:image/png") for source in drawn)
    browser.value("document.querySelector('#duel .scrub').focus()")
    browser.key(HOME)
    assert browser.value(STEP) <= 1
    assert browser.value(PICTURES)[0] != drawn[0]
    browser.key(END)
    assert browser.value(PICTURES) == drawn
    link = browser.value("location.href")
    assert "objects=red-cube,blue-sphere" in link
    browser.open("about:blank")
    browser.open(link)
    browser.wait(in_state("done"))
    assert browser.value(PICTURES) == drawn
    assert browser.value(TICKED) == ["red cube", "blue sphere"]
    assert faults(browser.complaints) == []
