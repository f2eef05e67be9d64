"""What the page's buttons and changes do, called without a browser: which component gets which value."""

from __future__ import annotations

import asyncio
import struct
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from clevr_demo.pictures import png
from clevr_demo.request import GenerationRequest, query_of
from clevr_demo.serve.payload import Run
from clevr_demo.serve.queue import Line
from clevr_demo.ui.controls import Controls, build_controls
from clevr_demo.ui.events import Drawing
from clevr_demo.ui.files import Files
from clevr_demo.ui.links import Links
from clevr_demo.ui.widgets import Duel, Note
from tests.serve.test_drawing import FakeStudio, run_of

ME: Any = SimpleNamespace(session_hash="me")
ASKED = (["red cube", "cyan sphere"], 7, 20, "dpm", 1, "")
"""What stands in the controls, in their order."""


@dataclass
class Page:
    controls: Controls
    drawing: Drawing
    files: Files
    links: Links


@pytest.fixture(scope="module")
def page() -> Page:
    """The page's parts around a studio that draws at once."""
    with gr.Blocks(analytics_enabled=False) as demo:
        studio: Any = FakeStudio()
        note, controls = Note("link"), build_controls(studio)
        with gr.Tabs() as tabs, gr.Tab("Duel", id="duel"):
            duel = Duel(studio.contenders.values())
        drawing = Drawing(studio, controls, duel, tabs, note, Line())
        files = Files(drawing)
        files.build_downloads()
        drawing.wire()
        links = Links(drawing)
        drawing.then_draw(links.wire(demo))
    return Page(controls, drawing, files, links)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wanted(page: Page) -> GenerationRequest | None:
    return page.drawing.runs.latest("me")


def test_no_control_sends_a_value_of_its_own_accord(page: Page) -> None:
    """A number without a value becomes 0 as soon as the browser shows it, so none of them may start without one."""
    numbers = [one for one in page.controls.request if isinstance(one, gr.Number | gr.Slider)]
    assert [one.value for one in numbers] == [7, GenerationRequest((1,)).steps, 1]
    assert not any("guidance" in str(one.elem_id) for one in page.controls.request)


def test_generate_asks_for_what_stands_there_and_turns_to_the_duel(page: Page) -> None:
    updates = page.drawing.press(ME, 1.0, True, *ASKED)
    assert wanted(page) == GenerationRequest.of(*ASKED[:4])
    assert updates[page.drawing.tabs].selected == "duel"
    assert updates[page.controls.stop].visible is True
    assert updates[page.drawing.note] == [], "what a link said is settled"
    assert page.controls.seed not in updates, "a seed that is kept is not echoed into its field"


def test_a_seed_that_is_not_kept_is_rolled_and_shown(page: Page) -> None:
    updates = page.drawing.press(ME, 2.0, False, *ASKED)
    assert wanted(page).seed == updates[page.controls.seed]  # type: ignore[union-attr]


def test_a_change_draws_what_stands_there_and_only_if_asked_to(page: Page) -> None:
    page.drawing.press(ME, 3.0, True, *ASKED)
    before = wanted(page)
    assert page.controls.stop not in page.drawing.follow(ME, 4.0, True, False, ["gray cube"], *ASKED[1:])
    assert wanted(page) == before
    updates = page.drawing.follow(ME, 5.0, True, True, ["gray cube"], *ASKED[1:])
    assert wanted(page) == GenerationRequest.of(["gray cube"], *ASKED[1:3])
    assert page.controls.steps not in updates
    assert page.controls.seed not in updates
    page.drawing.press(ME, 5.1, True, *ASKED)
    assert page.controls.stop not in page.drawing.follow(ME, 5.2, True, True, *ASKED), "a field was left as it was"
    assert wanted(page) == GenerationRequest.of(*ASKED[:4])
    nothing = page.drawing.follow(ME, 5.3, True, True, [], *ASKED[1:])
    assert nothing == {page.drawing.moment: gr.skip()}, "that nothing is ticked any more is no fault"


