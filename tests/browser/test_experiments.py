"""The grid and the change of one object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clevr_demo.pictures import query_in
from tests.browser.helpers import PHONE, set_number, tick

VALUES = "#grid-columns-values textarea, #grid-columns-values input"


def fill(page: Any, axis: str, values: str) -> None:
    page.locator(f"#grid-{axis}-values textarea, #grid-{axis}-values input").first.fill(values)


def choose(page: Any, axis: str, kind: str) -> None:
    """Chooses what an axis varies."""
    page.locator(f"#grid-{axis} input").click()
    page.get_by_role("option", name=kind, exact=True).click()


def heads(page: Any, part: str) -> list[str]:
    return page.locator(f"#grid {part} th").all_inner_texts()


def test_a_grid_of_seeds_by_steps_is_drawn_judged_and_kept_as_a_picture(page: Any, tmp_path: Path) -> None:
    tick(page, "red cube")
    page.get_by_role("tab", name="Grid").click()
    fill(page, "columns", "1, 2")
    page.locator("#grid-go").click()
    page.wait_for_selector('#grid .pictures[data-state="done"]')
    assert page.locator("#grid img").count() == 6
    assert heads(page, "thead") == ["1 step", "2 steps"]
    assert heads(page, "tbody") == ["seed 7", "seed 8", "seed 9"]
    told = page.locator("#grid td .below").all_inner_texts()
    assert all(text == "exact" or " of 1" in text for text in told)
    assert "of 3 exact" in page.locator("#grid tfoot td").first.inner_text()
    assert "once and nothing else" in page.locator("#grid .legend").inner_text()
    page.wait_for_function("!document.querySelector('#grid-sheet').disabled")
    with page.expect_download() as started:
        page.locator("#grid-sheet").click()
    started.value.save_as(tmp_path / "grid.png")
    assert (query_in(tmp_path / "grid.png") or "").endswith("&grid=ddpm&rows=seed:7,8,9&columns=steps:1,2")


def test_a_phone_shows_the_grids_pictures_as_squares(open_page: Callable[..., Any]) -> None:
    page = open_page("?objects=red-cube&steps=1&grid=ddpm&rows=seed:7,8&columns=steps:1,2,3,4", **PHONE)
    page.wait_for_selector('#grid .pictures[data-state="done"]')
    sizes = page.locator("#grid td img").evaluate_all("(all) => all.map((one) => [one.clientWidth, one.clientHeight])")
    assert all(width == height > 80 for width, height in sizes), sizes
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "the table scrolls, not the page"


def test_a_grids_link_draws_it_again_in_its_own_tab(open_page: Callable[..., Any]) -> None:
    page = open_page(
        "?objects=red-cube&seed=7&steps=2&grid=ddpm&rows=model:ddpm,acgan&columns=object:nothing,gray-cube"
    )
    page.wait_for_selector('#grid .pictures[data-state="done"]')
    assert heads(page, "thead") == ["as ticked", "+ gray cube"]
    assert heads(page, "tbody") == ["DDPM", "ACGAN"]
    assert page.locator("#grid").is_visible()
    assert page.locator(VALUES).first.input_value() == "nothing, gray cube"
    assert page.locator("#grid .pictures").get_attribute("data-query").endswith("columns=object:nothing,gray-cube")


def test_another_kind_of_axis_brings_values_that_suit_it(page: Any) -> None:
    page.get_by_role("tab", name="Grid").click()
    choose(page, "columns", "Sampler")
    page.wait_for_function(f"document.querySelector({VALUES!r}).value[0] === 'd'")
    assert page.locator(VALUES).first.input_value() == "dpm, unipc, ddim, ddpm"


def test_a_grid_begins_with_a_question_and_what_the_example_has_drawn(page: Any) -> None:
    set_number(page, "Steps", 2)
    page.get_by_role("tab", name="Grid").click()
    starts = page.locator("#grid-starts .start")
    assert [starts.nth(place).locator("img").count() for place in range(4)] == [1, 1, 2, 2]
    starts.filter(has_text="one object more").click()
    page.wait_for_selector('#grid .pictures[data-state="done"]')
    assert heads(page, "thead") == ["as ticked", "+ gray cube", "+ purple sphere"]
    assert heads(page, "tbody") == ["DDPM", "ACGAN"]
    assert page.locator(VALUES).first.input_value() == "nothing, gray cube, purple sphere"
    ticked = page.locator("#picker input:checked").evaluate_all("(all) => all.map((one) => one.value)")
    assert sorted(ticked) == ["cyan sphere", "red cube", "yellow cylinder"]
    assert page.locator("#grid-starts").is_hidden()


def test_a_grid_can_be_stopped_and_bad_values_are_named(page: Any) -> None:
    tick(page, "red cube")
    page.get_by_role("tab", name="Grid").click()
    fill(page, "columns", "5, many")
    page.locator("#grid-go").click()
    page.locator("#note-grid").get_by_text("'many' is not a whole number").wait_for()
    fill(page, "columns", "2, 1200")
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
    told = page.locator("#change thead th").all_inner_texts()
    assert told == ["red cube, blue sphere", "red cube, blue sphere, cyan sphere", "what differs"]
    assert "of pixels changed" in page.locator("#change td .below").nth(2).inner_text()
    assert page.locator("#change .pictures-told").all_inner_texts()[0].startswith("DDPM. ")
