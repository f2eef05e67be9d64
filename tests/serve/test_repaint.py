"""Scenes are repainted while they are moved: in few steps, in turn, and never at the cost of those who wait."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from clevr_demo.serve.gate import Gate, cores
from clevr_demo.serve.queue import WaitingLine
from clevr_demo.serve.repaint import Repainter, repainted
from clevr_demo.serve.studio import Studio
from tests.conftest import wait_until
from tests.fakes import FakeGenerator, FakeJudge, fake_studio

MOVED = "objects=red-cube,blue-sphere&seed=7&steps=20&sampler=ddim&pictures=3&at=red-cube:30.5:12"


def asked(query: str = MOVED, visitor: str = "me") -> dict[str, Any]:
    return {"query": query, "visitor": visitor}


def repainter(line: WaitingLine | None = None, **faults: Any) -> Repainter:
    return Repainter(fake_studio(**faults), line or WaitingLine())


def test_a_move_is_drawn_in_few_steps_and_comes_without_its_way() -> None:
    answer = repainter().answer(asked())
    run = answer["run"]
    assert answer["rest"] == 0
    assert (run["state"], run["steps"], run["total"]) == ("moving", 4, 1)
    assert "steps=4&sampler=dpm&at=red-cube:30.5:12" in run["query"]
    for side in (run["pairs"][0][name] for name in ("ddpm", "acgan")):
        assert side["frames"] == []
        assert (side["last"]["step"], side["evaluations"]) == (4, 4), "these fakes take a pass a step"
        assert side["last"]["exact"]
        assert side["last"]["places"][0] == [30.5, 12]
    assert repainter().answer(asked("objects=red-cube&steps=2"))["run"]["steps"] == 2, "fewer stay fewer"


def test_what_a_move_asks_beyond_the_data_is_told() -> None:
    told = repainter().answer(asked("objects=red-cube&at=red-cube:2:2"))["run"]["unusual"]
    assert told == "Training pictures show nothing where the red cube is to stand."
    assert "unusual" not in repainter().answer(asked())["run"]


def test_a_move_never_asks_for_a_shared_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FakeGenerator] = []

    def load(device: str) -> Any:
        made.append(FakeGenerator(device="cpu" if made else "cuda"))
        return made[-1]

    studio = fake_studio()
    gate = Gate(studio.contenders["ddpm"], load)
    studio = Studio({**studio.gates, "ddpm": gate}, FakeJudge())  # type: ignore[arg-type]
    request, _ = studio.read({"objects": "red-cube"})
    repainted(studio, request)
    assert len(made) == 1, "a GPU of one's own draws"
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    drawn = made[0].batches[:]
    repainted(studio, request)
    assert made[0].batches == drawn
    assert made[1].frames_drawn > 0, "the CPU's copy does"


def test_while_others_wait_a_visitor_rests_as_long_as_the_move_took() -> None:
    line = WaitingLine()
    moves = repainter(line, pause=0.01)
    with line.turn(1), line.turn(1):
        rest = moves.answer(asked())["rest"]
        assert rest >= 0.04
        refused = moves.answer(asked())
        assert set(refused) == {"rest"}
        assert 0 < refused["rest"] <= rest
        assert "run" in moves.answer(asked(visitor="another")), "each visitor has a share of their own"
        time.sleep(rest)
        assert "run" in moves.answer(asked())
    assert moves.answer(asked(visitor="a third"))["rest"] == 0


def test_of_one_visitor_one_move_is_drawn_at_a_time() -> None:
    moves = repainter(pause=0.05)
    first: list[Any] = []
    thread = threading.Thread(target=lambda: first.append(moves.answer(asked())))
    thread.start()
    wait_until(lambda: bool(moves._until))
    assert "run" not in moves.answer(asked())
    thread.join()
    assert "run" in first[0]
    assert "run" in moves.answer(asked())


def test_ten_visitors_at_once_get_their_own_pictures_and_leave_half_of_the_machine() -> None:
    moves = repainter(pause=0.005)
    going, most, answers = [0], [0], dict[int, Any]()
    draw, lock = moves.studio.gates["ddpm"].stills, threading.Lock()

    def counted(*arguments: Any, **settings: Any) -> Any:
        with lock:
            going[0] += 1
            most[0] = max(most[0], going[0])
        yield from draw(*arguments, **settings)
        with lock:
            going[0] -= 1

    moves.studio.gates["ddpm"].stills = counted  # type: ignore[method-assign]

    def move(number: int) -> None:
        answers[number] = moves.answer(asked(f"objects=red-cube&at=red-cube:30:{number}", f"visitor {number}"))

    threads = [threading.Thread(target=move, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(10):
        assert f"at=red-cube:30:{number}" in answers[number]["run"]["query"]
    assert 1 <= most[0] <= max(1, cores() // 2)


@pytest.mark.parametrize("junk", [None, [], "objects=red-cube", {}, {"query": None}, {"query": "objects=pink-cube"}])
def test_what_asks_for_nothing_gets_nothing(junk: Any) -> None:
    assert repainter().answer(junk) == {"rest": 0.0}


def test_a_move_that_fails_lets_the_next_one_in() -> None:
    moves = repainter()
    judge = moves.studio.judge.judge
    moves.studio.judge.judge = None  # type: ignore[method-assign, assignment]
    with pytest.raises(TypeError):
        moves.answer(asked())
    moves.studio.judge.judge = judge  # type: ignore[method-assign]
    assert "run" in moves.answer(asked())
