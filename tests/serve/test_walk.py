"""The walk through the ACGAN's noise."""

from __future__ import annotations

import base64

from clevr_demo.serve.walk import FRAMES, walk_payload
from tests.serve.at_once import FakeStudio, request


def test_the_acgans_walk_ends_in_its_picture() -> None:
    walk = walk_payload(FakeStudio(), request(), "looks")
    assert walk["key"] != walk_payload(FakeStudio(), request(), "places")["key"]
    assert len(walk["frames"]) == FRAMES
    assert walk["objects"] == [1, 14]
    assert all(frame["places"] == [[20.0, 30.0], [40.0, 12.0]] for frame in walk["frames"])
    kinds = [base64.b64decode(frame["x0"])[:4] for frame in walk["frames"]]
    assert set(kinds[:-1]) == {b"RIFF"}
    assert kinds[-1] == b"\x89PNG", "the picture itself, exact to the pixel"
