"""Phone, dark mode and the accessibility rules of axe-core."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from clevr_demo.serve.learning import there
from tests.browser.helpers import PHONE, WATCH_SHIFTS, generate, press_generate, set_number, tick, wait_for_state

AXE = "4.14.1"


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core's script, from npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, so axe-core cannot be fetched")
    folder = tmp_path_factory.mktemp("axe")
    try:
        command = [npm, "pack", f"axe-core@{AXE}", "--silent"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
        with tarfile.open(next(folder.glob("axe-core-*.tgz"))) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            return member.read().decode()
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        pytest.skip(f"axe-core could not be fetched: {error}")


WIDTHS = (320, 1920, 1366)


def findings(page: Any, axe: str) -> list[str]:
    """Serious and critical ones, in windows from the narrowest to the widest."""
    page.evaluate(axe)
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        violations = page.evaluate("axe.run(document, { resultTypes: ['violations'] }).then((all) => all.violations)")
        found += [
            f"{width}: {one['id']}: {one['nodes'][0]['html'][:200]}"
            for one in violations
            if one["impact"] in ("serious", "critical")
        ]
    return found


@pytest.mark.parametrize(
    "look", [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"forced_colors": "active"}], ids=str
)
def test_no_tab_has_a_serious_accessibility_finding(
    open_page: Callable[..., Any], axe: str, look: dict[str, Any]
) -> None:
    page = open_page(**look, reduced_motion="reduce")
    assert findings(page, axe) == []
    generate(page, "red cube", "yellow cylinder", steps=3)
    page.locator("#more").get_by_role("button").first.click()
    assert findings(page, axe) == []
    page.get_by_role("tab", name="Grid").click()
    page.locator("#grid-columns-values textarea, #grid-columns-values input").first.fill("2, 3")
    page.locator("#grid-go").click()
    page.wait_for_selector('#grid .pictures[data-state="done"]')
    assert findings(page, axe) == []
    page.get_by_role("tab", name="Change one object").click()
    page.locator("#change-go").click()
    page.wait_for_selector('#change .pictures[data-state="done"]')
    assert findings(page, axe) == []
    page.get_by_role("tab", name="Scoreboard").click()
    page.locator("#scoreboard .board-part, #scoreboard .board-lacks").first.wait_for()
    assert findings(page, axe) == []
    page.locator("#lessons [data-open]").click()
    assert findings(page, axe) == []
    page.keyboard.press("Escape")
    page.locator("#guess [data-open]").click()
    assert findings(page, axe) == []
    page.locator("#guess [data-open]").click()
    page.get_by_role("tab", name="History").click()
    page.locator("#history .history-entry").first.click()
    page.wait_for_selector('#past .duel[data-state="done"]')
    assert findings(page, axe) == []


@pytest.mark.parametrize(
    "look", [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"forced_colors": "active"}], ids=str
)
def test_what_one_begins_with_has_no_serious_accessibility_finding(
    open_page: Callable[..., Any], axe: str, look: dict[str, Any]
) -> None:
    page = open_page(**look, reduced_motion="reduce")
    page.wait_for_selector('#duel .duel[data-state="showcase"]')
    page.locator('[data-go="start"]').click()
    page.locator('[data-switch="wipe"]').click()
    assert findings(page, axe) == []
    places = {"Grid": "#grid-starts .start", "History": ".history-slot"}
    if there():
        places["Learning"] = "#learning .learning-cell"
    for name, place in places.items():
        page.get_by_role("tab", name=name).click()
        page.locator(place).first.wait_for()
        assert findings(page, axe) == []


CUT = """(all) => all.filter((one) => one.checkVisibility()).filter((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.bottom / 6)));
    return one.scrollWidth > one.clientWidth + 1 || lines.size > 1;
}).map((one) => one.textContent)"""
"""Short labels that are cut off or broken in two."""
SHORT = "#duel :is(.how, .step-text, .chip-mark, .chip-share, .switch), .story-button, #examples button"


WITHIN = "(all) => all.length > 0 && all.every((one) => one.scrollWidth <= one.clientWidth)"


SMALL = """[...document.querySelectorAll('body *')].filter((one) => one.checkVisibility()
    && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    && parseFloat(getComputedStyle(one).fontSize) < 13).map((one) => `${one.className}: ${one.textContent}`)"""
"""What is written in less than 13 pixels."""


def test_no_caption_is_small_and_one_button_is_the_first(open_page: Callable[..., Any]) -> None:
    page = open_page("?objects=red-cube,blue-sphere&seed=7&steps=4&pictures=2", viewport={"width": 1440, "height": 900})
    wait_for_state(page, "done")
    assert page.evaluate(SMALL) == []
    assert page.locator("button.primary:visible").evaluate_all("(all) => all.map((one) => one.id)") == ["generate"]


def test_the_page_fits_a_phone(open_page: Callable[..., Any]) -> None:
    page = open_page(**PHONE)
    assert page.locator("#picker .cell").first.is_hidden(), "the duel comes first"
    bar = page.locator("#generate").bounding_box()
    assert bar["y"] + bar["height"] <= 844
    assert bar["height"] >= 44
    page.locator("#sheet").click()
    page.locator("#picker .cell").first.wait_for(state="visible")
    cell = page.locator("#picker .cell").first.bounding_box()
    assert cell["height"] >= 44
    page.locator("#more button").first.click()
    page.locator("#pictures").scroll_into_view_if_needed()
    assert page.locator("#ask").evaluate("(one) => one.scrollWidth <= one.clientWidth"), "settings stand in one column"
    generate(page, "red cube", "blue sphere", "yellow cylinder", steps=4)
    assert page.locator("#picker .cell").first.is_hidden(), "drawing puts the sheet away"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(SHORT).evaluate_all(CUT) == []
    assert page.locator("#duel .chip").evaluate_all(WITHIN), "a chip holds its words"
    edge = page.locator("#studio").evaluate("(one) => one.getBoundingClientRect().right")
    buttons = page.locator(".story-button").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().right)")
    assert max(buttons) <= edge + 1
    assert page.locator("#duel .frame").first.bounding_box()["width"] > 150


@pytest.mark.parametrize("options", [{"viewport": {"width": 1440, "height": 900}}, PHONE], ids=["desktop", "phone"])
def test_nothing_jumps_while_the_page_loads_plays_and_draws(
    open_page: Callable[..., Any], options: dict[str, Any]
) -> None:
    page = open_page(script=WATCH_SHIFTS, **options)
    page.wait_for_selector('#duel .duel[data-state="showcase"]')
    page.wait_for_function("document.querySelector('#duel [data-go=play]').getAttribute('aria-label') === 'Play'")
    if page.locator("#sheet").is_visible():
        page.locator("#sheet").click()
    tick(page, "red cube", "blue sphere", "green cylinder")
    press_generate(page)
    assert page.evaluate("window.shifts") < 0.02, page.evaluate("window.shifted")


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1440, 900), (1920, 1080), (820, 1180), (768, 1024)])
def test_nothing_is_cut_or_off_centre(open_page: Callable[..., Any], width: int, height: int) -> None:
    page = open_page(viewport={"width": width, "height": height})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sides = page.evaluate(
        "(() => { const box = document.querySelector('#studio').getBoundingClientRect();"
        " return [box.left, document.documentElement.clientWidth - box.right]; })()"
    )
    assert abs(sides[0] - sides[1]) <= 2
    generate(page, "red cube", "blue sphere", "yellow cylinder", steps=4)
    assert page.locator(SHORT).evaluate_all(CUT) == []
    seen, large = {1280: (".plot", 340), 1440: (".verdicts", 400), 1920: (".race", 500)}.get(width, ("", 0))
    assert page.locator("#duel .canvas").first.bounding_box()["width"] >= large
    if seen:
        box = page.locator(f"#duel {seen}").bounding_box()
        assert box["y"] + box["height"] <= height, f"{seen} ends at {box['y'] + box['height']:.0f}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_objects_their_own_and_show_what_is_pressed(
    open_page: Callable[..., Any], scheme: str
) -> None:
    page = open_page(forced_colors="active", color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_selector('#duel .duel[data-state="showcase"]')
    for place, count in (("#picker .cell .object", 8), ("#duel .chip-object .object", 3)):
        colours = page.locator(place).evaluate_all("(all) => all.map((one) => getComputedStyle(one).color)")
        assert len(set(colours)) >= count, place
    look = "(one) => { const it = getComputedStyle(one); return [it.backgroundColor, it.color].join(); }"
    for on, off in (
        ('[data-switch="rings"]', '[data-switch="pixels"]'),
        ('#tabs [role="tab"][aria-selected="true"]', '#tabs [role="tab"][aria-selected="false"]'),
    ):
        assert page.locator(on).first.evaluate(look) != page.locator(off).first.evaluate(look), on
    background = "(one) => getComputedStyle(one).backgroundColor"
    bar, track = (page.locator(f"#duel .lane {part}").first.evaluate(background) for part in (".bar", ".track"))
    assert bar != track


OVER = """(all) => all.filter((one) => one.checkVisibility()).filter((one) => {
    const { left, right } = one.getBoundingClientRect();
    const wide = one.classList.contains('story-button') && one.scrollWidth > one.clientWidth + 1;
    return left < -1 || right > innerWidth + 1 || wide;
}).map((one) => one.textContent)"""
"""Buttons that reach out of the window, or whose words reach out of them."""


def test_a_window_of_320_pixels_holds_every_button(open_page: Callable[..., Any]) -> None:
    page = open_page(viewport={"width": 320, "height": 640})
    buttons = "#story button, #go button, #examples button, #seed-tools button, #share button, .player button"
    assert page.locator(buttons).evaluate_all(OVER) == []
    page.locator("#sheet").click()
    assert page.locator(buttons).evaluate_all(OVER) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_enlarged_four_times_nothing_stays_over_what_one_reads(open_page: Callable[..., Any]) -> None:
    page = open_page(viewport={"width": 320, "height": 256})
    page.wait_for_selector('#duel .duel[data-state="showcase"]')
    # It scrolls away with the page, once all of the page is there to be scrolled.
    end, bar = "scrollTo(0, document.documentElement.scrollHeight)", "document.querySelector('#go')"
    page.wait_for_function(f"({end}, {bar}.getBoundingClientRect().bottom < 0)")
    page.locator("#generate").scroll_into_view_if_needed()
    page.locator("#sheet").click()
    page.locator("#picker .cell").first.wait_for(state="visible")


def test_the_first_tab_goes_to_the_first_button(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#story') !== null")


def test_on_a_phone_lessons_and_guess_leave_in_view_what_they_are_about(open_page: Callable[..., Any]) -> None:
    page = open_page(**PHONE, reduced_motion="reduce")
    page.wait_for_selector('#duel .duel[data-state="showcase"]')
    page.locator("#lessons [data-open]").click()
    for _ in range(5):
        page.wait_for_timeout(300)
        panel, spot = page.locator(".lessons").first.bounding_box(), page.locator(".lesson-spot").bounding_box()
        assert spot["y"] >= 0
        assert spot["y"] + spot["height"] <= panel["y"]
        page.locator('[data-go="next"]').click()
    page.locator("#guess [data-open]").click()
    page.wait_for_timeout(300)
    panel = page.locator(".guess").bounding_box()
    for number in range(2):
        picture = page.locator("#duel .canvas").nth(number).bounding_box()
        assert picture["y"] >= 0
        assert picture["y"] + picture["height"] <= panel["y"]


def test_dark_mode_is_dark(open_page: Callable[..., Any]) -> None:
    page = open_page(color_scheme="dark")
    shown = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    assert max(shown) < 60


def test_the_keyboard_alone_draws(page: Any) -> None:
    tick(page, "red cube")
    set_number(page, "Steps", 3)
    page.locator("#generate").focus()
    before = page.locator("#duel .duel").get_attribute("data-run")
    page.keyboard.press("Enter")
    page.wait_for_selector('#duel .duel[data-state="done"]')
    assert page.locator("#duel .duel").get_attribute("data-run") != before
    page.wait_for_function("document.activeElement.id === 'generate'")
    press_generate(page)
