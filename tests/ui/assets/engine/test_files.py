"""The engine's files: their digests, and where they come from."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest

from tests.ui.assets.engine.twin import answers


def test_digests_are_sha_256() -> None:
    pick = random.Random(0)
    contents = [pick.randbytes(length) for length in (0, 1, 55, 56, 63, 64, 65, 1000, 100_000)]
    assert answers("digest", [[list(one)] for one in contents]) == [
        [hashlib.sha256(one).hexdigest()] * 2 for one in contents
    ]


GOOD, BAD = [1, 2, 3], [1, 2, 4]
SUM = hashlib.sha256(bytes(GOOD)).hexdigest()
WAYS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "first": ([GOOD, None, "kept"], {"bytes": GOOD, "got": 1, "kept": GOOD}),
    "kept": ([GOOD, GOOD, "kept"], {"bytes": GOOD, "got": 0, "kept": GOOD}),
    "kept wrongly": ([GOOD, BAD, "kept"], {"bytes": GOOD, "got": 1, "kept": GOOD}),
    "damaged": ([BAD, None, "kept"], {"error": "a.onnx: damaged on its way", "got": 1, "kept": None}),
    "storage denied": ([GOOD, None, "denied"], {"bytes": GOOD, "got": 1, "kept": None}),
    "no room": ([GOOD, None, "full"], {"bytes": GOOD, "got": 1, "kept": None}),
    "not found": ([None, None, "kept"], {"error": "a.onnx: 404", "got": 1, "kept": None}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_file_is_what_it_is_named_for_and_got_once(way: str) -> None:
    inputs, wanted = WAYS[way]
    assert answers("file", [[*inputs, SUM]]) == [wanted]
