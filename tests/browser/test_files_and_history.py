"""Pictures carry their request; the browser keeps the last results."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clevr_demo.pictures import png, query_in
from tests.browser.helpers import generate, pictures, run_shown, set_number, tick, wait_for_state

DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type: 'image/png' }));
    for (const kind of ['dragover', 'drop']) {
        document.querySelector('#head').dispatchEvent(
            new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
    }
}"""


def download(page: Any, kind: str, folder: Path) -> Path:
    button = page.locator(f"#get-{kind}")
    if not button.is_visible():
        page.locator("#download").click()
    page.wait_for_function(f"!document.querySelector('#get-{kind}').disabled")
    with page.expect_download() as started:
        button.click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def test_downloads_carry_the_request(page: Any, tmp_path: Path) -> None:
    generate(page, "red cube", "blue sphere", steps=4)
    for kind in ("card", "ddpm", "acgan", "pair", "strip", "webp", "gif"):
        query = query_in(download(page, kind, tmp_path))
        assert query is not None, kind
        assert "objects=red-cube,blue-sphere&seed=7&steps=4" in query
    picture = download(page, "ddpm", tmp_path)
    assert base64.b64encode(picture.read_bytes()).decode() == pictures(page)[0].partition(",")[2]


def test_a_dropped_picture_shows_its_settings_and_a_click_loads_them(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_page()
    generate(page, "red cube", "blue sphere", steps=4)
    picture, drawn = download(page, "ddpm", tmp_path), pictures(page)
    other = open_page()
    tick(other, "gray cube")
    other.evaluate(DROP, [picture.name, base64.b64encode(picture.read_bytes()).decode()])
    other.locator("#note-drop").get_by_text("red cube, blue sphere. Seed 7, 4 steps").wait_for()
    ticked = "[...document.querySelectorAll('#picker input:checked')].map((one) => one.value).join()"
    assert other.evaluate(ticked) == "gray cube"
    other.locator("#load-dropped").click()
    wait_for_state(other, "done")
    assert other.evaluate(ticked) == "red cube,blue sphere"
    assert pictures(other) == drawn


def test_a_foreign_picture_says_so(page: Any, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "foreign.png")
    page.locator("#drop-place input[type=file]").set_input_files(tmp_path / "foreign.png")
    page.locator("#note-drop").get_by_text("carries no request").wait_for()


@pytest.mark.parametrize("second", ["foreign.png", "notes.txt", "paper.pdf", "clip.mp4", "large.png"])
@pytest.mark.parametrize("dropped", [True, False], ids=["dropped", "chosen"])
def test_nothing_stays_of_a_picture_when_another_file_comes(
    page: Any, tmp_path: Path, second: str, dropped: bool
) -> None:
    def give(name: str, content: bytes) -> None:
        if dropped:
            page.evaluate(DROP, [name, base64.b64encode(content).decode()])
        else:
            (tmp_path / name).write_bytes(content)
            page.locator("#drop-place input[type=file]").set_input_files(tmp_path / name)

    page.wait_for_selector("#shell", state="detached")  # the page's own script, which takes what is dropped, has run
    blank = Image.new("RGB", (8, 8))
    give("ours.png", png(blank, "v=1&objects=red-cube&seed=9&steps=3&sampler=dpm"))
    page.locator("#note-drop").get_by_text("red cube. Seed 9").wait_for()
    page.locator("#load-dropped").wait_for(state="visible")
    give(second, png(blank) if second == "foreign.png" else bytes(9_000_000 if second == "large.png" else 20))
    page.locator("#load-dropped").wait_for(state="hidden")
    page.wait_for_timeout(500)
    assert "red cube" not in page.locator("#note-drop").inner_text()
    assert not page.locator("#load-dropped").is_visible()


def test_a_jpeg_that_kept_our_text_is_read(page: Any, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "ours.jpg", comment=b"clevr-duel?objects=red-cube&seed=9&steps=3")
    page.locator("#drop-place input[type=file]").set_input_files(tmp_path / "ours.jpg")
    page.locator("#note-drop").get_by_text("red cube. Seed 9, 3 steps").wait_for()


def test_history_outlives_a_reload_and_leaves_the_settings_alone(page: Any, address: str) -> None:
    generate(page, "red cube", steps=3)
    drawn = pictures(page)
    page.locator("#picker").get_by_role("checkbox", name="red cube", exact=True).uncheck()
    generate(page, "green cylinder", steps=2)
    page.goto(f"{address}/")
    page.get_by_role("tab", name="History").click()
    entries = page.locator("#history .history-entry")
    page.wait_for_function("document.querySelectorAll('#history .history-entry').length === 2")
    set_number(page, "Steps", 9)
    entries.nth(1).click()
    page.wait_for_selector('#past .duel[data-state="done"]')
    shown = page.locator("#past .picture").evaluate_all("(all) => all.map((one) => one.src)")
    assert shown == drawn
    assert page.locator("#ask").get_by_label("Steps", exact=True).input_value() == "9"
    assert page.locator("#picker input:checked").count() == 0
    before = run_shown(page)
    page.locator("#load-past").click()
    wait_for_state(page, "done", before)
    assert pictures(page) == drawn
    assert page.locator("#ask").get_by_label("Steps", exact=True).input_value() == "3"


def test_an_empty_history_shows_what_it_will_hold_and_a_way_to_begin(page: Any) -> None:
    page.get_by_role("tab", name="History").click()
    assert page.locator(".history-slot").count() == 12
    assert page.locator(".history-slot img").count() == 2
    assert page.locator(".history-forget").is_hidden()
    page.locator("#draw-example").click()
    wait_for_state(page, "done")
    page.get_by_role("tab", name="History").click()
    assert page.locator("#history .history-entry").count() == 1
    for place in (".history-none", "#draw-example"):
        assert page.locator(place).is_hidden(), place
    page.locator(".history-forget").click()
    page.locator("#draw-example").wait_for()


DENIED = """for (const name of ['localStorage', 'sessionStorage'])
  Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError'); } });"""


def test_where_storage_is_denied_everything_is_shown_all_the_same(open_page: Callable[..., Any]) -> None:
    """As in a frame on another site whose visitor blocks third parties' storage."""
    page = open_page(script=DENIED)
    generate(page, "red cube", "blue sphere", steps=4)
    assert "objects=red-cube,blue-sphere" in page.url.replace("%2C", ",")
    assert page.locator("#duel .curves .line").count() == 2
    assert "exact" in page.locator("#duel .scores").first.inner_text()
    page.get_by_role("tab", name="History").click()
    page.locator("#history .history-entry").first.click()
    page.wait_for_selector("#past .duel[data-state='done']")
    page.locator("#guess [data-open]").click()
    assert "No guess yet" in page.locator(".guess-score").inner_text()


def test_both_pictures_go_to_the_clipboard_as_one(open_page: Callable[..., Any]) -> None:
    allowed = {"permissions": ["clipboard-read", "clipboard-write"]}
    page = open_page("?objects=red-cube&seed=7&steps=2", **allowed, reduced_motion="reduce")
    wait_for_state(page, "done")
    page.locator("#copy-picture").click()
    page.get_by_role("button", name="Picture copied").wait_for()
    size = page.evaluate(
        "navigator.clipboard.read().then(([one]) => one.getType('image/png')).then(createImageBitmap)"
        ".then(({ width, height }) => [width, height])"
    )
    assert size == [1120, 672]
    page.evaluate("void (navigator.clipboard.write = () => Promise.reject(new Error('closed')))")
    page.get_by_role("button", name="Copy picture").click()
    page.locator("dialog.by-hand img[src^='data:image/png']").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog.by-hand").wait_for(state="detached")
