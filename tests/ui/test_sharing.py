"""Links, downloads and dropped pictures, called without a browser."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from clevr_demo.pictures import png
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.claims import CLAIMS
from clevr_demo.serve.payload import Run
from clevr_demo.serve.queue import WaitingLine
from tests.serve.at_once import run_of
from tests.ui.conftest import Page

ME: Any = SimpleNamespace(session_hash="me")
ASKED = (["red cube", "cyan sphere"], 7, 20, "dpm", 1, "", "")
"""What stands in the controls, in their order."""


def test_downloads_are_withdrawn_while_something_new_draws_and_made_when_the_menu_opens(page: Page) -> None:
    page.drawing.runs = type(page.drawing.runs)(WaitingLine(), lambda one: 1.0, lambda run: 0.0)
    updates = page.drawing.press(ME, 9.0, True, *ASKED)
    assert all(updates[button].interactive is False for button in page.sharing.buttons)
    run: Run = run_of(GenerationRequest.of(*ASKED[:4]))[0]
    headers = {"referer": "http://duel.example/here?seed=1"}
    waiting: Any = SimpleNamespace(headers=headers, session_hash="me")
    assert all(update.interactive is False for update in page.sharing.prepare(waiting, run).values())
    visitor: Any = SimpleNamespace(headers=headers, session_hash="somebody at rest")
    updates = page.sharing.prepare(visitor, run)
    assert all(updates[button].interactive is True for button in page.sharing.buttons)
    stopped = run_of(GenerationRequest.of(*ASKED[:4]), stop_after=3)[0]
    assert all(update.interactive is False for update in page.sharing.prepare(visitor, stopped).values())
    assert all(update.interactive is False for update in page.sharing.prepare(visitor, None).values())


def test_a_grids_link_is_not_drawn_as_a_duel(page: Page) -> None:
    address = "objects=red-cube&seed=9&steps=3&grid=ddpm&rows=seed:1,2&columns=steps:2,3"
    request: Any = SimpleNamespace(session_hash="fourth", query_params=address)
    assert page.sharing.restore(request)[page.controls.picker] == ["red cube"]
    assert page.drawing.runs.latest("fourth") is None


def test_any_dropped_file_gives_settings_or_one_clear_sentence(page: Page, tmp_path: Path) -> None:
    huge = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    header = struct.pack(">I", len(huge)) + b"IHDR" + huge + struct.pack(">I", zlib.crc32(b"IHDR" + huge))
    files = {
        "huge.png": b"\x89PNG\r\n\x1a\n" + header,
        "text.png": b"no picture at all",
        "empty.gif": b"",
        "foreign.png": png(Image.new("RGB", (8, 8))),
        "ours.png": png(Image.new("RGB", (8, 8)), "objects=red-cube&seed=9&steps=3&sampler=dpm"),
        "strange.png": png(
            Image.new("RGB", (8, 8)), "objects=" + ",".join(f"thing{n}" for n in range(400)) + "&seed=1&steps=2"
        ),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        sentences, query = page.sharing.look(str(tmp_path / name))
        if name == "ours.png":
            assert sentences[0].startswith("red cube. Seed 9, 3 steps")
            assert query
        else:
            assert 1 <= len(sentences) <= 7, name
            assert query == ""


def test_a_link_fills_the_controls_and_is_drawn(page: Page) -> None:
    address = "objects=red-cube&objects=blue-sphere&seed=9&steps=3&acgan=22222222&ddpm=00000000"
    request: Any = SimpleNamespace(session_hash="other", query_params=address)
    updates = page.sharing.restore(request)
    assert updates[page.controls.picker] == ["red cube", "blue sphere"]
    assert updates[page.controls.steps] == 3
    assert page.drawing.runs.latest("other") == GenerationRequest.of("red cube, blue sphere", 9, 3)
    assert updates[page.drawing.note] == [
        "Made with other DDPM weights (00000000, here 11111111): its DDPM picture may look different."
    ]


def test_a_link_that_gives_places_draws_at_them_until_they_are_taken_back(page: Page) -> None:
    address = "v=2&objects=red-cube,blue-sphere&seed=9&steps=3&at=red-cube:30.5:12&seed-looks=4"
    request: Any = SimpleNamespace(session_hash="placing", query_params=address)
    updates = page.sharing.restore(request)
    wanted = GenerationRequest.of("red cube, blue sphere", 9, 3, places={"red cube": (30.5, 12)}, seeds={"looks": 4})
    assert page.drawing.runs.latest("placing") == wanted
    assert updates[page.drawing.note] == []
    assert updates[page.controls.given] == "at=red-cube:30.5:12&seed-looks=4"
    values = [updates[one] for one in page.controls.request]
    assert page.controls.read(values) == wanted
    assert page.controls.read([["blue sphere"], *values[1:]]) == GenerationRequest.of(
        ["blue sphere"], 9, 3, seeds={"looks": 4}
    )
    rolled = page.controls.read(page.controls.with_seed(values, 5))
    assert rolled == GenerationRequest.of("red cube, blue sphere", 5, 3, places={"red cube": (30.5, 12)})
    assert page.controls.read([*values[:-1], None]) == GenerationRequest.of("red cube, blue sphere", 9, 3)
    assert page.controls.read([*values[:-1], "objects=gray-cube&at=gray-cube:1:2"]).places == ()


def test_the_reports_pairs_leave_the_settings_alone(page: Page) -> None:
    asked = []
    for show in page.report:
        updates = show(SimpleNamespace(session_hash="a reader"))
        assert not set(updates) & set(page.controls.request)
        assert "settings are as they were" in updates[page.drawing.note][0]
        asked.append(page.drawing.runs.latest("a reader"))
    assert asked == [claim.request for claim in CLAIMS]


def test_a_page_that_loads_again_draws_what_was_under_way_and_leaves_what_was_typed_since(page: Page) -> None:
    address = "objects=red-cube&seed=9&steps=3"
    request: Any = SimpleNamespace(session_hash="back again", query_params=address)
    updates = page.sharing.restore(request, "objects=gray-cube&seed=31&steps=50\nobjects=cyan-sphere&seed=8&steps=777")
    assert page.drawing.runs.latest("back again") == GenerationRequest.of(["cyan sphere"], 8, 777)
    assert updates[page.controls.picker] == ["gray cube"]
    assert (updates[page.controls.seed], updates[page.controls.steps]) == (31, 50)
    updates = page.sharing.restore(request, "seed=31\n")
    assert page.drawing.runs.latest("back again") == GenerationRequest.of(["red cube"], 9, 3), "nothing was under way"
    assert (updates[page.controls.picker], updates[page.controls.seed]) == ([], 31)


@pytest.mark.parametrize("left", [None, "", "\n", "x" * 100_000, "seed=abc\nobjects=pink-cube", "\n\n\n=&=&"])
def test_nothing_that_a_browser_kept_breaks_the_page(page: Page, left: str | None) -> None:
    request: Any = SimpleNamespace(session_hash="odd", query_params="")
    page.sharing.restore(request, left)
    assert page.drawing.runs.latest("odd") is None


def test_an_address_without_a_request_changes_nothing(page: Page) -> None:
    request: Any = SimpleNamespace(session_hash="third", query_params="__theme=dark")
    assert set(page.sharing.restore(request)) == {page.drawing.note}
    assert page.drawing.runs.latest("third") is None
