"""The grid and the change of one object."""

from __future__ import annotations

from typing import Any

from tests.browser.helpers import set_number, tick


def test_a_grid_of_seeds_by_steps_is_drawn_and_judged(page: Any) -> None:
    tick(page, "red cube")
    page.get_by_role("tab", name="Grid").click()
    page.locator("#grid-values textarea, #grid-values input").first.fill("1, 2")
    page.locator("#grid-go").click()
    page.wait_for_selector('#grid .pictures[data-state="done"]')
    assert page.locator("#grid img").count() == 6
    assert page.locator("#grid thead th").all_inner_texts() == ["1 steps", "2 steps"]
    assert page.locator("#grid tbody th").all_inner_texts() == ["seed 7", "seed 8", "seed 9"]
    assert all("%" in text for text in page.locator("#grid td span").all_inner_texts())
    assert "of 3 exact" in page.locator("#grid tfoot td").first.inner_text()


def test_a_grid_can_be_stopped_and_bad_values_are_named(page: Any) -> None:
    tick(page, "red cube")
    page.get_by_role("tab", name="Grid").click()
    values = page.locator("#grid-values textarea, #grid-values input").first
    values.fill("5, many")
    page.locator("#grid-go").click()
    page.locator("#note-grid").get_by_text("'many' is not a number").wait_for()
    values.fill("2, 1200")
    page.locator("#grid-go").click()
    page.wait_for_function("document.querySelectorAll('#grid img').length > 0")
    page.locator("#grid-stop").click()
    page.wait_for_selector('#grid .pictures[data-state="stopped"]')
    page.locator("#grid-go").wait_for(state="visible")


def test_one_object_changes_with_the_same_seed(page: Any) -> None:
    tick(page, "red cube", "blue sphere")
    set_number(page, "Steps", 2)
    page.get_by_role("tab", name="Change one object").click()
    page.locator("#change-go").click()
    page.wait_for_selector('#change .pictures[data-state="done"]')
    assert page.locator("#change img").count() == 6
    heads = page.locator("#change thead th").all_inner_texts()
    assert heads == ["red cube, blue sphere", "red cube, blue sphere, cyan sphere", "difference"]
    assert "of pixels changed" in page.locator("#change td span").nth(2).inner_text()
