"""What can be downloaded of a run, and where it lies."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from clevr_demo.pictures import MARK
from clevr_demo.serve.downloads import Shelf, contents, kinds
from tests.serve.at_once import request, run_of


def test_every_kind_has_its_file_which_knows_its_request() -> None:
    run, _ = run_of(request(pictures=2))
    made = contents(run, "single", "http://duel.example/")
    assert list(made) == list(kinds(run.contenders))
    said = {kind: Image.open(io.BytesIO(content)) for kind, (_, content) in made.items()}
    assert said["pair"].info[MARK] == run.query
    assert {said[kind].info[MARK] for kind in ("card", "ddpm", "acgan", "strip")} == {"single"}
    picture = run.pairs[0].sides["acgan"].picture
    assert picture is not None
    assert np.array_equal(np.asarray(said["acgan"].convert("RGB")), picture)
    assert said["gif"].format == "GIF"


def test_the_oldest_files_go(tmp_path: Path) -> None:
    shelf = Shelf(most=2, place=tmp_path)
    paths = []
    for age, key in enumerate(("one", "two", "three", "four")):
        paths += shelf.put(key, {"a.png": b"a", "b.png": b"b"})
        os.utime(paths[-1].parent, (age, age))
    assert [path.is_file() for path in paths] == [False] * 2 + [True] * 6
    assert paths[-1].read_bytes() == b"b"


def test_the_files_of_a_key_go_together(tmp_path: Path) -> None:
    shelf = Shelf(place=tmp_path / "made for it")
    (kept,), (dropped,) = shelf.put("one", {"a.png": b"a"}), shelf.put("two/../one", {"a.png": b"b"})
    assert kept != dropped
    shelf.drop("two/../one")
    assert kept.is_file()
    assert not dropped.parent.exists()
