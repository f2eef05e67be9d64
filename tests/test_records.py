"""Records: what is written comes back, draws the same picture, and a broken file is one sentence."""

from __future__ import annotations

import gzip
import time
from dataclasses import replace
from pathlib import Path

import pytest

from clevr_demo.checkpoints import CheckpointError
from clevr_demo.judge.detector import Found
from clevr_demo.judge.evaluator import Verdict
from clevr_demo.objects import INDEX, OBJECTS
from clevr_demo.records import COLUMNS, FILE, Record, differences, read, scores, seen, write
from clevr_demo.request import GenerationRequest

REQUEST = GenerationRequest.of(["red cube", "blue sphere", "gray cube"], 7, 4, "ddim", places={"red cube": (30.5, 12)})
RED, BLUE, GRAY = (INDEX[name] for name in ("red cube", "blue sphere", "gray cube"))
ROW = Record(
    model="ddpm@12345678", judge="detector@1+classifier@2", prompts="my, own", digest="abcdef01",
    steps=4, sampler="ddim", seed=7, objects=REQUEST.objects, at=REQUEST.places,
    exact=False, missing=(RED,), extra=(3, 3), doubled=(BLUE,), hits=2, teacher=3, off=(0.25, 11.5), seconds=0.125,
)  # fmt: skip


def row(seed: int, prompt: int, exact: bool, **changes: object) -> Record:
    facts = {"objects": (prompt,), "at": (), "missing": () if exact else (prompt,), "extra": (), "doubled": ()}
    return replace(ROW, seed=seed, exact=exact, hits=int(exact), teacher=1, **(facts | changes))  # type: ignore[arg-type]


def test_what_is_written_comes_back_and_the_same_rows_are_the_same_file(tmp_path: Path) -> None:
    rows = [ROW, replace(ROW, seed=8, steps=0, sampler="", at=(), off=(), exact=True, missing=(), extra=())]
    for name, order in (("one", rows), ("two", rows[::-1])):
        (tmp_path / name).mkdir()
        write(tmp_path / name, order)
        assert sorted(read(tmp_path / name), key=lambda one: one.seed) == rows
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "two" / FILE).read_bytes()
    header, *lines = gzip.decompress((tmp_path / "one" / FILE).read_bytes()).decode().splitlines()
    assert header == ",".join(COLUMNS)
    assert any('"my, own"' in line and "red-cube:30.5:12" in line for line in lines)
    assert read(tmp_path) == []


def test_a_row_draws_the_picture_that_it_is_of() -> None:
    assert ROW.request == REQUEST
    one_pass = replace(ROW, steps=0, sampler="").request
    assert (one_pass.steps, one_pass.sampler) == (20, "dpm")


def test_a_verdict_is_kept_by_what_is_missing_unasked_and_there_too_often() -> None:
    places = [
        ("red cube", 31.5, 12, 0.9),
        ("red cube", 10, 10, 0.8),
        ("red cube", 20, 20, 0.7),
        ("green cube", 5, 5, 0.6),
    ]
    probabilities = dict.fromkeys(OBJECTS, 0.0) | {"red cube": 0.9, "gray cube": 0.8, "green cube": 0.7}
    verdict = Verdict(probabilities, REQUEST.names, tuple(Found(*place) for place in places))
    green = INDEX["green cube"]
    found = seen(REQUEST, verdict)
    assert sorted(found.pop("missing")) == sorted((BLUE, GRAY))
    assert found == {"exact": False, "extra": (green,), "doubled": (RED, RED), "hits": 2, "off": (1.0,)}
    assert not replace(ROW, missing=(BLUE, GRAY), extra=(green,), doubled=(RED, RED)).right_number
    assert replace(ROW, missing=(BLUE,), extra=(green,), doubled=()).right_number


def test_scores_pool_the_pictures_of_all_prompts() -> None:
    rows = [row(seed, seed % 4, exact=seed % 4 != 3) for seed in range(40)]
    found = scores(rows)
    assert (found["exact"].mean, found["number"].mean, found["teacher"].mean) == (0.75, 0.75, 1.0)
    assert found["exact"].low < 0.75 < found["exact"].high <= 1
    with pytest.raises(ValueError, match="no pictures"):
        scores([])


def test_a_difference_is_of_the_same_prompts_and_seeds_alone() -> None:
    first = [row(seed, seed % 8, True, model="ddpm@1") for seed in range(40)]
    second = [row(seed, seed % 8, seed % 2 == 0, model="acgan@1", steps=0, sampler="") for seed in range(80)]
    found = differences(first, [*second, row(100, 1, False, judge="another")])
    assert (found["exact"].mean, found["exact"].number) == (0.5, 40)
    assert found["exact"].shows
    assert "no difference shown" in found["teacher"].said
    with pytest.raises(ValueError, match="0 prompts in common"):
        differences(first, [replace(one, judge="another") for one in second])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no gzip", "not readable as a gzipped CSV"),
        (gzip.compress(b"x" * 10_000)[:-20], "not readable as a gzipped CSV"),
        (gzip.compress(b"\xff\xfe"), "not readable as a gzipped CSV"),
        (gzip.compress(b"model,judge\n"), "its columns are model, judge, prompts"),
        (gzip.compress(",".join(COLUMNS).encode() + b"\n1,2\n"), "line 2 is no record"),
        (gzip.compress(",".join(COLUMNS).encode() + b"\nm,j,p,d,4,,7,red-cow,,1,,,,1,1,,0.1\n"), "line 2 is no record"),
        (
            gzip.compress(",".join(COLUMNS).encode() + b"\nm,j,p,d,4,,7,red-cube,,2,,,,1,1,,0.1\n"),
            "line 2 is no record",
        ),
    ],
    # Not the bytes themselves: gzip writes the hour of the day into them, and each worker would name other tests.
    ids=["no gzip", "cut off", "no text", "other columns", "too few cells", "no such object", "number no flag"],
)
def test_a_broken_file_is_one_sentence_that_names_it(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match=told) as caught:
        read(tmp_path)
    assert str(tmp_path / FILE) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ten_thousand_rows_are_small_and_read_and_counted_within_seconds(tmp_path: Path) -> None:
    rows = [row(seed, seed % 24, seed % 7 > 0, seconds=(seed * 7919 % 1000) / 1000) for seed in range(10_000)]
    write(tmp_path, rows)
    assert (tmp_path / FILE).stat().st_size < 500_000
    started = time.process_time()
    assert scores(read(tmp_path))["exact"].number == 10_000
    assert time.process_time() - started < 5