def test_many_steps_are_told_before_they_are_asked_for(page: Page) -> None:
    line, cost = Line(), page.controls.cost
    drawing = Drawing(page.drawing.studio, page.controls, page.drawing.duel, page.drawing.tabs, page.drawing.note, line)
    assert drawing.warn(20, 1) == drawing.warn(99, 1) == drawing.warn(None, 1) == {cost: []}
    assert drawing.warn(1200, 1) == {cost: ["Takes 60 times as long as 20 steps."]}
    assert drawing.warn(50, 8) == {cost: ["Takes 20 times as long as 20 steps."]}
    line.pace = 0.02  # measured meanwhile
    assert drawing.warn(1200, 1) == {cost: ["Takes about 24 s on this machine."]}
    line.pace = 0.001  # a GPU
    assert drawing.warn(1200, 1) == {cost: []}


def test_a_run_draws_the_request_of_its_ticket_whatever_the_controls_hold_by_then(page: Page) -> None:
    page.drawing.press(ME, 6.0, True, *ASKED)
    page.drawing.follow(ME, 8.0, True, True, ["gray cube", "red cube"], *ASKED[1:])
    page.drawing.follow(ME, 7.0, True, True, ["gray cube"], *ASKED[1:])  # overtaken on the way

    async def last() -> dict[Any, Any]:
        return [updates async for updates in page.drawing.run(ME) if page.drawing.result in updates][-1]

    updates = asyncio.run(last())
    assert updates[page.drawing.result].request == GenerationRequest.of(["gray cube", "red cube"], *ASKED[1:3])
    assert updates[page.controls.generate].visible is True
    assert updates[page.drawing.duel]["state"] == "done"


def test_an_event_that_finds_its_request_drawn_already_puts_the_buttons_at_rest(page: Page) -> None:
    async def all_of() -> list[dict[Any, Any]]:
        return [updates async for updates in page.drawing.run(ME)]

    page.drawing.press(ME, 8.5, True, *ASKED)
    asyncio.run(all_of())
    later = asyncio.run(all_of())
    assert later[-1][page.controls.generate].visible is True
    assert later[-1][page.controls.stop].visible == "hidden"
    page.drawing.press(ME, 8.6, True, *ASKED)
    page.drawing.runs._running.add("me")  # another event of this visitor draws it
    assert asyncio.run(all_of()) == [{page.drawing.moment: gr.skip()}]
    page.drawing.runs._running.clear()


def test_every_update_of_a_run_offers_stop(page: Page) -> None:
    """Also where the events of a page that is still loading put the buttons at rest after Generate was pressed."""

    async def all_of() -> list[dict[Any, Any]]:
        return [updates async for updates in page.drawing.run(ME)]

    page.drawing.press(ME, 8.7, True, ["brown cube"], *ASKED[1:])
    going_on = [updates for updates in asyncio.run(all_of()) if page.drawing.duel in updates][:-1]
    assert going_on
    for updates in going_on:
        assert updates[page.drawing.duel]["state"] == "drawing"
        assert updates[page.controls.stop].visible is True
        assert updates[page.controls.generate].visible == "hidden"


def test_who_watches_anothers_run_is_not_told_that_it_was_stopped(page: Page) -> None:
    """Both ask for the same; the one whose run it is presses Stop, and the other's goes on to its end."""
    asked = GenerationRequest.of(["purple cube"], 7, 4)
    halted, told = threading.Event(), list[str]()
    first = page.drawing.pictures(asked, halted.is_set)
    assert next(first).state == "drawing"
    other = threading.Thread(
        target=lambda: told.extend(run.state for run in page.drawing.pictures(asked, lambda: False))
    )
    other.start()
    wait_until(lambda: told == ["drawing"])
    halted.set()
    assert next(run for run in first if run.state != "drawing").state == "stopped"
    time.sleep(0.2)  # here the other one would see it
    assert list(first) == []
    other.join(20)
    assert set(told) == {"drawing", "done"}
    assert told[-1] == "done"


