"""What `pip install .` installs: a package that draws from anywhere, and nothing under a name that others use."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.conftest import shipped

ROOT = Path(__file__).parent.parent
SOURCES = ("pyproject.toml", "requirements.txt", "README.md", "LICENSE", "NOTICE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel, built in a copy of the sources by the tools that are here."""
    setuptools = pytest.importorskip("setuptools")
    if int(setuptools.__version__.partition(".")[0]) < 77:
        pytest.skip("setuptools is older than 77")
    place = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        shutil.copy(ROOT / name, place / name)
    ignored = shutil.ignore_patterns("__pycache__", "*.png", "log.csv", "experiments")
    for name in ("clevr_demo", "train", "checkpoints"):
        shutil.copytree(ROOT / name, place / name, ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (place / "dist").glob("clevr_duel-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def test_the_wheel_has_one_name_of_its_own(installed: Path) -> None:
    names = {path.name for path in installed.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"clevr_demo"}
    assert list(installed.glob("clevr_demo/ui/assets/*/*.js"))
    (facts,) = installed.glob("*.dist-info")
    assert "clevr-duel = clevr_demo.__main__:main" in (facts / "entry_points.txt").read_text()
    assert {path.name for path in facts.rglob("*") if path.is_file()} >= {"LICENSE", "NOTICE"}
    assert "License-Expression: Apache-2.0" in (facts / "METADATA").read_text()


def test_the_wheel_brings_the_weights(installed: Path) -> None:
    for model in ("ddpm", "acgan", "detector", "classifier"):
        ours = shipped(model)
        for name in ("model.safetensors", "config.json", "metrics.json", *(path.name for path in ours.glob("*.onnx"))):
            assert (installed / "clevr_demo" / "weights" / model / name).read_bytes() == (ours / name).read_bytes()


def test_the_installed_package_draws_from_anywhere(installed: Path, tmp_path: Path) -> None:
    for model in ("acgan", "detector", "classifier"):
        shipped(model)
    program = f"import sys; sys.path.insert(0, {str(installed)!r}); from clevr_demo.__main__ import main; main()"
    command = [sys.executable, "-c", program, "red cube", "--model", "acgan", "--steps", "1", "--out", "a.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ACGAN: ")
    assert (tmp_path / "a.png").is_file()


def test_the_installed_page_compares_what_was_measured(installed: Path, tmp_path: Path) -> None:
    program = f"""import sys; sys.path.insert(0, {str(installed)!r})
from clevr_demo.serve.claims import CLAIMS, facts, markup
print([claim.name for claim in CLAIMS if "Not measured yet" in markup(claim, facts())])"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_version_licence_and_citation_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {project['version']}\n" in citation
    assert f"\nlicense: {project['license']}\n" in citation
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"Apache License\s+Version 2.0", (ROOT / "LICENSE").read_text())
    assert "CC BY 4.0" in (ROOT / "NOTICE").read_text()
    assert "i-CLEVR" in (ROOT / "NOTICE").read_text()


def test_every_requirement_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+|-r [\w.-]+", line) for line in lines if line), name
