"""The command of the measures: it can be run again as it is printed."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from train.measure.__main__ import MEASURES, job_of, parsers


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_the_command_that_is_printed_is_the_command_that_was_run(measure: Any) -> None:
    words = [measure.name] + (["--model", "ddpm"] if "model" in measure.needs else [])
    words += ["--checkpoint", "a folder/x"] if "model" in measure.needs else []
    words += ["runs/a", "runs/b"] if "runs" in measure.options else []
    _, first = job_of(words)
    again = shlex.split(first.command)
    assert again[:4] == ["python", "-m", "train.measure", measure.name]
    _, second = job_of(again[3:])
    assert second.options == first.options
    assert second.command == first.command
    assert all(f"--{name}" in first.command for name in ("data", "device") if hasattr(first.options, name))


def test_a_command_of_several_processes_names_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    command = job_of(["scores", "--model", "acgan"])[1].command
    assert command.startswith("accelerate launch --multi_gpu --num_processes 2 -m train.measure scores")


def test_common_options_mean_the_same_everywhere() -> None:
    meanings: dict[str, set[Any]] = {}
    for parser in parsers()[1].values():
        for action in parser._actions:
            if action.dest in ("data", "model", "checkpoint", "device", "evaluator"):
                choices = tuple(action.choices) if action.choices else None
                meanings.setdefault(action.dest, set()).add((action.default, action.help, choices))
    assert {name: len(found) for name, found in meanings.items()} == dict.fromkeys(meanings, 1)
    assert {"data", "model", "checkpoint", "device"} <= set(meanings)


def test_every_measure_says_what_it_is_and_where_it_comes_from() -> None:
    for measure in MEASURES:
        what, _, how = measure.about.partition("\n\n")
        assert what.endswith(".")
        assert re.search(r"\d{4}|own|eye|diffusers", how + what)
        assert set(measure.needs) <= {"data", "model", "judge", "teacher"}
