"""Many seeds of what is shown, below the duel."""

from __future__ import annotations

from typing import Any

LUCK = "#luck .luck"


def test_many_seeds_are_drawn_failures_first_and_can_be_stopped(page: Any) -> None:
    page.locator("#luck-fold > button").click()
    page.get_by_label("4 steps", exact=True).check()
    page.locator("#luck-go").click()
    page.wait_for_selector(f'{LUCK}[data-state="done"]')
    assert page.locator(f"{LUCK} a").count() == 64
    for lane in page.locator(".luck-strip").all():
        exact = lane.locator("a").evaluate_all("(all) => all.map((one) => one.className === 'yes')")
        assert exact == sorted(exact)
    assert "of 32 exact" in page.locator(".luck-told").first.inner_text()
    assert "32 seeds" in page.locator(".luck-said").inner_text()
    assert "steps=4" in page.locator(f"{LUCK} a").first.get_attribute("href")
    page.get_by_label("100 seeds").check()
    page.locator("#luck-go").click()
    page.locator("#luck-stop").click()
    page.wait_for_selector(f'{LUCK}[data-state="stopped"]')
    page.locator("#luck-go").wait_for(state="visible")
