"""Links restore the request and the pixels; bad ones say what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.browser.helpers import generate, pictures, press_generate, tick, wait_for_state


def test_a_copied_link_draws_the_same_pixels_elsewhere(open_page: Callable[..., Any], address: str) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    generate(page, "red cube", "yellow cylinder", steps=5)
    page.locator("#copy-link").click()
    page.locator("#copy-link").get_by_text("Link copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(address)
    assert "objects=red-cube,yellow-cylinder&seed=7&steps=5" in link
    assert urlsplit(page.url).query == urlsplit(link).query
    other = open_page(f"?{urlsplit(link).query}")
    wait_for_state(other, "done")
    assert pictures(other) == pictures(page)
    assert other.locator("#note-link").inner_text().strip() == ""
    ticked = other.locator("#picker input:checked").evaluate_all("(all) => all.map((one) => one.value)")
    assert ticked == ["red cube", "yellow cylinder"]
    assert other.locator("#ask").get_by_label("Steps", exact=True).input_value() == "5"


def test_a_broken_link_says_what_is_wrong_and_still_draws(open_page: Callable[..., Any]) -> None:
    page = open_page("?v=1&objects=red-cube,pink-cube&seed=abc&steps=3&ddpm=00000000")
    wait_for_state(page, "done")
    note = page.locator("#note-link").inner_text()
    assert "pink-cube" in note
    assert "seed 'abc' is not a number" in note
    assert "other DDPM weights" in note
    assert page.locator("#ask").get_by_label("Seed", exact=True).input_value() == "0"
    press_generate(page)
    page.wait_for_function("document.querySelectorAll('#note-link p').length === 0")


def test_objects_that_a_link_names_twice_add_up(open_page: Callable[..., Any]) -> None:
    page = open_page("?objects=red-cube&objects=blue-sphere&seed=7&steps=2")
    wait_for_state(page, "done")
    ticked = page.locator("#picker input:checked").evaluate_all("(all) => all.map((one) => one.value)")
    assert ticked == ["red cube", "blue sphere"]


def test_a_link_without_objects_draws_nothing(open_page: Callable[..., Any]) -> None:
    page = open_page("?seed=5")
    page.locator("#note-link").get_by_text("names no object").wait_for()
    assert page.locator("#duel .duel").get_attribute("data-state") == "showcase"


def test_a_link_that_gives_places_draws_there_until_its_objects_are_unticked(open_page: Callable[..., Any]) -> None:
    link = "v=2&objects=red-cube,blue-sphere&seed=7&steps=2&sampler=dpm&at=red-cube:20.5:40&seed-pixels=3"
    page = open_page(f"?{link}")
    wait_for_state(page, "done")
    assert "at=red-cube:20.5:40&seed-pixels=3" in page.url
    assert page.locator("#note-link").inner_text().strip() == ""
    pinned = page.locator("#duel .grip.given")
    assert pinned.evaluate_all("(all) => all.map((one) => one.dataset.name)") == ["red cube", "red cube"]
    places = "document.querySelector('#duel .duel').duel.run().pairs[0].acgan.last.places[0]"
    assert page.evaluate(places) == [20.5, 40]
    assert "stale" not in page.locator("#duel .duel").get_attribute("class").split()
    page.locator("#picker").get_by_role("checkbox", name="red cube", exact=True).uncheck()
    pinned.first.wait_for(state="detached")
    die = page.locator('#duel .die-place[data-source="pixels"]')
    assert die.locator(".die-seed").inner_text() == "seed 3"
    page.wait_for_function("document.querySelector('#duel .duel').classList.contains('stale')")
    tick(page, "red cube")
    press_generate(page)
    page.wait_for_url(lambda address: "at=" not in address)
    assert "seed-pixels=3" in page.url
    page.locator("#clear").click()
    tick(page, "red cube")
    page.wait_for_function("document.querySelectorAll('#duel .die-place.own').length === 0")
