"""The page as a folder of plain files: it draws by itself, and its links are the app's."""

from __future__ import annotations

import functools
import http.server
import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from clevr_demo import static
from clevr_demo.pictures import query_in
from clevr_demo.request import query_of
from clevr_demo.serve.drawing import draw
from clevr_demo.serve.studio import Studio
from tests.browser.agree import levels
from tests.browser.helpers import PHONE, pictures, tick
from tests.browser.test_engine import kit_of, studio
from tests.browser.test_hands import CALM, LINK, drag, drawn, grip, middle, on_canvas, query_shown

__all__ = ["studio"]
FOUR = LINK.replace("steps=6", "steps=4")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """`python -m http.server`, without its log."""

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: F811
    folder = tmp_path_factory.mktemp("static")
    static.write(studio, folder, kit_of(studio))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_page_draws_what_the_app_draws_of_a_link(
    open_page: Callable[..., Any],
    studio: Studio,
    tmp_path: Path,  # noqa: F811
) -> None:
    page = open_page(f"{FOUR}&objects=pink-cube", **CALM)
    drawn(page)
    page.get_by_text("unknown object 'pink-cube'").wait_for()
    start = middle(grip(page, "red cube"))
    drag(page, start, on_canvas(page, 40, 44))
    page.mouse.up()
    drawn(page, "red-cube:40:44")
    query = urlsplit(page.url).query
    assert query == query_shown(page)
    request, notes = studio.read(query_of(query))
    assert not notes, "the app takes the link as its own"
    assert studio.query(request) == query
    theirs = list(draw(studio, request, lambda: False))[-1].payload()["pairs"][0]
    for number, name in enumerate(("ddpm", "acgan")):
        with page.expect_download() as saved:
            page.locator(f'[data-get="{number}"]').click()
        assert saved.value.suggested_filename == f"red-cube_blue-sphere_seed7_{name}.png"
        saved.value.save_as(tmp_path / name)
        content = (tmp_path / name).read_bytes()
        assert query_in(io.BytesIO(content)) == query
        with Image.open(io.BytesIO(content)) as image:
            assert np.abs(np.asarray(image, dtype=int) - levels(theirs[name]["last"])).max() <= 1
    page.keyboard.press("Control+z")
    drawn(page, "v=1")


def test_a_phone_ticks_draws_and_goes_back(open_page: Callable[..., Any]) -> None:
    page = open_page(FOUR, **CALM, **PHONE)
    drawn(page)
    before = pictures(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("#sheet").tap()
    tick(page, "gray cube")
    page.locator("#generate").tap()
    drawn(page, "gray-cube")
    box = page.locator("#generate").bounding_box()
    assert box["x"] + box["width"] <= 390
    page.go_back()
    drawn(page, "objects=red-cube,blue-sphere&")
    assert pictures(page) == before


def test_nothing_ticked_is_said(open_page: Callable[..., Any]) -> None:
    page = open_page(**CALM)
    page.locator("#generate").click()
    page.get_by_text("Tick at least one object, then press Generate.").wait_for()
    tick(page, "red cube")
    page.locator("#steps input").fill("61")
    page.locator("#generate").click()
    page.get_by_text("Here steps are 1 to 60.").wait_for()


@pytest.mark.parametrize("seed", ["-3", "1.5", "99999999999"])
def test_a_seed_that_is_none_is_said(open_page: Callable[..., Any], seed: str) -> None:
    page = open_page(**CALM)
    tick(page, "red cube")
    page.locator("#seed input").fill(seed)
    page.locator("#generate").click()
    page.get_by_text("Seed must be a whole number from 0 to 2147483647.").wait_for()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("&sampler=ddim", "The link asks for the sampler ddim; here dpm alone draws"),
        ("&pictures=4", "The link asks for 4 pictures; here the first one is drawn."),
        ("&steps=100", "Here steps are 1 to 60."),
    ],
)
def test_what_a_link_asks_for_and_does_not_get_is_said(open_page: Callable[..., Any], more: str, told: str) -> None:
    page = open_page(FOUR + more, **CALM)
    page.get_by_text(told).wait_for()
    if "steps" not in more:
        drawn(page, "steps=4")
        assert page.get_by_text(told).is_visible()


def test_a_lesson_draws_its_request_and_words_have_their_cards(open_page: Callable[..., Any]) -> None:
    page = open_page(**CALM)
    page.get_by_role("button", name="Lessons").click()
    page.get_by_role("button", name="4 steps").click()
    drawn(page, "seed=12&steps=4")
    page.keyboard.press("Escape")
    page.locator("#duel .word-mark:visible").first.click()
    page.get_by_text("DDPM: denoising diffusion probabilistic model").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_comes_by_a_link_reads_why_nothing_is_drawn(chromium: Any, address: str) -> None:
    page = chromium.new_page()
    page.route("**/*.onnx.gz", lambda route: route.abort())
    page.goto(f"{address}/{FOUR}")
    page.locator("#note-link").get_by_text("This browser does not draw: ").wait_for()
    assert page.locator("#duel .by").is_visible()
    page.close()
