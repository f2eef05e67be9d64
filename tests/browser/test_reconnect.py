"""The server goes away in the middle of a draw and comes back: nothing that was asked for or typed is lost."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import PATIENCE
from tests.browser.helpers import set_number, tick, wait_for_drawing, wait_for_state
from tests.serving import free_port, running_app


def test_what_was_asked_for_is_drawn_again_and_what_was_typed_since_stays(chromium: Any) -> None:
    port = str(free_port())
    page = chromium.new_page()
    page.set_default_timeout(5 * PATIENCE)
    with running_app(GRADIO_SERVER_PORT=port) as (address, process):
        page.goto(f"{address}/?v=1&objects=gray-cube&seed=5&steps=2")
        wait_for_state(page, "done")
        entries = page.evaluate("history.length")
        tick(page, "red cube")
        set_number(page, "Seed", 31)
        set_number(page, "Steps", 1200)
        page.locator("#generate").click()
        wait_for_drawing(page)
        process.kill()
        process.wait()
        page.locator(".duel-summary").get_by_text("Connection lost").wait_for()
        tick(page, "cyan sphere")
        set_number(page, "Seed", 77)
    with running_app(GRADIO_SERVER_PORT=port):
        page.wait_for_selector("html:not(.lost) #duel .duel[data-state='drawing']")
        query = page.locator("#duel .duel").get_attribute("data-query")
        assert "objects=gray-cube,red-cube&seed=31&steps=1200" in query
        ticked = page.locator("#picker input:checked").evaluate_all("(all) => all.map((one) => one.value)")
        assert ticked == ["gray cube", "red cube", "cyan sphere"]
        assert page.locator("#ask").get_by_label("Seed", exact=True).input_value() == "77"
        assert page.locator("#ask").get_by_label("Steps", exact=True).input_value() == "1200"
        page.locator("#stop").click()
        wait_for_state(page, "stopped")
        assert page.evaluate("history.length") == entries
    page.close()
