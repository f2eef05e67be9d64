"""The scoreboard: every figure opens its pictures, and each of them the duel."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.helpers import PHONE, wait_for_state

DONE = '#evidence-pictures .pictures[data-state="done"]'


def scoreboard(page: Any) -> Any:
    """The tab, with its figures; skipped where the weights have no records yet."""
    page.get_by_role("tab", name="Scoreboard").click()
    page.locator("#scoreboard .board-part, #scoreboard .board-lacks").first.wait_for()
    if not page.locator("#scoreboard .board-part").count():
        assert "python -m train.measure scores" in page.locator("#scoreboard .board-lacks").first.inner_text()
        pytest.skip("no records lie beside the weights")
    return page.locator("#scoreboard")


def test_a_figure_opens_its_pictures_and_they_the_duel(page: Any, tmp_path: Path) -> None:
    board = scoreboard(page)
    parts = board.locator(".board-part").evaluate_all("(all) => all.map((one) => one.dataset.part)")
    assert parts[:6] == ["table", "cost", "number", "object", "confusion", "failures"]
    assert board.locator(".board-said").count() == len(parts)
    board.get_by_role("button", name="Accuracy", exact=True).click()
    assert "the course report's DDPM" in board.locator(".board-table:visible").inner_text()
    figure = board.locator("[data-part=confusion] .heat:not(.right)").last
    figure.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    assert page.locator("#evidence-pictures td .below.no").count() > 0
    link = page.locator("#evidence-pictures td a").first.get_attribute("href")
    assert link.startswith("?v=")
    page.get_by_role("button", name="Back to the figure").click()
    assert figure.evaluate("(one) => one === document.activeElement")
    with page.expect_download() as started:
        board.get_by_role("button", name="Download as CSV").click()
    started.value.save_as(tmp_path / "scoreboard.csv")
    rows = list(csv.DictReader((tmp_path / "scoreboard.csv").open()))
    assert {"test", "new_test"} <= {row["prompts"] for row in rows}


def test_the_gallery_of_failures_draws_one_again(page: Any) -> None:
    failure = scoreboard(page).locator(".failures a").first
    seed = failure.locator("small").inner_text().rpartition("seed ")[2]
    failure.click()
    wait_for_state(page, "done")
    assert f"seed={seed}&" in page.locator("#duel .duel").get_attribute("data-query")
    assert page.locator("#note-link").inner_text() == "", "drawn by the weights that were counted"


def test_the_reports_curves_open_by_the_keyboard(page: Any) -> None:
    part = scoreboard(page).locator("[data-part=report]")
    assert part.locator("img").evaluate_all("(all) => all.every((one) => one.naturalWidth > one.naturalHeight)")
    chart = part.get_by_role("img", name="Discriminator loss by epoch: the report's GAN from")
    assert chart.count() == 0
    table = part.locator("table").first
    assert not table.is_visible()
    part.locator("summary").first.focus()
    page.keyboard.press("Enter")
    table.wait_for()
    assert chart.count() == 1
    assert "discriminator loss" in table.inner_text()


def test_a_phone_shows_the_scoreboard_within_its_width(open_page: Callable[..., Any]) -> None:
    page = open_page(**PHONE)
    page.get_by_label("More tabs").click()
    page.locator("#tabs .overflow-dropdown").get_by_text("Scoreboard").click()
    page.locator("#scoreboard .board-part, #scoreboard .board-lacks").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    report = page.locator("[data-part=report]")
    assert report.count() == 0 or report.bounding_box()["height"] < 3000, "curves are folded away"
