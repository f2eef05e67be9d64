"""A job: how its model draws, and what its entries are called and say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clevr_demo.checkpoints import read_metrics
from clevr_demo.models import MODELS, Model, register
from tests.train.measure.made import Painter, job
from train.measure.__main__ import job_of


@pytest.fixture
def stepwise() -> Iterator[Model]:
    """A third model, of steps and without a sampler."""
    yield register(Model("stepwise", "Stepwise", "Never loaded.", lambda path, device: Painter(), has_steps=True))  # type: ignore[arg-type, return-value]
    del MODELS["stepwise"]


@pytest.mark.parametrize(
    ("words", "settings", "variant"),
    [
        ("ddpm", {"steps": 20, "sampler": "dpm"}, ""),
        ("ddpm --steps 4", {"steps": 4, "sampler": "dpm"}, ", 4 steps"),
        ("ddpm --sampler ddim", {"steps": 20, "sampler": "ddim"}, ", 20 steps of ddim"),
        ("acgan --steps 4 --sampler ddim", {"steps": 1}, ""),
        ("stepwise", {"steps": 20}, ""),
        ("stepwise --steps 4 --sampler ddim", {"steps": 4}, ", 4 steps"),
    ],
)
@pytest.mark.usefixtures("stepwise")
def test_a_models_settings_are_its_own(words: str, settings: dict[str, object], variant: str) -> None:
    run = job_of(["realism", "--model", *words.split()])[1]
    assert (run.settings, run.variant) == (settings, variant)


def test_an_entry_says_of_whom_by_what_and_leaves_the_others(iclevr: Path, tmp_path: Path) -> None:
    run = job(iclevr, tmp_path, "realism")
    run.record("first", {"value": 1})
    run.record("second", {"value": 2}, "judge")
    run.record("first", {"value": 3})
    found = read_metrics(tmp_path)
    assert found["first"] == {"value": 3, "model": run.model.name, "command": run.command}
    assert found["second"] == {"value": 2, "judge": run.judge.name, "command": run.command}