def test_a_fault_is_told_beside_its_control_and_nothing_is_drawn(page: Page) -> None:
    before = GenerationRequest.of(["red cube"])
    page.drawing.runs.ask("me", before)
    updates = page.drawing.press(ME, 1e9, True, ASKED[0], 7, 0, "dpm", 1, "")
    assert updates[page.controls.notes["steps"]] == ["Steps must be between 1 and 1200, not 0."]
    assert updates[page.controls.notes["seed"]] == []
    assert wanted(page) == before
    updates = page.drawing.press(ME, 1e9, True, [], 7, 4, "dpm", 1, "")
    assert updates[page.controls.notes["objects"]] == ["Tick at least one object, then press Generate."]


def test_downloads_are_withdrawn_while_something_new_draws_and_made_when_the_menu_opens(page: Page) -> None:
    page.drawing.runs = type(page.drawing.runs)(Line(), lambda one: 1.0, lambda run: 0.0)
    updates = page.drawing.press(ME, 9.0, True, *ASKED)
    assert all(updates[button].interactive is False for button in page.files.buttons)
    run: Run = run_of(GenerationRequest.of(*ASKED[:4]))[0]
    headers = {"referer": "http://duel.example/here?seed=1"}
    waiting: Any = SimpleNamespace(headers=headers, session_hash="me")
    assert all(update.interactive is False for update in page.files.prepare(waiting, run).values())
    visitor: Any = SimpleNamespace(headers=headers, session_hash="somebody at rest")
    updates = page.files.prepare(visitor, run)
    assert all(updates[button].interactive is True for button in page.files.buttons)
    stopped = run_of(GenerationRequest.of(*ASKED[:4]), stop_after=3)[0]
    assert all(update.interactive is False for update in page.files.prepare(visitor, stopped).values())
    assert all(update.interactive is False for update in page.files.prepare(visitor, None).values())


def test_an_example_is_drawn_as_if_generate_were_pressed_unless_every_change_is_drawn(page: Page) -> None:
    page.drawing.example(ME, 10.0, True, False, ["cyan cube"], *ASKED[1:])
    assert wanted(page) == GenerationRequest.of(["cyan cube"], *ASKED[1:4])
    page.drawing.example(ME, 11.0, True, True, ["gray cube"], *ASKED[1:])
    assert wanted(page) == GenerationRequest.of(["cyan cube"], *ASKED[1:4])


def test_a_grids_link_is_not_drawn_as_a_duel(page: Page) -> None:
    address = "objects=red-cube&seed=9&steps=3&grid=ddpm&rows=seed:1,2&columns=steps:2,3"
    request: Any = SimpleNamespace(session_hash="fourth", query_params=address)
    assert page.links.restore(request)[page.controls.picker] == ["red cube"]
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
        sentences, query = page.files.look(str(tmp_path / name))
        if name == "ours.png":
            assert sentences[0].startswith("red cube. Seed 9, 3 steps")
            assert query
        else:
            assert 1 <= len(sentences) <= 7, name
            assert query == ""


def test_a_link_fills_the_controls_and_is_drawn(page: Page) -> None:
    address = "objects=red-cube&objects=blue-sphere&seed=9&steps=3&acgan=22222222&ddpm=00000000"
    request: Any = SimpleNamespace(session_hash="other", query_params=address)
    updates = page.links.restore(request)
    assert updates[page.controls.picker] == ["red cube", "blue sphere"]
    assert updates[page.controls.steps] == 3
    assert page.drawing.runs.latest("other") == GenerationRequest.of("red cube, blue sphere", 9, 3)
    assert updates[page.drawing.note] == [
        "Made with other DDPM weights (00000000, here 11111111): its DDPM picture may look different."
    ]


def test_an_address_without_a_request_changes_nothing(page: Page) -> None:
    request: Any = SimpleNamespace(session_hash="third", query_params="__theme=dark")
    assert set(page.links.restore(request)) == {page.drawing.note}
    assert page.drawing.runs.latest("third") is None


def test_objects_of_a_query_add_up() -> None:
    assert query_of("objects=a,b&seed=1&objects=c&seed=2") == {"objects": "a,b,c", "seed": "2"}
