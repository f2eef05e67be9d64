"""The tab where both models learn, under one slider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clevr_demo.serve.learning import learned
from tests.browser.helpers import PHONE

FOUND = learned()
NAME = "Learning"
pytestmark = pytest.mark.skipif(FOUND is None, reason="no sheets lie in checkpoints/learning")


def told(page: Any) -> list[str]:
    """What stands above each side's pictures."""
    return page.locator("#learning .learning-side > .learning-told").all_inner_texts()


def shown(page: Any) -> list[str]:
    """How each side's sheet lies beneath its first picture."""
    cells = page.locator("#learning .learning-cell:first-child")
    return cells.evaluate_all("(all) => all.map((one) => one.style.backgroundPositionY)")


def test_the_slider_goes_through_both_runs_moments(page: Any) -> None:
    assert FOUND is not None
    page.get_by_role("tab", name=NAME).click()
    slider = page.get_by_label("Windows seen", exact=True)
    slider.wait_for()
    sides = FOUND["models"].values()
    assert page.locator("#learning .learning-cell").count() == len(sides) * len(FOUND["requests"])
    last = [f"{one['moments'][-1]:,} windows: {100 * one['shares'][-1]['exact']:.0f} % exact" for one in sides]
    assert all(text.startswith(start) for text, start in zip(told(page), last, strict=True)), told(page)
    assert shown(page) == ["100%", "100%"]
    slider.press("Home")
    assert shown(page) == ["0%", "0%"]
    assert page.locator("#learning .learning-look").inner_text() == FOUND["looks"][0]["text"]
    positions = []
    for _ in range(len({at for one in sides for at in one["moments"]}) - 1):
        slider.press("ArrowRight")
        positions.append(tuple(shown(page)))
    assert positions[-1] == ("100%", "100%")
    assert len(set(positions)) == len(positions), "each stop shows another moment of one of them"
    slider.press("Home")
    page.get_by_role("button", name="Play", exact=True).last.click()
    page.wait_for_function("document.querySelector('#learning .learning-at').textContent.startsWith('10')")
    page.get_by_role("button", name="Pause", exact=True).click()


def test_a_phone_shows_both_runs_within_its_width(open_page: Callable[..., Any]) -> None:
    page = open_page(**PHONE)
    page.get_by_label("More tabs").click()
    page.locator("#tabs .overflow-dropdown").get_by_text(NAME).click()
    page.get_by_label("Windows seen", exact=True).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    widths = page.locator("#learning .learning-cell").evaluate_all("(all) => all.map((one) => one.clientWidth)")
    assert min(widths) >= 64
