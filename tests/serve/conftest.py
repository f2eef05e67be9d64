"""What the tests of several modules share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that stands still for the line and every pace: else a busy machine's pauses would count."""
    standing: Any = SimpleNamespace(now=1000.0, monotonic=lambda: standing.now)
    for module in ("queue", "pace"):
        monkeypatch.setattr(f"clevr_demo.serve.{module}.time", standing)
    return standing
