"""Objects are taken by hand: dragged, tapped, moved by keys; both models repaint, and one can always go back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.helpers import PHONE, generate, pictures, pixels, run_shown, set_number, tick

DUEL = "#duel .duel"
LINK = "?objects=red-cube,blue-sphere&seed=7&steps=6"
CALM: dict[str, Any] = {"reduced_motion": "reduce"}
WATCH = """() => {
    const { duel } = document.querySelector('#duel .duel');
    const preview = duel.preview;
    window.painted = [];
    duel.preview = (run) => { window.painted.push(run.query); preview(run); };
}"""
"""Keeps the query of every scene that is repainted, in order."""


def grip(page: Any, name: str, side: str = "left") -> Any:
    return page.locator(f'#duel .stage[data-side="{side}"] .grip[data-name="{name}"]')


def middle(target: Any) -> tuple[float, float]:
    box = target.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def on_canvas(page: Any, row: float, column: float, side: str = "left") -> tuple[float, float]:
    """The point of the window where a pixel of the picture lies."""
    box = page.locator(f'#duel .stage[data-side="{side}"] .canvas').bounding_box()
    return box["x"] + (column + 0.5) / 64 * box["width"], box["y"] + (row + 0.5) / 64 * box["height"]


def drag(page: Any, start: tuple[float, float], end: tuple[float, float], moves: int = 12) -> None:
    """Takes what lies at `start` to `end`, without letting go."""
    page.mouse.move(*start)
    page.mouse.down()
    for move in range(1, moves + 1):
        share = move / moves
        page.mouse.move(start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
        page.wait_for_timeout(30)


def drawn(page: Any, *parts: str) -> None:
    """Waits until the pictures are those of a finished run whose link has these parts."""
    says = " && ".join(f"query.includes({part!r})" for part in parts) or "true"
    page.wait_for_function(
        f"(() => {{ const root = document.querySelector('{DUEL}'), query = root?.dataset.query ?? '';"
        f" return root?.dataset.state === 'done' && !root.classList.contains('held') && {says}; }})()"
    )


def places(query: str) -> dict[str, tuple[float, float]]:
    """The given places of a link."""
    found = re.search(r"at=([^&]*)", query)
    parts = [part.split(":") for part in found[1].split(",")] if found else []
    return {name: (float(row), float(column)) for name, row, column in parts}


def query_shown(page: Any) -> str:
    return page.locator(DUEL).get_attribute("data-query")


def ticked(page: Any) -> list[str]:
    return page.locator("#picker input:checked").evaluate_all("(all) => all.map((one) => one.value)")


def test_a_dragged_object_is_repainted_by_both_and_the_released_place_is_the_links(
    open_page: Callable[..., Any],
) -> None:
    page = open_page(LINK, **CALM)
    drawn(page)
    page.evaluate(WATCH)
    before, entries = pictures(page), page.evaluate("history.length")
    start, end = middle(grip(page, "red cube")), on_canvas(page, 40, 44)
    drag(page, start, end, moves=25)
    page.wait_for_function("window.painted.length > 1")
    dot = middle(grip(page, "red cube"))
    assert dot == pytest.approx(end, abs=6), "the mark is under the pointer, whatever the pictures do"
    page.wait_for_function("/at=.*red-cube:40:44/.test(window.painted.at(-1))")
    moving = pictures(page)
    assert moving[0] != before[0]
    assert moving[1] != before[1]
    assert page.locator(f"{DUEL}.held").count() == 1
    page.mouse.up()
    drawn(page, "red-cube:40:44")
    columns = [places(query)["red-cube"][1] for query in page.evaluate("window.painted")]
    assert columns == sorted(columns), "never an older picture after a newer one"
    assert len(set(columns)) > 1
    assert set(places(query_shown(page))) == {"red-cube", "blue-sphere"}, "the others stay where they are"
    assert "steps=6" in query_shown(page)
    assert page.evaluate("history.length") == entries + 1, "one drag is one entry"
    assert grip(page, "red cube", "right").locator(".pin").is_visible()
    other = open_page(f"?{page.url.partition('?')[2]}", **CALM)
    drawn(other, "red-cube:40:44")
    assert pictures(other) == pictures(page)
    page.keyboard.press("Control+z")
    drawn(page, "v=1")
    assert pictures(page) == before
    page.locator('#hands [data-act="redo"]').click()
    drawn(page, "red-cube:40:44")
    assert pictures(page) == pictures(other)


def test_the_example_can_be_taken_at_once_and_undone(open_page: Callable[..., Any]) -> None:
    page = open_page(**CALM)
    page.wait_for_selector(f'{DUEL}[data-state="showcase"]')
    grip(page, "cyan sphere").wait_for()
    start = middle(grip(page, "cyan sphere"))
    drag(page, start, (start[0] + 60, start[1] - 20))
    page.mouse.up()
    drawn(page, "cyan-sphere:")
    assert ticked(page) == ["red cube", "cyan sphere", "yellow cylinder"]
    page.locator('#hands [data-act="undo"]').click()
    drawn(page, "v=1")
    assert ticked(page) == ["red cube", "cyan sphere", "yellow cylinder"], "the example, as it was"


def test_escape_and_a_cancelled_pointer_restore(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK, **CALM)
    drawn(page)
    before, query, address = pictures(page), query_shown(page), page.url
    home = middle(grip(page, "red cube"))
    for end in ("Escape", "pointercancel"):
        page.evaluate(WATCH)
        drag(page, home, (home[0] + 90, home[1] + 30))
        page.wait_for_function("window.painted.length > 0")
        if end == "Escape":
            page.keyboard.press("Escape")
        else:
            page.evaluate("window.dispatchEvent(new PointerEvent('pointercancel', { pointerId: 1 }))")
        page.wait_for_selector(f"{DUEL}:not(.held)")
        page.mouse.up()
        assert pictures(page) == before
        assert middle(grip(page, "red cube")) == pytest.approx(home, abs=1)
        page.wait_for_timeout(300)  # what was on its way comes to nothing
        assert pictures(page) == before
    assert (query_shown(page), page.url) == (query, address)


def test_a_page_that_is_filled_anew_during_a_drag_does_not_lose_it(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK, **CALM)
    drawn(page)
    first = run_shown(page)
    start, end = middle(grip(page, "red cube")), on_canvas(page, 41, 40)
    drag(page, start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    # A run that was asked for before ends meanwhile, and every mark is made anew.
    page.evaluate("document.getElementById('generate').click()")
    page.evaluate("document.querySelectorAll('#duel .grip').forEach((one) => one.remove())")
    page.locator("#stop").wait_for(state="visible")
    page.locator("#generate").wait_for(state="visible")
    assert run_shown(page) == first, "what is moved is not covered by an older picture"
    page.mouse.move(*end)
    page.wait_for_timeout(50)
    assert middle(grip(page, "red cube")) == pytest.approx(end, abs=6)
    page.mouse.up()
    drawn(page, "red-cube:41:40")


def test_an_object_is_dragged_in_from_the_picker_and_off_to_remove_it(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK, **CALM)
    drawn(page)
    cell = page.locator("#picker .cell[title='green cylinder']")
    drag(page, middle(cell), on_canvas(page, 45, 30, "right"))
    page.mouse.up()
    drawn(page, "green-cylinder:45:30")
    assert ticked(page) == ["red cube", "blue sphere", "green cylinder"]
    box = page.locator("#duel .canvas").first.bounding_box()
    drag(page, middle(grip(page, "blue sphere")), (box["x"] + box["width"] / 2, box["y"] - 70))
    page.get_by_text("Let go, and the blue sphere leaves the scene.").wait_for()
    page.mouse.up()
    drawn(page, "objects=red-cube,green-cylinder&")
    assert ticked(page) == ["red cube", "green cylinder"]
    page.keyboard.press("Control+z")
    drawn(page, "objects=red-cube,blue-sphere,green-cylinder&")
    drag(page, middle(cell), (middle(cell)[0] + 60, middle(cell)[1] + 20))
    page.mouse.up()  # nowhere
    page.wait_for_timeout(100)
    assert ticked(page) == ["red cube", "blue sphere", "green cylinder"]


def test_the_keyboard_alone_adds_places_moves_removes_and_undoes(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK, **CALM)
    drawn(page)
    page.get_by_role("checkbox", name="gray cube", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    drawn(page, "gray-cube")
    page.locator('#hands [data-act="undo"]:enabled').focus()  # once the change is a step to undo
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.closest('.grip')?.dataset.name ?? ''"))
        if reached[-1] == "red cube":
            break
    assert reached[-1] == "red cube", reached
    slider = page.locator(":focus")
    row, column = (float(part) for part in re.findall(r"[\d.]+", slider.get_attribute("aria-valuetext")))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    drawn(page, f"red-cube:{row + 2:g}:{column + 4:g}")
    assert f"row {row + 2:g}, column {column + 4:g}, placed by you" in page.locator(".hands-said").inner_text()
    assert page.evaluate("document.activeElement.closest('.grip')?.dataset.name") == "red cube", "the mark keeps focus"
    page.keyboard.press("Control+z")
    drawn(page, "v=1")
    page.keyboard.press("Delete")
    drawn(page, "objects=gray-cube,blue-sphere&")
    page.keyboard.press("Control+z")
    drawn(page, "objects=gray-cube,red-cube,blue-sphere&")
    field = page.locator("#ask").get_by_label("Seed", exact=True)
    field.focus()
    page.keyboard.type("1")
    page.keyboard.press("Control+z")
    assert field.input_value() == "7", "the field's own undo"
    assert len(ticked(page)) == 3


def test_taps_alone_place_nudge_remove_and_let_go(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK, **CALM, **PHONE)
    drawn(page)
    assert grip(page, "red cube").bounding_box()["width"] >= 44
    page.touchscreen.tap(*middle(grip(page, "red cube")))
    page.get_by_text("Now tap its new place.").wait_for()
    page.touchscreen.tap(*on_canvas(page, 44, 50))
    page.wait_for_function(f"document.querySelectorAll('{DUEL} .grip.given').length === 4")
    drawn(page, "at=")
    row, column = places(query_shown(page))["red-cube"]
    assert (row, column) == pytest.approx((44, 50), abs=0.5)
    buttons = page.locator("#hands button:visible")
    assert all(buttons.nth(number).bounding_box()["height"] >= 44 for number in range(buttons.count()))
    page.get_by_role("button", name="Move up").tap()
    page.get_by_role("button", name="Move left").tap()
    drawn(page, f"red-cube:{row - 1:g}:{column - 1:g}")
    page.get_by_role("button", name="Let the models place it").tap()
    page.wait_for_function(f"!document.querySelector('{DUEL} .grip.given[data-name=\"red cube\"]')")
    drawn(page)
    assert set(places(query_shown(page))) == {"blue-sphere"}
    page.get_by_role("button", name="Let the models place all").tap()
    drawn(page, "v=1")
    page.get_by_role("button", name="Undo").tap()
    drawn(page, "at=blue-sphere")
    page.touchscreen.tap(*middle(grip(page, "blue sphere")))
    page.get_by_role("button", name="Remove it").tap()
    drawn(page, "objects=red-cube&")
    page.touchscreen.tap(*middle(grip(page, "red cube")))
    page.get_by_role("button", name="Remove it").tap()
    page.get_by_text("The last object stays: a scene holds at least one.").first.wait_for()
    words = page.locator(".hands-words span")
    assert "The last object stays" in words.inner_text()
    page.get_by_role("button", name="Move up").tap()
    page.wait_for_function("!document.querySelector('.hands-words span').textContent.includes('The last object')")


def test_a_finger_takes_an_object_again_that_has_a_pin(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK, **CALM, **PHONE)
    drawn(page)
    session = page.context.new_cdp_session(page)
    for row, column in ((44, 50), (40, 20)):
        start, end = middle(grip(page, "red cube")), on_canvas(page, row, column)
        steps = [
            (start[0] + (end[0] - start[0]) * part / 8, start[1] + (end[1] - start[1]) * part / 8) for part in range(9)
        ]
        for number, (x, y) in enumerate(steps):
            kind = "touchMove" if number else "touchStart"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
            page.wait_for_timeout(30)
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        drawn(page, "at=")
        page.wait_for_function(f"document.querySelectorAll('{DUEL} .grip.given').length === 4")
        assert places(query_shown(page))["red-cube"] == pytest.approx((row, column), abs=1)
    page.touchscreen.tap(*middle(grip(page, "red cube")))
    page.get_by_text("Now tap its new place.").wait_for()
    assert len(places(query_shown(page))) == 2, "a tap lets nothing go"


@pytest.mark.parametrize(("axis", "value"), [(0, 45), (1, 50)])
def test_a_marks_own_sliders_move_it(open_page: Callable[..., Any], axis: int, value: int) -> None:
    page = open_page(LINK, **CALM)
    drawn(page)
    slider = grip(page, "red cube").locator(f'.grip-slider[data-axis="{axis}"]')
    slider.evaluate(
        "(one, value) => { one.value = value; one.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )
    drawn(page, "at=")
    assert places(query_shown(page))["red-cube"][axis] == value


@pytest.mark.parametrize("key", ["Control+z", "Enter", "Delete"])
def test_a_key_during_a_drag_does_not_end_it(open_page: Callable[..., Any], key: str) -> None:
    page = open_page(LINK, **CALM)
    drawn(page)
    errors: list[Any] = []
    page.on("pageerror", lambda error: errors.append(error))
    drag(page, middle(grip(page, "red cube")), on_canvas(page, 40, 44), moves=6)
    page.keyboard.press(key)
    drag_on = on_canvas(page, 44, 50)
    page.mouse.move(*drag_on, steps=4)
    page.mouse.up()
    drawn(page, "red-cube:44:50")
    assert not errors
    page.keyboard.press("Control+z")
    drawn(page, "v=1")


def test_of_several_pictures_the_dragged_one_stays(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK + "&pictures=3", **CALM)
    drawn(page)
    page.locator('#duel .stage[data-side="left"] .tiles button').nth(2).click()
    chosen = page.evaluate("document.querySelector('#duel .duel').duel.chosen()")
    assert chosen == 2
    drag(page, middle(grip(page, "red cube")), on_canvas(page, 40, 44))
    page.mouse.up()
    drawn(page, "red-cube:40:44")
    assert page.evaluate("document.querySelector('#duel .duel').duel.chosen()") == chosen


def test_a_long_press_takes_an_icon_out_of_the_sheet_onto_the_scene(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK, **CALM, **PHONE)
    drawn(page)
    page.locator("#sheet").tap()
    start = middle(page.locator("#picker .cell[title='yellow sphere']"))
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", start)
    page.wait_for_selector("#studio.sheet-aside")
    for share in (0.2, 0.4, 0.6, 0.8, 1.0, 1.0):
        end = on_canvas(page, 40, 20)  # what is said above the pictures may take another line meanwhile
        touch("touchMove", (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])))
        page.wait_for_timeout(40)
    touch("touchEnd")
    drawn(page, "yellow-sphere:")
    assert places(query_shown(page))["yellow-sphere"] == pytest.approx((40, 20), abs=1)
    assert page.locator("#studio.sheet-aside").count() == 0


def test_what_the_models_may_not_promise_is_said_where_it_happens(open_page: Callable[..., Any]) -> None:
    page = open_page("?objects=red-cube,blue-sphere&seed=7&steps=2&at=red-cube:4:4", **CALM)
    drawn(page)
    said = page.locator(".hands-hint")
    said.get_by_text("Training pictures show nothing where the red cube is to stand.").wait_for()
    page.locator('#hands [data-act="free-all"]').click()
    said.get_by_text("Drag a mark").wait_for()
    drawn(page, "v=1")
    tick(page, "gray cube", "green cube")
    page.locator("#generate").click()
    said.get_by_text("4 objects are more than any training picture holds.").wait_for()


def test_a_chosen_mark_takes_the_arrow_keys_in_a_presentation(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK, **CALM)
    drawn(page)
    page.locator("#presentation [data-open]").click()
    x, y = middle(grip(page, "blue sphere"))
    page.mouse.click(x, y)
    page.locator("#duel .scrub").focus()
    page.keyboard.press("ArrowRight")
    drawn(page, "at=")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#duel .step-text").inner_text() == "Step 5 of 6"
    page.keyboard.press("Escape")


def test_ticks_and_numbers_are_undone_one_by_one_without_a_draw(open_page: Callable[..., Any]) -> None:
    page = open_page(**CALM)
    generate(page, "red cube", steps=3)
    run = run_shown(page)
    tick(page, "blue sphere")
    page.wait_for_timeout(400)
    set_number(page, "Steps", 12)
    page.wait_for_function("document.querySelector('#duel .duel').classList.contains('stale')")
    page.wait_for_timeout(400)
    undo = page.locator('#hands [data-act="undo"]')
    undo.click()
    page.wait_for_function("document.querySelector('#steps input').value === '3'")
    assert ticked(page) == ["red cube", "blue sphere"]
    undo.click()
    page.wait_for_function("document.querySelectorAll('#picker input:checked').length === 1")
    page.wait_for_selector(f"{DUEL}:not(.stale)")
    assert run_shown(page) == run, "what was not drawn is not drawn by taking it back"


def test_a_die_rolls_its_own_source_alone_and_is_undone(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK, **CALM)
    drawn(page)
    before, drawn_before = pictures(page), pixels(page)
    titles = page.locator(f"{DUEL} .dice").evaluate_all(
        "(all) => all.map((one) => [...one.querySelectorAll('.die-name')].map((title) => title.textContent))"
    )
    assert titles == [["Places", "Pixels"], ["Places", "Looks", "Light", "Grain"]]
    die = page.locator('#duel .die-place[data-source="pixels"]')
    assert "all but the places" in die.locator(".die").get_attribute("title")
    assert die.locator(".die-back").is_hidden()
    die.locator(".die").click()
    drawn(page, "seed-pixels=")
    seed = query_shown(page).partition("seed-pixels=")[2].partition("&")[0]
    assert die.inner_text().splitlines()[1] == f"seed {seed}"
    page.get_by_text(f"Pixels rolled to {seed}").first.wait_for()
    rolled = pixels(page)
    assert rolled[0] != drawn_before[0]
    assert rolled[1] == drawn_before[1], "the ACGAN has no such source"
    die.locator(".die-back").click()
    drawn(page, "v=1")
    assert pictures(page) == before
    page.keyboard.press("Control+z")
    drawn(page, f"seed-pixels={seed}")
    page.keyboard.press("Control+z")
    drawn(page, "v=1")
    places = page.locator('#duel .stage[data-model="ddpm"] .die-place[data-source="places"] .die')
    places.click()
    drawn(page, "seed-places=")
    assert all(one != other for one, other in zip(pixels(page), drawn_before, strict=True)), "both place by it"
