"""A run's folder: one trainer at a time, a whole state of this run, a log that comes back, faults in one line."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.anything import mutated
from tests.train.learning.test_loop import LineTask, log_of, pictures, run_of
from train.learning.loop import LoopSettings, Run
from train.learning.options import clear_errors
from train.learning.runfolder import RunError, RunFolder, differences, digest


def stopped(folder: Path, **changes: Any) -> None:
    """A run of 20 pictures that stopped after one step."""
    run_of(folder, log_every=1, **changes).train(max_minutes=0)


def one_line(call: Callable[[], object]) -> str:
    """The line with which a trainer's command ends."""
    with pytest.raises(SystemExit) as caught:
        clear_errors(call)()
    line = str(caught.value)
    assert line.startswith("error: ")
    assert "\n" not in line
    return line


# the lock -----------------------------------------------------------------------------------------------------------

HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(600)
"""


def test_a_second_trainer_is_kept_out_until_the_first_is_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        assert f"{tmp_path}: another trainer is at work here" in one_line(lambda: stopped(tmp_path))
        assert not (tmp_path / "state.pt").exists()
    finally:
        holder.kill()
        holder.wait()
    stopped(tmp_path)
    assert (tmp_path / "state.pt").exists()


# the state ----------------------------------------------------------------------------------------------------------


def test_the_digest_is_that_of_the_content() -> None:
    state = {"a": torch.arange(6.0).view(2, 3), "b": [1, (0.9, None)], "c": {"x": "y"}, 3: torch.tensor(True)}
    same = OrderedDict(a=torch.arange(6.0).view(3, 2).reshape(2, 3), b=[1, (0.9, None)], c={"x": "y"})
    same[3] = torch.tensor(True)  # type: ignore[index]
    assert digest(state) == digest(same)
    other = [
        state | {"a": torch.arange(6.0).view(3, 2)},
        state | {"a": torch.arange(6.0, dtype=torch.float64).view(2, 3)},
        state | {"b": [1, (0.8, None)]},
        state | {"c": {"x": "z"}},
        state | {"d": 0},
        {"b": state["b"], "c": state["c"], 3: state[3]},
    ]
    assert len({digest(state), *map(digest, other)}) == 7


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 1000, b"\x80\x04."])
def test_a_foreign_file_for_a_state_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(content)
    assert f"{tmp_path / 'state.pt'}: no whole state" in one_line(lambda: stopped(tmp_path))


@pytest.mark.parametrize("value", [torch.zeros(3), [1], {"position": 3}, {"position": 1, "networks": {}}, "text"])
def test_a_file_that_holds_no_state_is_named(value: Any, tmp_path: Path) -> None:
    torch.save(value, tmp_path / "state.pt")
    assert str(tmp_path / "state.pt") in one_line(lambda: stopped(tmp_path))


def test_a_cut_state_is_named(tmp_path: Path) -> None:
    stopped(tmp_path)
    whole = (tmp_path / "state.pt").read_bytes()
    for length in (1, len(whole) // 3, len(whole) - 1):
        (tmp_path / "state.pt").write_bytes(whole[:length])
        assert "no whole state" in one_line(lambda: stopped(tmp_path))


def test_a_changed_number_is_found_by_the_checksum(tmp_path: Path) -> None:
    stopped(tmp_path)
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    state["networks"]["line"]["weight"] += 1e-6
    torch.save(state, tmp_path / "state.pt")
    assert "damaged, its checksum is another" in one_line(lambda: stopped(tmp_path))


def test_the_state_of_another_network_is_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    run = run_of(tmp_path)
    preset = run.preset()
    folder.write({"position": 1, "preset": preset, "networks": {"other": {}}})
    assert "not of these networks" in one_line(lambda: run.train())


@given(st.integers(0, 2**32))
def test_any_damaged_state_is_named_or_goes_on(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder = tmp_path_factory.mktemp("run")
    stopped(folder)
    path = folder / "state.pt"
    path.write_bytes(mutated(path.read_bytes(), random.Random(seed)))
    run = run_of(folder, log_every=1)
    try:
        run.restore()
    except RunError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert run.position == 1


class PresetTask(LineTask):
    """With a preset of its own."""

    def __init__(self, rate: float, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        super().__init__(1.0)
        self.stored = {"rate": rate, "betas": betas}

    def config(self) -> dict[str, Any]:
        return {"preset": self.stored}


def preset_run(folder: Path, *values: Any, **changes: Any) -> Run:
    return Run(PresetTask(*values), pictures(), LoopSettings(**{"pictures": 20, "batch": 4, **changes}), folder)


def change_and_train(folder: Path, change: dict[str, Any]) -> bool:
    return preset_run(folder, 0.1, **change).train()


def test_the_whole_preset_has_to_be_the_same(tmp_path: Path) -> None:
    preset_run(tmp_path, 0.1).train(max_minutes=0)
    assert "(rate 0.1, now 0.2)" in one_line(lambda: preset_run(tmp_path, 0.2).train())
    assert "(betas [0.9, 0.99], now [0.5, 0.99])" in one_line(lambda: preset_run(tmp_path, 0.1, (0.5, 0.99)).train())
    for change in ({"batch": 2}, {"seed": 1}, {"ema": 0.5}, {"clip": 2.0}, {"log_every": 7}):
        (name,) = change
        assert f"(loop.{name} " in one_line(partial(change_and_train, tmp_path, change))
    assert preset_run(tmp_path, 0.1, pictures=24).train()


def test_differences_are_told_by_name() -> None:
    assert differences({"a": 1, "b": {"c": [1, 2]}}, {"a": 1, "b": {"c": (1, 2)}}) == []
    assert differences({"loop": {"pictures": 1}}, {"loop": {"pictures": 2}}) == []
    assert differences({"a": 1, "b": {"c": 2}}, {"b": {"c": 3}, "d": 4}) == [
        "a 1, now None",
        "b.c 2, now 3",
        "d None, now 4",
    ]


# the log ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, b"", b"rubbish", b"step,pictures\n1", b"\xff\xfe\0", b"a\nb\nc,d\n,,,\n"])
def test_a_broken_log_comes_back_from_the_state(content: bytes | None, tmp_path: Path) -> None:
    for folder in (tmp_path / "whole", tmp_path / "broken"):
        for _ in range(3):
            stopped(folder, pictures=24)
    log = tmp_path / "broken" / "log.csv"
    log.unlink()
    if content is not None:
        log.write_bytes(content)
    for folder in (tmp_path / "whole", tmp_path / "broken"):
        run_of(folder, log_every=1, pictures=24).train()
    assert log_of(tmp_path / "broken") == log_of(tmp_path / "whole")
    assert len(log_of(tmp_path / "broken")) == 6


# faults of the disk -------------------------------------------------------------------------------------------------


def test_a_full_disk_is_one_line_and_keeps_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped(tmp_path)
    before = (tmp_path / "state.pt").read_bytes()

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in one_line(lambda: stopped(tmp_path))
    assert (tmp_path / "state.pt").read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert str(tmp_path / "file") in one_line(lambda: stopped(tmp_path / "file"))
    assert str(tmp_path / "file") in one_line(lambda: stopped(tmp_path / "file" / "run"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert f"{tmp_path}" in one_line(lambda: stopped(tmp_path / "run"))
