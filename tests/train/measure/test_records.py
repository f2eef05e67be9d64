"""The committed records: they are what the weights draw, and what the tables say."""

from __future__ import annotations

import functools
import html
import random
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from clevr_demo.checkpoints import METRICS, fingerprint, read_metrics
from clevr_demo.judge.evaluator import MAX_JUDGED
from clevr_demo.models import MODELS
from clevr_demo.records import FILE, Record, read, seen
from clevr_demo.serve.scoreboard.board import Choice, board_of
from clevr_demo.serve.scoreboard.evidence import opened
from clevr_demo.serve.scoreboard.whole import markup
from clevr_demo.serve.studio import Studio
from tests.conftest import shipped
from train.measure import anywhere, scores
from train.measure.__main__ import job_of
from train.measure.prompts import ANYWHERE, NUMBERS
from train.measure.records import Recorder, processor

REDRAWN = 24  # rows a model, evenly spread over its sets
OPENED = 50  # cells, points and bars of the scoreboard


def committed(kind: str) -> tuple[Path, list[Record]]:
    folder = shipped(kind)
    mark = fingerprint(folder)
    rows = [row for row in read(folder) if row.model.partition("@")[2] == mark]
    if not rows:
        pytest.skip(f"{folder / FILE} holds no records of these weights")
    return folder, rows


@functools.cache
def entry_of(kind: str, steps: int, sampler: str) -> str:
    """The name of the settings, as metrics.json has it, behind that of a set."""
    words = ["--steps", str(steps), "--sampler", sampler] if steps else []
    return job_of(["scores", "--model", kind, *words])[1].variant


def may_turn(folders: Iterable[Path]) -> int:
    """None on the kind of processor that drew the rows; elsewhere a verdict in a hundred may turn, so one of some
    dozens."""
    entries = (entry for folder in folders for entry in read_metrics(folder)["scores"].values())
    return 0 if {entry["processor"] for entry in entries if "processor" in entry} == {processor()} else 1


@pytest.mark.parametrize("kind", MODELS)
def test_committed_rows_are_drawn_again(kind: str) -> None:
    folder, rows = committed(kind)
    few = [row for row in rows if row.steps <= 20][:: max(1, len(rows) // REDRAWN)][:REDRAWN]
    recorders = {}
    redrawn = []
    for row in few:
        how = (row.steps, row.sampler)
        if how not in recorders:
            words = ["--steps", str(row.steps), "--sampler", row.sampler] if row.steps else []
            recorders[how] = Recorder(job_of(["scores", "--model", kind, "--device", "cpu", *words])[1])
        redrawn.append(recorders[how].row(row.prompts, row.digest, row.request))
    turned = [row for row, again in zip(few, redrawn, strict=True) if replace(again, seconds=row.seconds) != row]
    assert len(turned) <= may_turn([folder])


def test_what_the_scoreboard_opens_is_drawn_with_the_recorded_verdicts() -> None:
    """The first picture behind each of fifty figures, chosen at random of all that the page shows."""
    folders = [committed(kind)[0] for kind in MODELS]
    studio = Studio.load(device="cpu")
    board = board_of(studio.contenders, studio.fingerprint)
    figures = sorted({html.unescape(query) for query in re.findall(r'data-choice="([^"]+)"', markup(board))})
    turned = []
    for query in random.Random(0).sample(figures, OPENED):
        choice = Choice.of(query)
        tables = opened(studio, board, choice, 0).draw(lambda: False)
        (place, picture), *_ = next(table for table in tables if table.pictures).pictures.items()
        name, row = board.chosen(choice)[place]
        assert picture.query == studio.query(row.request), "a link to the recorded picture"
        assert picture.verdict is not None
        again = seen(row.request, picture.verdict)
        turned += [(query, row) for part, found in again.items() if found != getattr(row, part)][:1]
    assert len(turned) <= may_turn(folders), turned


@pytest.mark.parametrize("kind", MODELS)
def test_the_committed_figures_are_those_of_the_committed_rows(kind: str) -> None:
    folder, rows = committed(kind)
    metrics = read_metrics(folder)
    sets: dict[tuple[str, str], list[Record]] = {}
    for row in rows:
        sets.setdefault((row.prompts, entry_of(kind, row.steps, row.sampler)), []).append(row)
    for (name, variant), own in sets.items():
        if name == ANYWHERE:
            for number, line in metrics[f"{ANYWHERE}{variant}"]["rows"].items():
                counts = range(1, MAX_JUDGED + 1) if number == anywhere.ALL else [NUMBERS.index(number) + 1]
                assert anywhere.summary([row for row in own if len(row.objects) in counts]) == line
            continue
        said, found = metrics["scores"][f"{name}{variant}"], scores.summary(own)
        assert {key: said[key] for key in found} == found, f"{folder / METRICS}: {name}{variant}"


def test_committed_records_are_small() -> None:
    assert sum(path.stat().st_size for path in shipped("ddpm").parent.glob(f"*/{FILE}")) < 3_000_000
