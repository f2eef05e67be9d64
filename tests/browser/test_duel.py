"""Tick, generate, watch, stop and scrub."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from clevr_demo.request import MAX_PICTURES
from clevr_demo.serve.gate import draws_at_once
from tests.browser.helpers import (
    PHONE,
    STEP,
    generate,
    pictures,
    press_generate,
    set_new_seed,
    set_number,
    step_shown,
    stream_bytes,
    tick,
    wait_for_drawing,
    wait_for_state,
)

MODELS = ("ddpm", "acgan")


def test_the_picker_is_one_tab_stop_and_arrow_keys_walk_it(page: Any) -> None:
    boxes = page.locator("#picker input[type=checkbox]")
    assert boxes.count() == 24
    assert boxes.evaluate_all("(all) => all.filter((one) => one.tabIndex === 0).map((one) => one.value)") == [
        "gray cube"
    ]
    page.get_by_role("checkbox", name="gray cube", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("End")
    ticked = boxes.evaluate_all("(all) => all.filter((one) => one.checked).map((one) => one.value)")
    assert ticked == ["gray cube", "red sphere"]
    assert page.evaluate("document.activeElement.value") == "yellow sphere"
    assert boxes.evaluate_all("(all) => all.filter((one) => one.tabIndex === 0).length") == 1
    assert page.locator(".picker-count").inner_text() == "2 ticked"
    page.locator("#clear").click()
    page.wait_for_function("document.querySelectorAll('#picker input:checked').length === 0")


def test_more_than_three_objects_are_marked_as_beyond_training(page: Any) -> None:
    tick(page, "gray cube", "red cube", "blue cube", "green cube")
    assert "more than any training picture holds" in page.locator(".picker-count").inner_text()


def test_nothing_ticked_gives_a_message_beside_the_picker(page: Any) -> None:
    page.locator("#generate").click()
    page.locator("#note-objects").get_by_text("Tick at least one object").wait_for()
    assert page.locator("#generate").is_visible()
    tick(page, "red cube")
    set_number(page, "Steps", 0)
    page.locator("#generate").click()
    page.locator("#note-steps").get_by_text("between 1 and 1200").wait_for()
    assert page.locator("#note-objects").inner_text().strip() == ""


def test_both_pictures_arrive_with_their_verdicts(page: Any) -> None:
    generate(page, "red cube", "blue sphere")
    for source in pictures(page):
        assert source.startswith("data:image/png")
    assert step_shown(page) == 8
    for model in MODELS:
        stage, verdict = (page.locator(f'#duel .{part}[data-model="{model}"]') for part in ("stage", "verdict"))
        assert verdict.locator(".chip-name").all_inner_texts()[:2] == ["red cube", "blue sphere"]
        marks = verdict.locator(".chip-mark").all_inner_texts()
        told = stage.locator(".told").inner_text()
        exact = verdict.locator(".exact")
        assert (set(marks) == {"found"}) == (exact.inner_text() == "exact") == ("nothing else" in told)
        assert "accuracy" not in verdict.inner_text(), "the headline is the judge's count alone"
        verdict.locator("summary").click()
        assert re.match(r"The course's accuracy: \d+ %\. .*cannot see", verdict.locator(".accuracy").inner_text())
        assert "cannot see" in exact.get_attribute("title")
    costs = page.locator("#duel .lane-cost").all_inner_texts()
    assert costs[0].startswith("1 pass, ")
    assert costs[1].startswith("8 passes, ")
    assert "times as long" in costs[1]
    sizes = page.locator("#duel .picture").evaluate_all(
        "(all) => all.map((one) => [one.naturalWidth, one.clientWidth])"
    )
    assert all(natural == 64 and shown > 200 for natural, shown in sizes)


def test_the_picture_forms_while_it_denoises_and_stop_keeps_the_last_frame(page: Any) -> None:
    tick(page, "red cube")
    set_number(page, "Steps", 1200)
    set_new_seed(page)
    page.locator("#generate").click()
    wait_for_drawing(page)
    page.wait_for_function(f"{STEP} > 1")
    first = step_shown(page)
    page.wait_for_function(f"{STEP} > {first}")
    page.locator("#stop").click()
    wait_for_state(page, "stopped")
    assert "The last frame is kept" in page.locator(".duel-summary").inner_text()
    assert 1 < step_shown(page) < 1200
    assert all(pictures(page))
    set_number(page, "Steps", 4)
    press_generate(page)
    assert step_shown(page) == 4


def test_scrubbing_asks_the_server_nothing(page: Any) -> None:
    generate(page, "red cube", "blue sphere", steps=20)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith("http") else None)
    last = pictures(page)[0]
    scrub = page.locator("#duel .scrub")
    scrub.focus()
    page.keyboard.press("Home")
    assert step_shown(page) <= 1
    assert pictures(page)[0] != last
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#duel .step-text").inner_text() == "Step 19 of 20"
    plot = page.locator("#duel .plot").bounding_box()
    page.mouse.click(plot["x"] + plot["width"] - 2, plot["y"] + 20)
    assert step_shown(page) == 20
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"{STEP} < 20")
    page.wait_for_function(f"{STEP} === 20")
    page.get_by_role("button", name="First step").click()
    page.get_by_role("button", name="One step on").click()
    page.get_by_role("button", name="Last step").click()
    assert pictures(page)[0] == last
    assert asked == []


def test_twenty_steps_travel_in_under_100_kilobytes(page: Any) -> None:
    received = stream_bytes(page)
    generate(page, "red cube", "blue sphere", "green cylinder", steps=20)
    assert 20_000 < received[0] < 100_000


def test_nothing_jumps_while_frames_stream(page: Any) -> None:
    tick(page, "red cube", "blue sphere")
    before = page.locator("#duel .frame").first.bounding_box()
    set_number(page, "Steps", 200)
    set_new_seed(page)
    page.locator("#generate").click()
    wait_for_drawing(page)
    page.wait_for_function(f"{STEP} > 1")
    during = page.locator("#duel .frame").first.bounding_box()
    wait_for_state(page, "done")
    assert before == during == page.locator("#duel .frame").first.bounding_box()


def live(page: Any) -> None:
    page.locator("#live input").check()


def drawn_objects(page: Any) -> str:
    """What the run that is shown was asked for, as its link says it."""
    return page.locator("#duel .duel").get_attribute("data-query")


def test_drawing_as_i_click_follows_the_newest_request(page: Any) -> None:
    """Also in the middle of a long run that was begun otherwise, with objects ticked 60 ms apart."""
    tick(page, "red cube")
    set_number(page, "Steps", 400)
    set_new_seed(page)
    page.locator("#generate").click()
    wait_for_drawing(page)
    live(page)
    for name in ("blue sphere", "green cylinder", "gray cube", "cyan sphere"):
        tick(page, name)
        page.wait_for_timeout(60)
    wait_for_state(page, "done")
    page.wait_for_function("document.querySelector('#duel .duel').dataset.query.split(',').length === 5")
    wait_for_state(page, "done")
    assert "objects=gray-cube,red-cube,blue-sphere,cyan-sphere,green-cylinder" in drawn_objects(page)
    assert "steps=4" in drawn_objects(page)
    steps = page.locator("#ask").get_by_label("Steps", exact=True)
    assert steps.input_value() == "4", "what is drawn stands there"
    page.locator("#live input").uncheck()
    page.wait_for_function("document.querySelector('#steps input').value === '400'")


def test_a_typed_seed_is_kept(page: Any) -> None:
    page.locator("#lock input").uncheck()
    set_number(page, "Seed", 4711)
    assert page.locator("#lock input").is_checked()
    generate(page, "red cube", steps=2)
    assert "seed=4711" in drawn_objects(page)


def test_a_fault_goes_when_what_was_wrong_is_changed(page: Any) -> None:
    note = page.locator("#note-objects .note-body")
    page.locator("#generate").click()
    page.wait_for_function("document.querySelector('#note-objects .note-body').textContent.includes('Tick')")
    tick(page, "red cube")
    page.wait_for_function("!document.querySelector('#note-objects .note-body').textContent")
    assert not note.is_visible()
    page.locator("#ask").get_by_label("Seed", exact=True).fill("")
    page.locator("#generate").click()
    page.wait_for_function("document.querySelector('#note-seed .note-body').textContent.includes('empty')")
    assert "None" not in page.locator("#ask").inner_text()
    set_number(page, "Seed", 3)
    page.wait_for_function("!document.querySelector('#note-seed .note-body').textContent")
    page.locator("#live input").check()
    page.locator("#clear").click()
    page.wait_for_timeout(500)
    assert not note.is_visible(), "that nothing is ticked any more is no fault"


def test_drawing_as_i_click_leaves_a_number_alone_while_it_is_typed(page: Any) -> None:
    tick(page, "red cube")
    live(page)
    field = page.locator("#ask").get_by_label("Seed", exact=True)
    field.fill("")
    field.press_sequentially("123456", delay=70)
    assert field.input_value() == "123456"
    field.press("Enter")
    page.wait_for_function("(document.querySelector('#duel .duel').dataset.query ?? '').includes('seed=123456')")
    assert field.input_value() == "123456"


def test_drawing_turns_the_page_to_the_duel(page: Any) -> None:
    tick(page, "red cube")
    set_number(page, "Steps", 2)
    page.get_by_role("tab", name="Grid").click()
    page.locator("#grid-go").wait_for()
    page.locator("#generate").click()
    wait_for_state(page, "done")
    assert page.locator("#duel .picture").first.is_visible()


def test_who_waits_is_told_and_can_leave(open_page: Callable[..., Any]) -> None:
    # Eight pictures of 1,200 steps each, every turn taken: the server stays busy until somebody presses Stop.
    long_ones = [f"?objects=red-cube&seed={seed}&steps=1200&pictures={MAX_PICTURES}" for seed in range(draws_at_once())]
    busy = [open_page(long_one) for long_one in long_ones]
    for page in busy:
        wait_for_drawing(page)
    page = open_page()
    tick(page, "blue sphere")
    page.locator("#generate").click()
    page.locator("#duel .duel-summary").get_by_text("1 ahead of you, about").wait_for()
    page.locator("#stop").click()
    page.locator("#duel .duel-summary").get_by_text("Stopped before the first step").wait_for()
    page.locator("#generate").wait_for(state="visible")
    while busy:  # whoever leaves, the others' run goes on
        for page in busy:
            wait_for_drawing(page)
            assert page.locator("#stop").is_visible()
            assert not page.locator("#generate").is_visible()
        page = busy.pop(0)
        page.locator("#stop").click()
        wait_for_state(page, "stopped")


def test_keys_draw_and_stop(page: Any) -> None:
    tick(page, "red cube")
    set_number(page, "Steps", 1200)
    set_new_seed(page)
    page.keyboard.press("Control+Enter")
    wait_for_drawing(page)
    page.wait_for_function(f"{STEP} > 1")
    page.keyboard.press("Escape")
    wait_for_state(page, "stopped")


def test_rings_are_named_under_the_pointer_and_can_be_switched_off(page: Any) -> None:
    generate(page, "red cube", "blue sphere", steps=20)
    rings = page.locator('#duel .stage[data-model="ddpm"] .ring')
    if rings.count() == 0:
        pytest.skip("the judge finds nothing in this picture, so there is nothing to ring")
    box = rings.first.locator(".ring-touch").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # also where a mark lies over it
    label = page.locator('#duel .stage[data-model="ddpm"] .mark-label')
    assert label.inner_text() in [f"{one.get_attribute('data-name')}" for one in rings.all()]
    page.get_by_role("button", name="Rings", exact=True).click()
    assert rings.count() == 0


def test_several_seeds_make_a_grid_with_a_mean(page: Any) -> None:
    page.locator("#more").get_by_role("button").first.click()
    field = page.locator("#pictures input[type=number]")
    field.fill("3")
    field.blur()
    set_new_seed(page)
    generate(page, "red cube", steps=3)
    for model in MODELS:
        assert page.locator(f'.stage[data-model="{model}"] .tile').count() == 3
        assert "All 3:" in page.locator(f'.verdict[data-model="{model}"] .mean').inner_text()
    tiles = page.locator('.stage[data-model="ddpm"] .tile')
    tiles.last.click()
    shown = pictures(page)[0]
    tiles.first.click()
    assert pictures(page)[0] != shown


def test_what_the_ddpm_has_and_what_it_guesses_are_both_in_view(open_page: Callable[..., Any]) -> None:
    page = open_page("?objects=red-cube,blue-sphere&seed=7&steps=6", reduced_motion="reduce")
    wait_for_state(page, "done")
    left, right = (page.locator(f'#duel .stage[data-model="{model}"] .inset') for model in MODELS)
    assert right.is_hidden(), "one pass has no noise to remove"
    noise = left.locator("img")
    seen = []
    page.locator("#duel .scrub").focus()
    for key in ("End", "ArrowLeft", "Home"):
        page.keyboard.press(key)
        assert left.is_visible()
        seen.append((noise.get_attribute("src"), pictures(page)[0], left.inner_text()))
    assert len({noise for noise, _, _ in seen}) == 3
    assert all(noise != guess for noise, guess, _ in seen)
    assert [text for _, _, text in seen] == ["noisy, step 6", "noisy, step 5", "noisy, waits"]
    assert page.locator('#duel .stage[data-model="ddpm"] .trail').count() == 2


UNDER = "([x, y]) => document.elementFromPoint(x, y).closest('#duel .stage').dataset.side"
"""Whose picture one sees at a point."""
BOXES = """['.stages', '.dice', '.player', '.verdicts'].map((one) => {
    const { x, y, width, height } = document.querySelector(`#duel ${one}`).getBoundingClientRect();
    return [x, y + scrollY, width, height];
})"""
"""Where what stands around the pictures is, on the whole page."""


@pytest.mark.parametrize("options", [{"viewport": {"width": 1440, "height": 900}}, PHONE], ids=["desktop", "phone"])
def test_a_wipe_lays_both_pictures_over_each_other(open_page: Callable[..., Any], options: dict[str, Any]) -> None:
    page = open_page(reduced_motion="reduce", **options)
    page.wait_for_selector('#duel .duel[data-state="showcase"]')
    button, wipe, slider = (page.locator(f"#duel {one}") for one in ('[data-switch="wipe"]', ".wipe", ".wipe input"))
    assert wipe.is_hidden()
    before, size = page.evaluate(BOXES), page.locator("#duel .canvas").first.bounding_box()["width"]
    button.click()
    assert page.evaluate(BOXES) == before, "nothing else moves"
    left, right = (page.locator(f'.stage[data-side="{side}"] .canvas').bounding_box() for side in ("left", "right"))
    assert left == pytest.approx(right, abs=1)
    assert left["width"] >= 240, "on a phone, too"
    assert page.locator(".wipe-name").all_inner_texts() == ["DDPM", "ACGAN"]

    def seen(share: float) -> str:
        return page.evaluate(UNDER, [left["x"] + share * left["width"], left["y"] + 0.45 * left["height"]])

    assert [seen(0.3), seen(0.7)] == ["left", "right"]
    line = page.locator(".wipe-line").bounding_box()
    page.mouse.move(line["x"] + line["width"] / 2, line["y"] + 0.6 * line["height"])
    page.mouse.down()
    page.mouse.move(left["x"] + 0.9 * left["width"], left["y"] + 0.7 * left["height"], steps=3)
    page.mouse.up()
    assert seen(0.7) == "left"
    assert slider.get_attribute("aria-valuetext") == "DDPM 90 %, ACGAN 10 %"
    assert page.locator(".wipe-name").nth(1).is_hidden(), "a side too narrow for its name has none"
    page.keyboard.press("Home")
    assert seen(0.3) == "right"
    page.keyboard.press("ArrowRight")
    assert slider.input_value() == "1"
    button.click()
    assert wipe.is_hidden()
    boxes = [page.locator("#duel .canvas").nth(place).bounding_box() for place in range(2)]
    assert boxes[1]["x"] - boxes[0]["x"] > size, "side by side again"
    assert page.evaluate(BOXES) == before


def test_the_acgans_stage_shows_its_noise_and_then_in_one_step_its_picture(open_page: Callable[..., Any]) -> None:
    page = open_page(reduced_motion="reduce")
    page.wait_for_selector('#duel .duel[data-state="showcase"]')
    noise = page.locator('.stage[data-model="acgan"] .start-noise')
    assert noise.is_hidden(), "what is finished is shown"
    page.locator('[data-go="start"]').click()
    assert "One pass turns this noise into its picture." in noise.inner_text()
    assert noise.locator(".start-place").count() == 3, "a place's noise an object"
    sizes = noise.locator("canvas").evaluate_all("(all) => all.map(({ width, height }) => [width, height])")
    assert sizes == [[8, 3], [8, 1], [64, 64]], "looks, light and grain"
    assert page.locator('.stage[data-model="ddpm"] .start-noise').is_hidden()
    for _ in range(3):
        page.locator('[data-go="on"]').click()
        assert noise.is_visible()
    page.locator('[data-go="on"]').click()
    assert noise.is_hidden()
