"""The engine's scripts answer as Python does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.assets.engine.table import TABLE
from tests.ui.assets.engine.twin import answers


def differences(ours: Any, theirs: Any) -> Iterator[float]:
    """How far the numbers of two nested values are apart; all else must be the same."""
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        ours, theirs = list(ours.values()), list(theirs.values())
    if isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for our, their in zip(ours, theirs, strict=True):
            yield from differences(our, their)
    elif isinstance(theirs, (int, float)) and not isinstance(theirs, bool):
        yield abs(ours - theirs)
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", TABLE)
def test_python_and_the_page_agree(name: str) -> None:
    entry = TABLE[name]
    cases = list(entry.cases())
    worst = 0.0
    for (inputs, theirs), ours in zip(cases, answers(name, [inputs for inputs, _ in cases]), strict=True):
        try:
            worst = max(worst, *differences(ours, theirs), 0.0)
        except (AssertionError, TypeError) as error:
            raise AssertionError(f"{str(inputs)[:2000]}: {str(ours)[:2000]}, not {str(theirs)[:2000]}") from error
    print(f"{name}: {len(cases)} cases, at most {worst:.1e} apart")
    assert worst <= entry.within
