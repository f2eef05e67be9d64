"""Tables of judged pictures."""

from __future__ import annotations

import pytest

from clevr_demo.serve.table import Table, score
from tests.serve.tables import FakeStudio, drawn, plan_of, verdict


def test_each_column_has_its_mean_and_the_legend_says_what_words_mean() -> None:
    payloads, _ = drawn(FakeStudio(), plan_of("ddpm", ("seed", "1-3"), ("steps", "4, 8")))
    assert payloads[-1]["foot"] == ["3 of 3 exact"] * 2
    assert payloads[-1]["legend"][0] == ["exact", "the judge finds every object once and nothing else"]
    assert payloads[0]["legend"] == []


def test_the_table_says_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table("t", ["a", "b"], ["c"], passes=300)
    assert table.status == "Drawing: 0 of 2 pictures, 300 network passes"
    clock = [table.started + 90]
    monkeypatch.setattr("clevr_demo.serve.table.time.monotonic", lambda: clock[0])
    table.spent = 50
    assert table.status == "Drawing: 0 of 2 pictures", "the first picture waits for more than itself"
    clock[0] += 10
    table.spent = 100
    assert table.status == "Drawing: 0 of 2 pictures, about 40 s to go"


def test_the_words_below_a_picture() -> None:
    names = ("red cube", "blue sphere")
    place = (0.0, 0.0)
    assert score(verdict(names, dict.fromkeys(names, place))) == "exact"
    assert score(verdict(names, {"red cube": place})) == "1 of 2"
    assert score(verdict(names, dict.fromkeys((*names, "gray cube"), place))) == "2 of 2 +1"
