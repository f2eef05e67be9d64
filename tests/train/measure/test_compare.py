"""Two folders' records compared: only what both have drawn, and of the weights that lie there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clevr_demo.checkpoints import CheckpointError
from clevr_demo.records import write
from tests.test_records import row
from train.measure import compare
from train.measure.__main__ import job_of


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two checkpoint folders' records, the first of which draws all of "test" right and the second half of it."""
    monkeypatch.setattr(compare, "fingerprint", lambda folder: folder.name)
    found = [tmp_path / name for name in ("new", "old")]
    for folder, share in zip(found, (1, 2), strict=True):
        folder.mkdir()
        facts: dict[str, Any] = {"sampler": "dpm", "model": f"ddpm@{folder.name}", "prompts": "test"}
        rows = [row(seed, seed % 8, seed % share == 0, steps=20, **facts) for seed in range(40)]
        rows += [row(seed, seed % 8, True, steps=4, **facts) for seed in range(40)]
        rows += [row(seed, seed % 8, False, steps=20, **facts | {"model": "ddpm@gone"}) for seed in range(40)]
        rows += [row(1, 1, True, steps=20, **facts | {"prompts": f"only {folder.name}"})]
        write(folder, rows)
    return found


def told(folders: list[Path], capsys: pytest.CaptureFixture[str], *words: str) -> str:
    command = ["compare", "--model", "ddpm", "--checkpoint", str(folders[0]), "--against", str(folders[1]), *words]
    compare.MEASURE.run(job_of(command)[1])
    return capsys.readouterr().out


def test_a_gain_is_told_with_its_interval_and_no_difference_as_none(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told(folders, capsys).splitlines()
    assert lines[0] == "ddpm@new - ddpm@old"
    assert [line.split(" | ")[0] for line in lines[4:]] == ["| test"]
    assert lines[4].startswith("| test | +0.500 (+0.")
    assert lines[4].endswith("| 40 |")
    assert "| test | +0.000 (+0.000 to +0.000): no difference shown |" in told(folders, capsys, "--steps", "4")


def test_a_folder_without_such_pictures_is_named(folders: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckpointError, match=r"new/records.csv.gz: no pictures of these weights by these settings"):
        told(folders, capsys, "--steps", "7")
