"""Equal requests cost one draw."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from clevr_demo.serve.shared import Shared
from tests.conftest import wait_until


class Draws:
    """Draws that take three values and as long as the test wants."""

    def __init__(self) -> None:
        self.begun, self.go = 0, threading.Event()

    def make(self) -> Iterator[str]:
        self.begun += 1
        for value in ("sketch", "draft", "done"):
            yield value
            assert self.go.wait(60)


def complete(value: str) -> bool:
    return value == "done"


def test_a_class_of_fifty_that_opens_one_link_costs_one_draw() -> None:
    draws, shared, shown = Draws(), Shared[str](4, complete), list[list[str]]()
    threads = [
        threading.Thread(target=lambda: shown.append(list(shared.follow("link", draws.make)))) for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    draws.go.set()
    for thread in threads:
        thread.join(60)
    assert draws.begun == 1
    assert len(shown) == 50
    assert {values[-1] for values in shown} == {"done"}
    assert list(shared.follow("link", draws.make)) == ["done"]
    assert draws.begun == 1


def test_other_requests_are_drawn() -> None:
    draws, shared = Draws(), Shared[str](4, complete)
    draws.go.set()
    for key in ("one", "two", "one"):
        assert list(shared.follow(key, draws.make))[-1] == "done"
    assert draws.begun == 2


def test_who_watches_draws_on_when_the_first_one_leaves() -> None:
    draws, shared, shown = Draws(), Shared[str](4, complete), list[str]()
    first = shared.follow("link", draws.make)
    assert next(first) == "sketch"
    second = threading.Thread(target=lambda: shown.extend(shared.follow("link", draws.make)))
    second.start()
    wait_until(lambda: shown == ["sketch"])
    first.close()  # type: ignore[attr-defined]
    draws.go.set()
    second.join(60)
    assert draws.begun == 2
    assert shown == ["sketch", "sketch", "draft", "done"]


def test_a_stop_ends_the_watching_alone() -> None:
    draws, shared = Draws(), Shared[str](4, complete)
    first = shared.follow("link", draws.make)
    next(first)
    assert list(shared.follow("link", draws.make, stopped=lambda: True)) == []
    draws.go.set()
    assert list(first) == ["draft", "done"]


def test_what_was_broken_off_is_not_kept() -> None:
    shared = Shared[str](4, complete)
    assert list(shared.follow("link", lambda: iter(["sketch"]))) == ["sketch"]
    assert len(shared) == 0


def test_a_failure_is_the_one_visitors_and_is_tried_again() -> None:
    shared = Shared[str](4, complete)

    def fails() -> Iterator[str]:
        yield "sketch"
        raise OSError("disk")

    try:
        list(shared.follow("link", fails))
    except OSError:
        pass
    else:
        raise AssertionError("the failure was swallowed")
    assert list(shared.follow("link", lambda: iter(["done"]))) == ["done"]


def test_the_oldest_result_makes_room() -> None:
    gone = list[str]()
    shared = Shared[str](2, complete, dropped=lambda key, value: gone.append(key))
    for key in ("one", "two", "one", "three"):
        list(shared.follow(key, lambda: iter(["done"])))
    assert gone == ["two"]
    assert len(shared) == 2
