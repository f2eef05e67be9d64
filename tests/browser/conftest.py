"""The app on a free port, and a real Chromium to drive it. Skipped, with the reason, where either is missing."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.helpers import faults
from tests.serving import ROOT, running_app

CHROMIUM_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-quic",
]  # fmt: skip
PATIENCE = int(os.environ.get("CLEVR_PATIENCE", "40000"))
"""Milliseconds to wait for a condition: a loaded machine is slow, not broken."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.browser)
    # Playwright's event loop runs in this thread until the session ends, and no other can then: its tests come last.
    items[:] = [item for item in items if item not in mine] + mine


def tiny_weights(folder: Path) -> dict[str, str]:
    """Random weights of the smallest networks: enough to try the page where no trained ones are."""
    import torch

    from clevr_demo.checkpoints import save_weights
    from clevr_demo.generators.acgan import ACGANNetwork
    from clevr_demo.generators.ddpm import DDPMNetwork
    from clevr_demo.judge.classifier import ClassifierNetwork
    from train.acgan import PRESETS as ACGAN
    from train.ddpm import PRESETS as DDPM

    torch.manual_seed(0)
    ddpm, acgan = DDPM["tiny-what"].model, ACGAN["tiny-what"].model
    save_weights(DDPMNetwork(ddpm), {"model": dataclasses.asdict(ddpm)}, folder / "ddpm")
    save_weights(ACGANNetwork(acgan), {"model": dataclasses.asdict(acgan)}, folder / "acgan")
    save_weights(ClassifierNetwork(), {"model": {}}, folder / "evaluator")
    return {f"CLEVR_{name.upper()}": str(folder / name) for name in ("ddpm", "acgan", "evaluator")}


def chromium_path() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium_path()
    if path is None:
        pytest.skip("there is no chromium on this machine")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@contextlib.contextmanager
def page_app(folder: Path) -> Iterator[str]:
    """The address of an app that runs meanwhile, with the project's weights or, where there are none, random ones.

    CLEVR_ADDRESS may name one that runs already.
    """
    if "CLEVR_ADDRESS" in os.environ:
        yield os.environ["CLEVR_ADDRESS"]
        return
    environment = {"GRADIO_TEMP_DIR": str(folder / "gradio")}
    shipped = all(
        (ROOT / "checkpoints" / name / "model.safetensors").is_file() for name in ("ddpm", "acgan", "detector")
    )
    if not shipped:
        environment |= tiny_weights(folder / "weights")
    with running_app(**environment) as (address, _):
        yield address


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with page_app(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture
def open_page(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens the page in a browser of its own (context options as arguments, and a
    script to run before the page's own); afterwards no page may have complained."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def listen(page: Any) -> None:
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("console", lambda entry: complaints.append(entry.text) if entry.type == "error" else None)

    def opened(query: str = "", script: str = "", **options: Any) -> Any:
        context = chromium.new_context(**({"viewport": {"width": 1366, "height": 900}} | options))
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.set_default_navigation_timeout(PATIENCE)
        context.on("page", listen)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.goto(f"{address}/{query}")
        page.wait_for_function("document.querySelector('#picker .picker-count')?.textContent.length > 0")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults(complaints) == []


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    return open_page()
