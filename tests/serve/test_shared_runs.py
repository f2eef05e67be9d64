"""Runs on the page: equal ones are drawn once, old ones lose their frames, and the ACGAN never waits for the DDPM."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from clevr_demo.request import GenerationRequest
from clevr_demo.serve.drawing import draw
from clevr_demo.serve.gate import NO_GPU
from clevr_demo.serve.payload import Run
from clevr_demo.serve.shared import Shared
from clevr_demo.ui.events import Drawing
from tests.fakes import WHERE, fake_studio


def page(most: int = 2, **faults: Any) -> Any:
    """What `Drawing.pictures` needs of a page."""
    shared = Shared[Run](most, complete=lambda run: run.state == "done", dropped=lambda key, run: run.thin())
    return SimpleNamespace(studio=fake_studio(**faults), shared=shared)


def request(seed: int = 3, pictures: int = 1) -> GenerationRequest:
    return GenerationRequest.of(["red cube", "blue sphere"], seed, 4, pictures=pictures)


def runs(on: Any, wanted: GenerationRequest, stop_after: int = 1000) -> list[Run]:
    seen: list[Run] = []
    for run in Drawing.pictures(on, wanted, lambda: len(seen) >= stop_after):
        seen.append(run)
    return seen


def test_equal_runs_cost_one_draw_and_have_keys_of_their_own() -> None:
    one = page()
    first = runs(one, request())
    drawn = one.studio.gates["ddpm"].model.frames_drawn
    again = runs(one, request())
    assert [run.state for run in again] == ["done"]
    assert one.studio.gates["ddpm"].model.frames_drawn == drawn == WHERE + 4
    assert again[-1].key != first[-1].key
    assert again[-1].payload()["pairs"] == first[-1].payload()["pairs"]


def test_a_stopped_run_is_drawn_anew() -> None:
    one = page()
    assert runs(one, request(), stop_after=2)[-1].state == "stopped"
    assert runs(one, request())[-1].state == "done"


def test_frames_of_old_runs_are_dropped_and_their_pictures_kept() -> None:
    one = page(most=2)
    oldest = runs(one, request(1))[-1]
    picture = oldest.pairs[0].sides["ddpm"].picture
    runs(one, request(2))
    assert not oldest.thinned
    runs(one, request(3))
    assert oldest.thinned
    assert len(oldest.pairs[0].sides["ddpm"].stills) == 1
    assert oldest.pairs[0].sides["ddpm"].picture is picture
    assert oldest.payload()["pairs"][0]["ddpm"]["last"] is not None


def test_dropped_frames_are_drawn_anew_for_a_download() -> None:
    one = page(most=1)
    oldest = runs(one, request(1))[-1]
    assert Drawing.whole(one, oldest) is oldest
    film = [still.predicted.tobytes() for still in oldest.pairs[0].sides["ddpm"].stills]
    runs(one, request(2))
    again = Drawing.whole(one, oldest)
    assert [still.predicted.tobytes() for still in again.pairs[0].sides["ddpm"].stills] == film


def test_the_acgans_picture_is_shown_before_the_ddpm_begins() -> None:
    studio = fake_studio(breaks_after=0, error=RuntimeError("broken"))
    updates = draw(studio, request(), lambda: False)
    first = next(updates).payload()["pairs"][0]
    assert first["acgan"]["last"] is not None
    assert first["ddpm"]["frames"] == []


def test_the_page_says_that_the_cpu_draws() -> None:
    studio = fake_studio(device="cuda", breaks_after=3)
    last = list(draw(studio, request(), lambda: False))[-1]
    assert last.state == "done"
    assert last.payload()["status"].endswith(NO_GPU)
