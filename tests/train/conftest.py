"""What the tests of the training share."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.data.iclevr import Pictures, load_pictures


@pytest.fixture(scope="session")
def pictures(iclevr: Path) -> Pictures:
    """The tiny i-CLEVR, read."""
    return load_pictures(iclevr, progress=False)
