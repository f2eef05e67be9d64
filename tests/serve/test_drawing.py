"""A request is drawn with both models, and told update by update; equal ones are drawn once."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

from clevr_demo.request import GenerationRequest
from clevr_demo.serve.downloads import contents
from clevr_demo.serve.drawing import SharedRuns, draw, shown_steps
from clevr_demo.serve.gate import NO_GPU
from clevr_demo.serve.payload import Run
from tests.conftest import wait_until
from tests.fakes import WHERE, fake_studio
from tests.serve.at_once import PLACING, request, run_of


def test_long_runs_are_thinned_with_both_ends() -> None:
    shown = shown_steps(1200)
    assert len(shown) == 60
    assert {1, 1200} <= shown
    assert shown_steps(3) == {1, 2, 3}


def test_a_run_stopped_between_two_pictures_keeps_what_is_finished() -> None:
    run, said = run_of(request(pictures=3), stop_after=2 * (1 + 1 + 7))
    assert run.state == "stopped"
    assert said[-1] == "Stopped: 2 pictures of 3 finished and kept."
    assert len(run.finished) == len(run.payload()["pairs"]) == 2
    assert set(contents(run, run.query, "")) == {"card", "ddpm", "acgan", "pair", "strip", "webp", "gif"}


def test_downloads_are_called_what_they_are() -> None:
    run, _ = run_of(request())
    names = [name for name, _ in contents(run, run.query, "").values()]
    assert names == ["card.png", "ddpm.png", "acgan.png", "pair.png", "strip.png", "film.webp", "film.gif"]


def test_a_run_stopped_within_its_second_picture_keeps_the_first_and_the_last_frame() -> None:
    run, said = run_of(request(pictures=2), stop_after=1 + 1 + 7 + 1 + 1 + 4)
    assert said[-1] == "Stopped after step 3 of 5, 1 picture of 2 finished. The last frame is kept."
    assert len(run.finished) == 1
    assert len(run.pairs) == 2


def test_the_step_that_a_stopped_run_tells_is_the_step_that_it_shows() -> None:
    run, said = run_of(request(steps=777), stop_after=1 + 1 + PLACING + 81)
    step = run.payload()["pairs"][0]["ddpm"]["frames"][-1]["step"]
    assert step not in shown_steps(777), "else the step would travel anyway"
    assert said[-1] == f"Stopped after step {step} of 777. The last frame is kept."


def test_a_run_stopped_before_it_began_draws_nothing() -> None:
    run, said = run_of(request(), stop_after=0)
    assert said == ["Stopped before the first step."]
    assert run.payload()["pairs"] == []


def asked(seed: int = 3, pictures: int = 1) -> GenerationRequest:
    return GenerationRequest.of(["red cube", "blue sphere"], seed, 4, pictures=pictures)


def runs(shared: SharedRuns, wanted: GenerationRequest, stop_after: int = 1000) -> list[Run]:
    seen: list[Run] = []
    for run in shared.follow(wanted, lambda: len(seen) >= stop_after):
        seen.append(run)
    return seen


def test_equal_runs_cost_one_draw_and_have_keys_of_their_own() -> None:
    one = SharedRuns(fake_studio())
    ddpm: Any = one.studio.gates["ddpm"].model
    first = runs(one, asked())
    drawn = ddpm.frames_drawn
    again = runs(one, asked())
    assert [run.state for run in again] == ["done"]
    assert ddpm.frames_drawn == drawn == WHERE + 4
    assert again[-1].key != first[-1].key
    assert again[-1].payload()["pairs"] == first[-1].payload()["pairs"]


def test_who_watches_a_long_run_is_told_how_long_it_still_takes(clock: SimpleNamespace) -> None:
    """Every update is a run of the visitor's own, while what was measured is the draw's."""
    told = []
    for run in SharedRuns(fake_studio(pause=0.002)).follow(GenerationRequest.of(["red cube"], 7, 400), lambda: False):
        clock.now += 30
        told.append(run.status())
    assert any(one.endswith(" to go") for one in told), told


def test_a_stopped_run_is_drawn_anew() -> None:
    one = SharedRuns(fake_studio())
    assert runs(one, asked(), stop_after=2)[-1].state == "stopped"
    assert asked() not in one
    assert runs(one, asked())[-1].state == "done"
    assert asked() in one


def test_frames_of_old_runs_are_dropped_and_their_pictures_kept() -> None:
    one = SharedRuns(fake_studio(), kept=2)
    oldest = runs(one, asked(1))[-1]
    picture = oldest.pairs[0].sides["ddpm"].picture
    runs(one, asked(2))
    assert not oldest.thinned
    runs(one, asked(3))
    assert oldest.thinned
    assert len(oldest.pairs[0].sides["ddpm"].stills) == 1
    assert oldest.pairs[0].sides["ddpm"].picture is picture
    assert oldest.payload()["pairs"][0]["ddpm"]["last"] is not None


def test_dropped_frames_are_drawn_anew_for_a_download() -> None:
    one = SharedRuns(fake_studio(), kept=1)
    oldest = runs(one, asked(1))[-1]
    assert one.whole(oldest) is oldest
    film = [still.predicted.tobytes() for still in oldest.pairs[0].sides["ddpm"].stills]
    runs(one, asked(2))
    again = one.whole(oldest)
    assert [still.predicted.tobytes() for still in again.pairs[0].sides["ddpm"].stills] == film


def test_the_acgans_picture_is_shown_before_the_ddpm_begins() -> None:
    studio = fake_studio(breaks_after=0, error=RuntimeError("broken"))
    updates = draw(studio, asked(), lambda: False)
    first = next(updates).payload()["pairs"][0]
    assert first["acgan"]["last"] is not None
    assert first["ddpm"]["frames"] == []


def test_the_page_says_that_the_cpu_draws() -> None:
    studio = fake_studio(device="cuda", breaks_after=3)
    last = list(draw(studio, asked(), lambda: False))[-1]
    assert last.state == "done"
    assert last.payload()["status"].endswith(NO_GPU)


def test_who_watches_anothers_run_is_not_told_that_it_was_stopped() -> None:
    """Both ask for the same; the one whose run it is presses Stop, and the other's goes on to its end."""
    shared, wanted = SharedRuns(fake_studio(pause=0.05)), asked()
    halted, told = threading.Event(), list[str]()
    first = shared.follow(wanted, halted.is_set)
    assert next(first).state == "drawing"
    other = threading.Thread(target=lambda: told.extend(run.state for run in shared.follow(wanted, lambda: False)))
    other.start()
    wait_until(lambda: told == ["drawing"])
    halted.set()
    assert next(run for run in first if run.state != "drawing").state == "stopped"
    time.sleep(0.2)  # here the other one would see it
    assert list(first) == []
    other.join(20)
    assert set(told) == {"drawing", "done"}
    assert told[-1] == "done"
