"""What greets, explains and plays: the showcase, lessons, guessing, presenting, the report, going back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.helpers import STEP, generate, pictures, press_generate, run_shown, set_number, tick, wait_for_state

DUEL = "#duel .duel"


def kept(page: Any) -> dict[str, Any]:
    """The score that the browser keeps."""
    return page.evaluate("JSON.parse(localStorage.getItem('clevr-duel-guesses'))")


def test_the_page_opens_on_a_duel_that_plays_once_without_the_server(open_page: Callable[..., Any]) -> None:
    page = open_page()
    asked: list[int] = []

    def listen(request: Any) -> None:
        if "/queue/join" in request.url:
            asked.append(json.loads(request.post_data)["fn_index"])

    page.on("request", listen)
    page.wait_for_selector(f'{DUEL}[data-state="showcase"]')
    first = pictures(page)
    assert all(source.startswith("data:image/") for source in first)
    page.wait_for_function(f"{STEP} > 1")
    page.wait_for_function("document.querySelector('#duel [data-go=play]').getAttribute('aria-label') === 'Play'")
    last = pictures(page)
    assert last[0].startswith("data:image/png")
    assert last[0] != first[0]
    events = page.evaluate("() => window.gradio_config.dependencies.map((d) => [d.id, d.targets, d.trigger_after])")
    loading = {number for number, targets, _ in events if any(target[1] == "load" for target in targets)}
    for number, _, after in events:  # in order: what follows a loading event is part of it
        if after in loading:
            loading.add(number)
    assert set(asked) <= loading  # the page's own loading may still be under way
    assert "An example" in page.locator(".duel-summary").inner_text()


def test_less_motion_shows_the_finished_example(open_page: Callable[..., Any]) -> None:
    page = open_page(reduced_motion="reduce")
    page.wait_for_selector(f'{DUEL}[data-state="showcase"]')
    assert pictures(page)[0].startswith("data:image/png")


def test_the_examples_request_stands_beside_it_and_is_framed_in_the_picker(open_page: Callable[..., Any]) -> None:
    page = open_page(reduced_motion="reduce")
    page.wait_for_selector(f'{DUEL}[data-state="showcase"]')
    icons, framed = page.locator(".hands-asked .object"), page.locator("#picker .cell.shown input")
    page.get_by_role("img", name="Example: red cube, cyan sphere, yellow cylinder").wait_for()
    assert icons.count() == 3
    shown = framed.evaluate_all("(all) => all.map((one) => one.value)")
    assert sorted(shown) == ["cyan sphere", "red cube", "yellow cylinder"]
    assert page.locator(".picker-count").inner_text() == "Tick one to three; framed: the example."
    assert page.locator("#picker input:checked").count() == 0
    tick(page, "gray cube")
    assert framed.count() == 0, "what is ticked is what is asked for"
    set_number(page, "Steps", 2)
    press_generate(page)
    page.get_by_role("img", name="Asked for: gray cube").wait_for()
    assert icons.count() == 1


def test_an_example_draws_at_once_and_changes_dim_what_is_shown(page: Any) -> None:
    page.locator("#examples").get_by_role("button", name="2 objects").click()
    wait_for_state(page, "done")
    ticked = page.locator("#picker input:checked").evaluate_all("(all) => all.map((one) => one.value)")
    assert ticked == ["blue sphere", "yellow cylinder"]
    note = page.locator(".stale-note").first
    assert not note.is_visible()
    tick(page, "red cube")
    page.wait_for_selector(f"{DUEL}.stale")
    assert note.inner_text() == "From before your changes: press Generate"
    page.locator("#picker").get_by_role("checkbox", name="red cube", exact=True).uncheck()
    page.wait_for_selector(f"{DUEL}:not(.stale)")
    tick(page, "red cube")
    press_generate(page)
    page.wait_for_selector(f"{DUEL}:not(.stale)")


def test_a_lesson_draws_its_request_covers_its_answer_and_gives_the_focus_back(page: Any) -> None:
    opener = page.locator("#lessons [data-open]")
    opener.click()
    panel = page.locator(".lessons").first
    heads = panel.locator("article h3")
    assert heads.count() == 5
    assert heads.first.inner_text() == "How few steps are enough?"
    page.wait_for_selector("#duel .chart.lesson-spot")
    answer = panel.locator("article").first.locator("details p")
    assert not answer.is_visible()
    before = run_shown(page)
    panel.get_by_role("button", name="2 steps").click()
    wait_for_state(page, "done", before)
    assert "seed=12&steps=2&" in page.locator(DUEL).get_attribute("data-query")
    assert page.locator("#ask").get_by_label("Steps", exact=True).input_value() == "2"
    assert "the red cube never." in page.locator(f"{DUEL} .conclusion").inner_text()
    panel.get_by_text("Uncover the answer").first.click()
    assert "with two the red cube is missing" in answer.inner_text(), "as the page has just drawn it"
    page.keyboard.press("ArrowRight")
    assert [one.is_visible() for one in heads.all()] == [False, True, False, False, False]
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    assert page.locator(".lesson-spot").count() == 0
    assert opener.evaluate("(one) => one === document.activeElement")


def test_words_are_explained_where_one_wonders(page: Any) -> None:
    card = page.locator(".lessons.word")
    for opener, told in (
        ("What is a DDPM?", "denoising diffusion probabilistic model"),
        ("What is an ACGAN?", "auxiliary classifier generative adversarial network"),
        ("Why has one a timeline and the other none?", "between its noise and its picture there is nothing"),
        ("What is a seed?", "the same picture, to the pixel"),
    ):
        button = page.get_by_role("button", name=opener)
        button.click()
        assert told in card.inner_text()
        page.keyboard.press("Escape")
        assert card.is_hidden()
        assert button.evaluate("(one) => one === document.activeElement")


def test_the_teachers_sheet_has_all_lessons_and_nothing_else(page: Any) -> None:
    page.evaluate("window.print = () => { window.printed = document.body.innerText; }")
    page.locator("#lessons [data-open]").click()
    page.locator('.lessons [data-go="print"]').click()
    sheet = page.evaluate("window.printed")
    assert sheet.startswith("CLEVR duel: five lessons")
    assert sheet.count("/?objects=") == 13
    for part in ("How few steps are enough?", "When do they fail?", "two the red cube is missing"):
        assert part in sheet
    assert "Generate" not in sheet
    assert "Uncover" not in sheet, "nothing is left to be uncovered on paper"
    assert sheet.count("The answer") == 5
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("#generate").is_visible()


def test_guessing_hides_names_and_verdicts_until_an_answer_and_keeps_the_score(page: Any, address: str) -> None:
    generate(page, "red cube", steps=2)
    page.locator("#guess [data-open]").click()
    page.wait_for_selector(f"{DUEL}.guessing")
    for part in (".who", ".told", ".chips", ".race", ".player"):
        assert not page.locator(f"{DUEL} {part}").first.is_visible(), part
    assert "Asked for: red cube." in page.locator(".guess-question").inner_text()
    shown = page.locator(f"{DUEL} .picture").evaluate_all("(all) => all.map((one) => one.alt)")
    assert not any(name in alt for alt in shown for name in ("DDPM", "ACGAN"))
    page.locator('#guess [data-answer="neither"]').click()
    page.wait_for_selector(f"{DUEL}:not(.guessing)")
    told = page.locator(".guess-told").inner_text()
    exact = [text == "exact" for text in page.locator(f"{DUEL} .exact").all_inner_texts()]
    assert told.startswith("Well guessed" if not any(exact) else "No")
    assert kept(page)["asked"] == 1
    page.locator('#guess [data-kind="real"]').click()
    page.wait_for_selector(f"{DUEL}.guessing")
    page.locator('#guess [data-answer="left"]').click()
    assert sum(kept(page)["real"].values()) == 1
    page.goto(f"{address}/")
    page.locator("#guess [data-open]").click()
    assert "of 1 guessed right" in page.locator(".guess-score").inner_text()


def test_the_next_pair_is_drawn_hidden(page: Any) -> None:
    page.locator("#guess [data-open]").click()
    before = run_shown(page)
    page.locator("#guess [data-next]").click()
    wait_for_state(page, "done", before)
    page.wait_for_selector(f"{DUEL}.guessing")
    assert page.locator('#guess [data-answer="left"]').is_enabled()


def test_presenting_hides_the_controls_and_keys_do_everything(page: Any) -> None:
    generate(page, "red cube", steps=4)
    width = page.locator(f"{DUEL} .canvas").first.bounding_box()["width"]
    page.locator("#presentation [data-open]").click()
    page.wait_for_selector("html.presenting")
    assert not page.locator("#ask").is_visible()
    assert page.locator(f"{DUEL} .canvas").first.bounding_box()["width"] > width
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    shown = page.evaluate(STEP)
    page.keyboard.press("End")
    assert page.evaluate(STEP) > shown
    before = run_shown(page)
    page.keyboard.press("d")
    page.wait_for_selector(f"{DUEL}[data-state='done']:not([data-run='{before}'])")
    page.keyboard.press("Escape")
    page.wait_for_selector("html:not(.presenting)")
    assert page.locator("#ask").is_visible()


@pytest.mark.parametrize(("width", "height", "large"), [(1280, 720, 400), (1440, 900, 400), (1920, 1080, 560)])
def test_presenting_shows_pictures_headline_and_scrubber_above_the_keys(
    open_page: Callable[..., Any], width: int, height: int, large: int
) -> None:
    page = open_page(viewport={"width": width, "height": height})
    page.wait_for_selector(f'{DUEL}[data-state="showcase"]')
    page.locator("#presentation [data-open]").click()
    page.wait_for_selector("html.presenting")
    keys, head, axis = (page.locator(one).first.bounding_box() for one in (".keys", f"{DUEL} .who", f"{DUEL} .axis"))
    assert page.locator(f"{DUEL} .canvas").first.bounding_box()["width"] >= large
    assert head["y"] >= 0
    assert axis["y"] + axis["height"] <= keys["y"]


def test_the_report_has_four_claims_and_draws_a_pair_for_each(page: Any) -> None:
    page.get_by_role("tab", name="Scoreboard").click()
    assert page.locator(".claim h3").count() == 4
    assert "84.7 %" in page.locator(".claim").first.inner_text() or page.locator(".claim .quiet").count()
    tick(page, "gray sphere")
    set_number(page, "Seed", 31)
    page.locator("#show-variety").click()
    wait_for_state(page, "done")
    assert page.locator('.stage[data-model="ddpm"] .tile').count() == 8
    assert "objects=blue-cube" in page.url
    ticked = page.locator("#picker input:checked").evaluate_all("(all) => all.map((one) => one.value)")
    assert ticked == ["gray sphere"]
    assert page.locator("#ask").get_by_label("Seed", exact=True).input_value() == "31"
    assert "settings are as they were" in page.locator("#note-link").inner_text()


def test_before_anything_is_drawn_the_walk_is_the_examples_and_the_history_shows_no_empty_frames(page: Any) -> None:
    page.locator("#walk-fold > button").click()
    page.wait_for_selector("#walk .picture[src^='data:image']")
    assert page.locator("#walk .walk-note").inner_text() == ""
    page.get_by_role("tab", name="History").click()
    page.locator(".history-none").wait_for()
    assert not page.locator("#past .frame").first.is_visible()
    assert not page.locator("#load-past").is_visible()


def test_back_draws_the_request_before(page: Any) -> None:
    generate(page, "red cube", steps=2)
    first = pictures(page)
    tick(page, "gray sphere")
    press_generate(page)
    assert pictures(page) != first
    before = run_shown(page)
    page.go_back()
    wait_for_state(page, "done", before)
    assert pictures(page) == first
    assert page.locator("#picker input:checked").count() == 1
