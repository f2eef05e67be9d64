"""What a Space reads of the repository, and a dry run with its variables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.conftest import tiny_weights
from tests.serving import ROOT
from tests.space.dry_run import SPACE, front_matter

ZERO_GPU_PYTHONS = ("3.12.12", "3.10.13")
ZERO_GPU_TORCH = ("2.8.0", "2.9.1", "2.10.0", "2.11.0")


def pins() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_the_front_matter_fits_the_requirements_and_what_a_shared_gpu_offers() -> None:
    settings = front_matter()
    assert settings["sdk"] == "gradio"
    assert settings["sdk_version"] == pins()["gradio"]
    assert settings["python_version"] in ZERO_GPU_PYTHONS
    assert pins()["torch"] in ZERO_GPU_TORCH
    assert (ROOT / settings["app_file"]).is_file()
    assert len(settings["short_description"]) <= 60
    assert settings["license"] == "apache-2.0"
    assert len(settings["tags"].splitlines()) >= 3
    assert settings["thumbnail"].startswith("https://") or (ROOT / settings["thumbnail"]).is_file()


def test_every_requirement_is_pinned() -> None:
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in pins().values())


@pytest.mark.timeout(1300)
def test_a_dry_run_with_a_spaces_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts, draws and gives Space links; with this environment, not a fresh one, which tests.space.dry_run makes."""
    import sys

    from tests.space import dry_run

    for name, value in tiny_weights(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert SPACE["SYSTEM"] == "spaces"
    _, memory = dry_run.act(sys.executable)
    assert memory < dry_run.MEMORY
