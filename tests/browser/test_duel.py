"""Tick, generate, watch, stop and scrub."""

from __future__ import annotations

from typing import Any

from tests.browser.helpers import generate, pictures, press_generate, set_number, step_shown, tick, wait_for_state

MODELS = ("ddpm", "acgan")


def test_all_objects_are_checkboxes_that_the_keyboard_reaches(page: Any) -> None:
    boxes = page.locator("#picker input[type=checkbox]")
    assert boxes.count() == 24
    page.get_by_role("checkbox", name="gray cube", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    ticked = boxes.evaluate_all("(all) => all.filter((one) => one.checked).map((one) => one.value)")
    assert ticked == ["gray cube", "red sphere"]
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
        verdict = page.locator(f'.verdict[data-model="{model}"]')
        assert verdict.locator(".chip-name").all_inner_texts() == ["red cube", "blue sphere"]
        assert all(share.endswith("%") for share in verdict.locator(".chip-share").all_inner_texts())
        assert "%" in verdict.locator(".accuracy").inner_text()
        assert "exact match" in verdict.locator(".exact").inner_text()
        assert "network evaluation" in verdict.locator(".cost").inner_text()
    sizes = page.locator("#duel .picture").evaluate_all(
        "(all) => all.map((one) => [one.naturalWidth, one.clientWidth])"
    )
    assert all(natural == 64 and shown > 200 for natural, shown in sizes)


def test_the_picture_forms_while_it_denoises_and_stop_keeps_the_last_frame(page: Any) -> None:
    tick(page, "red cube")
    set_number(page, "Steps", 1200)
    page.locator("#generate").click()
    page.wait_for_function("Number(document.querySelector('#duel .scrub').value) > 1")
    first = step_shown(page)
    page.wait_for_function(f"Number(document.querySelector('#duel .scrub').value) > {first}")
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
    assert step_shown(page) == 1
    assert pictures(page)[0] != last
    page.keyboard.press("ArrowRight")
    assert page.locator(".step-text").inner_text() == "Step 2 of 20"
    page.get_by_role("button", name="Noisy picture").click()
    page.get_by_role("button", name="Predicted picture").click()
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("Number(document.querySelector('#duel .scrub').value) === 20")
    page.get_by_role("button", name="First step").click()
    page.get_by_role("button", name="One step on").click()
    page.get_by_role("button", name="Last step").click()
    assert pictures(page)[0] == last
    assert asked == []


def test_twenty_steps_travel_in_under_200_kilobytes(page: Any) -> None:
    streams: set[str] = set()
    received = [0]

    def sent(event: dict[str, Any]) -> None:
        if "/queue/data" in event["request"]["url"]:
            streams.add(event["requestId"])

    def arrived(event: dict[str, Any]) -> None:
        received[0] += event["dataLength"] if event["requestId"] in streams else 0

    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.requestWillBeSent", sent)
    session.on("Network.dataReceived", arrived)
    generate(page, "red cube", "blue sphere", "green cylinder", steps=20)
    assert 20_000 < received[0] < 200_000


def test_nothing_jumps_while_frames_stream(page: Any) -> None:
    tick(page, "red cube", "blue sphere")
    before = page.locator("#duel .frame").first.bounding_box()
    set_number(page, "Steps", 12)
    page.locator("#generate").click()
    page.wait_for_function("Number(document.querySelector('#duel .scrub').value) > 1")
    during = page.locator("#duel .frame").first.bounding_box()
    wait_for_state(page, "done")
    assert before == during == page.locator("#duel .frame").first.bounding_box()


def test_drawing_as_i_click_follows_the_newest_request(page: Any) -> None:
    page.locator("#live input").check()
    tick(page, "red cube")
    page.wait_for_selector('#duel .duel[data-state="done"]')
    tick(page, "blue sphere", "green cylinder")
    names = "[...document.querySelectorAll('.verdict[data-model=acgan] .chip-name')].map((one) => one.textContent)"
    page.wait_for_function(f"{names}.length === 3 && document.querySelector('#duel .duel').dataset.state === 'done'")


def test_several_seeds_make_a_grid_with_a_mean(page: Any) -> None:
    page.locator("#more").get_by_role("button").first.click()
    field = page.locator("#pictures input[type=number]")
    field.fill("3")
    field.blur()
    generate(page, "red cube", steps=3)
    for model in MODELS:
        assert page.locator(f'.stage[data-model="{model}"] .tile').count() == 3
        assert "Mean of 3" in page.locator(f'.verdict[data-model="{model}"] .mean').inner_text()
    shown = pictures(page)[0]
    page.locator('.stage[data-model="ddpm"] .tile').first.click()
    assert pictures(page)[0] != shown
