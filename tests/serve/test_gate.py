"""The gate to the DDPM: one way in, and the CPU behind every GPU that fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clevr_demo.request import GenerationRequest
from clevr_demo.serve import gate as gates
from clevr_demo.serve.gate import BATCH, HALF, NO_GPU, QUOTA, Gate, Still
from tests.fakes import WHERE, fake_gate

ROOT = Path(__file__).resolve().parents[2]


class QuotaError(Exception):
    title = "ZeroGPU quota exceeded"


def wanted(*seeds: int, steps: int = 5) -> list[GenerationRequest]:
    return [GenerationRequest.of(["red cube"], seed, steps) for seed in seeds]


def on_cpu() -> Gate:
    return fake_gate()


def on_gpu(**faults: Any) -> Gate:
    return fake_gate(device="cuda", **faults)


def same(these: list[tuple[int, Still]], those: list[tuple[int, Still]]) -> bool:
    def key(entry: tuple[int, Still]) -> Any:
        return entry[0], entry[1].index, entry[1].predicted.tobytes()

    return [key(one) for one in these] == [key(one) for one in those]


@pytest.mark.parametrize("make", [on_cpu, on_gpu])
def test_timelines_come_in_order_and_end_in_the_picture(make: Callable[[], Gate]) -> None:
    stills = list(make().stills(wanted(3, 4)))
    assert [(number, still.index) for number, still in stills] == [(n, i) for n in (0, 1) for i in range(WHERE + 5)]
    assert [still.last for _, still in stills] == ([False] * (WHERE + 4) + [True]) * 2
    assert [still.evaluations for _, still in stills[: WHERE + 5]] == [0] * WHERE + [1, 2, 3, 4, 5]


def test_cpu_and_gpu_give_the_same_finished_pictures() -> None:
    requests = wanted(*range(20)) + wanted(7, steps=3)
    cpu, gpu = (dict(one.stills(requests, timeline=False)) for one in (on_cpu(), on_gpu()))
    assert sorted(cpu) == sorted(gpu) == list(range(21))
    assert all(np.array_equal(cpu[n].predicted, gpu[n].predicted) and gpu[n].last for n in cpu)


def test_a_grid_asks_for_the_gpu_once_and_draws_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    one = on_gpu()
    real = gates.gpu_stills
    monkeypatch.setattr(gates, "gpu_stills", lambda *a: asked.append(a) or real(*a))  # type: ignore[func-returns-value]
    assert len(list(one.stills(wanted(*range(48)), timeline=False))) == 48
    assert len(asked) == 1
    assert one.model.batches == [BATCH] * 3  # type: ignore[attr-defined]
    assert gates.gpu_seconds(*asked[0]) <= 5


@pytest.mark.parametrize("after", [0, 1, WHERE + 2])
def test_a_lost_gpu_costs_no_frame_and_none_comes_twice(after: int) -> None:
    stills = list(on_gpu(breaks_after=after).stills(wanted(3, 4)))
    assert same(stills, list(on_cpu().stills(wanted(3, 4))))
    assert [still.notice for _, still in stills] == [HALF] * after + [NO_GPU] * (len(stills) - after)


def test_a_lost_gpu_costs_no_picture_of_a_grid() -> None:
    one = on_gpu(breaks_after=1)
    pictures = list(one.stills(wanted(*range(20)), timeline=False))
    assert sorted(number for number, _ in pictures) == list(range(20))
    assert [still.notice for _, still in pictures] == [HALF] * BATCH + [NO_GPU] * 4


def test_a_used_up_quota_is_told_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    stills = list(on_gpu(breaks_after=0, error=QuotaError("You have exceeded your quota")).stills(wanted(3)))
    assert {still.notice for _, still in stills} == {QUOTA}
    assert QUOTA.count(".") == 1
    assert "You have exceeded your quota" in capsys.readouterr().err


@pytest.mark.parametrize("make", [on_cpu, on_gpu])
def test_stop_and_leaving_end_at_the_next_step(make: Callable[[], Gate]) -> None:
    one = make()
    seen: list[Any] = []
    for entry in one.stills(wanted(3), stopped=lambda: len(seen) >= 2):
        seen.append(entry)
    assert len(seen) == 2
    assert one.model.frames_drawn <= 3  # type: ignore[attr-defined]
    stills = one.stills(wanted(3))
    next(stills)
    stills.close()  # type: ignore[attr-defined]
    assert one.model.frames_drawn <= 4  # type: ignore[attr-defined]


def test_a_closed_gate_draws_no_further() -> None:
    one = on_cpu()
    stills = one.stills(wanted(3))
    next(stills)
    one.close()
    assert list(stills) == []


def test_a_visitor_who_does_not_look_keeps_nobody_waiting() -> None:
    one = on_cpu()
    idle = [one.stills(wanted(seed)) for seed in range(40)]
    for stills in idle:
        next(stills)
    assert len(list(one.stills(wanted(99)))) == WHERE + 5


SCRIPT = """
import hashlib, sys
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.studio import Cell, Studio
studio = Studio.load()
digest = hashlib.sha256()
for seed in range(int(sys.argv[1])):
    request = GenerationRequest.of(["red cube", "blue sphere"], seed, 4)
    for _, still in studio.draw([Cell("ddpm", request), Cell("acgan", request)]):
        digest.update(still.predicted.tobytes())
print(digest.hexdigest())
"""


def test_the_number_of_threads_changes_no_pixel() -> None:
    """Two servers that were given other numbers of threads draw a link alike."""
    drawn = set()
    for threads in ("1", "2"):
        environment = dict(os.environ, OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads, PYTHONPATH=str(ROOT))
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, "5"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        drawn.add(done.stdout.strip().splitlines()[-1])
    assert len(drawn) == 1
