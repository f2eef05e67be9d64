"""What the page's buttons and changes do, called without a browser: which component gets which value."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import gradio as gr

from clevr_demo.request import GenerationRequest, from_query, query_of
from clevr_demo.serve.queue import Waiting, WaitingLine
from clevr_demo.ui.events import Drawing
from tests.ui.conftest import Page

ME: Any = SimpleNamespace(session_hash="me")
ASKED = (["red cube", "cyan sphere"], 7, 20, "dpm", 1, "", "")
"""What stands in the controls, in their order."""


def wanted(page: Page) -> GenerationRequest | None:
    return page.drawing.runs.latest("me")


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
    with gr.Blocks(analytics_enabled=False):
        parts = page.drawing.studio, page.controls, page.drawing.duel, page.drawing.tabs, page.drawing.note
        drawing, cost = Drawing(*parts, WaitingLine()), page.controls.cost
    assert drawing.warn(20, 1) == drawing.warn(99, 1) == drawing.warn(None, 1) == {cost: []}
    assert drawing.warn(1200, 1) == {cost: ["Takes 60 times as long as 20 steps."]}
    assert drawing.warn(50, 8) == {cost: ["Takes 20 times as long as 20 steps."]}
    drawing.line.pace = 0.02  # measured meanwhile
    assert drawing.warn(1200, 1) == {cost: ["Takes about 24 s on this machine."]}
    drawing.line.pace = 0.001  # a GPU
    assert drawing.warn(1200, 1) == {cost: []}


def test_who_waits_is_told_what_and_how_long(page: Page) -> None:
    request = GenerationRequest.of(*ASKED[:4])
    told = page.drawing.told(Waiting(3, 12.4, request))
    assert told["state"] == "waiting"
    assert told["status"] == "3 ahead of you, about 12 s. Stop leaves the line."
    assert from_query(query_of(told["query"]))[0] == request
    assert told["seconds"] == 12.4


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


def test_a_fault_is_told_beside_its_control_and_nothing_is_drawn(page: Page) -> None:
    before = GenerationRequest.of(["red cube"])
    page.drawing.runs.ask("me", before)
    updates = page.drawing.press(ME, 1e9, True, ASKED[0], 7, 0, "dpm", 1, "", "")
    assert updates[page.controls.notes["steps"]] == ["Steps must be between 1 and 1200, not 0."]
    assert updates[page.controls.notes["seed"]] == []
    assert wanted(page) == before
    updates = page.drawing.press(ME, 1e9, True, [], 7, 4, "dpm", 1, "", "")
    assert updates[page.controls.notes["objects"]] == ["Tick at least one object, then press Generate."]


def test_what_hands_settle_is_drawn_with_its_very_seed_or_left_as_it_is(page: Page) -> None:
    given = "at=red-cube%3A30.5%3A12&seed-pixels=3"
    moved = (*ASKED[:-1], given)
    page.drawing.settle(ME, 9.0, {"draw": True}, *moved)
    places, seeds = {"red cube": (30.5, 12)}, {"pixels": 3}
    assert wanted(page) == GenerationRequest.of(*ASKED[:4], places=places, seeds=seeds)
    assert page.drawing.settle(ME, 9.1, {"draw": False}, *ASKED) == {page.drawing.moment: gr.skip()}
    assert page.drawing.settle(ME, 9.2, {}, *ASKED) == {page.drawing.moment: gr.skip()}
    assert wanted(page) == GenerationRequest.of(*ASKED[:4], places=places, seeds=seeds)


def test_an_example_is_drawn_as_if_generate_were_pressed_unless_every_change_is_drawn(page: Page) -> None:
    page.drawing.example(ME, 10.0, True, False, ["cyan cube"], *ASKED[1:])
    assert wanted(page) == GenerationRequest.of(["cyan cube"], *ASKED[1:4])
    page.drawing.example(ME, 11.0, True, True, ["gray cube"], *ASKED[1:])
    assert wanted(page) == GenerationRequest.of(["cyan cube"], *ASKED[1:4])
