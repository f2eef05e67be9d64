"""The scoreboard's figures are the records', and each opens the pictures that it counts."""

from __future__ import annotations

import csv
import html
import re
from pathlib import Path

import pytest

from clevr_demo.checkpoints import write_metrics
from clevr_demo.models import Contender
from clevr_demo.objects import InputError, index_of
from clevr_demo.records import write
from clevr_demo.serve.scoreboard.board import Board, Choice, board_of
from clevr_demo.serve.scoreboard.confusions import number_found, seen_as
from clevr_demo.serve.scoreboard.table import table_csv
from clevr_demo.serve.scoreboard.whole import markup
from tests.serve.scoreboard.made import board, row, rows, side


def test_figures_are_counted_from_the_rows(tmp_path: Path) -> None:
    found = board(tmp_path)
    line = found.table["test"]
    assert line.scores["ddpm"]["exact"].mean == line.scores["acgan"]["exact"].mean == 5 / 6
    assert line.scores["ddpm"]["accuracy"].mean == 11 / 12
    assert (line.scores["ddpm"]["number"].mean, line.scores["acgan"]["number"].mean) == (1, 5 / 6)
    assert line.apart["exact"].mean == 0
    assert not line.apart["exact"].shows
    assert [(one.model, one.passes, one.seconds) for one in found.costs] == [
        ("ddpm", 4, 0.02), ("ddpm", 20, 0.1), ("acgan", 1, 0.1),
    ]  # fmt: skip
    assert found.numbers(found.sides[0])[3].mean == 0.5
    assert found.objects(found.sides[0])[index_of("red sphere")].mean == 0.5
    assert found.confusions(found.sides[0], "colour")["red", "blue"] == 1
    assert found.confusions(found.sides[1], "number")[3, 4] == 1


def test_an_object_too_many_stands_for_the_missing_one_that_it_is_likest_to() -> None:
    asked = ["red sphere", "blue cube", "green cylinder"]
    one = row("ddpm", asked, missing=["red sphere", "blue cube"], extra=["gray cube", "yellow sphere"])
    names = {("red sphere", "yellow sphere"), ("blue cube", "gray cube"), ("green cylinder", "green cylinder")}
    assert set(seen_as(one)) == {(index_of(asked), index_of(seen)) for asked, seen in names}
    assert number_found(one) == 3
    lost = row("ddpm", ["red sphere"], missing=["red sphere"])
    assert seen_as(lost) == [(index_of("red sphere"), None)]
    assert number_found(lost) == 0


def test_every_button_opens_the_pictures_that_it_counts(tmp_path: Path) -> None:
    found = board(tmp_path)
    buttons = re.findall(r'data-choice="([^"]+)" title="([^"]+)"', markup(found))
    assert len(buttons) == 52
    for query, label in buttons:
        choice = Choice.of(html.unescape(query))
        pictures = found.chosen(choice)
        assert pictures, label
        exact = [one.exact for _, one in pictures]
        if not choice.against and choice.wanted < 0:
            assert exact == sorted(exact), "failures first"
        if counted := re.search(r"(\d+) of \d+\. Opens", html.unescape(label)):
            assert len(pictures) <= int(counted[1]), label
            assert len(pictures) == int(counted[1]) or choice.swap, "a picture may hold several reds"


def test_the_gallery_has_of_every_set_the_worst_with_what_went_wrong_and_its_link(tmp_path: Path) -> None:
    two, three = ["red cube", "blue sphere"], ["red cube", "blue sphere", "gray cube"]
    bad = [
        row("ddpm", two, 1, missing=["red cube"]),
        row("ddpm", three, 2, missing=["gray cube"], extra=["gray sphere", "gray sphere"]),
        row("ddpm", two, 3, prompts="four", doubled=["blue sphere"]),
        row("ddpm", [*three, "cyan cube", "cyan sphere", "green cube", "green sphere"], 4, missing=three),
    ]
    found = Board.of([side("ddpm", [*rows("ddpm"), *bad]), side("acgan", rows("acgan"))], tmp_path)
    page = markup(found)
    told = re.findall(r'<li><a href="([^"]+)".*?<b>(.*?)</b>', page)
    assert [html.unescape(sentence) for _, sentence in told] == [
        "2 of 3 drawn: gray cube missing, also gray sphere twice", "2 drawn, but blue sphere twice"
    ]  # fmt: skip
    assert html.unescape(told[0][0]).startswith("?v=1&objects=gray-cube,red-cube,blue-sphere&seed=2&steps=20")
    assert "ddpm=00000000&acgan=11111111" in html.unescape(told[0][0])
    choice = Choice.of(html.unescape(re.findall(r'data-choice="([^"]*worst[^"]*)"', page)[0]))
    assert [one.seed for _, one in found.chosen(choice)] == [2, 3]
    assert "ACGAN</h4><p>No failure" in page


def test_the_pairs_behind_a_difference_are_those_that_one_alone_draws(tmp_path: Path) -> None:
    only = [*rows("acgan", doubled=["gray cube"])[:-1], row("acgan", ["cyan cylinder", "gray cube", "red sphere"], 12)]
    ddpm = side("ddpm", rows("ddpm", missing=["red sphere"]))
    found = Board.of([ddpm, side("acgan", only)], tmp_path)
    pairs = found.chosen(ddpm.choice(prompts="test", against="acgan"))
    assert [(name, one.seed, one.exact) for name, one in pairs] == [("ddpm", 12, False), ("acgan", 12, True)]


@pytest.mark.parametrize("query", ["model=ddpm", "model=ddpm&steps=x", "nothing", "model=ddpm&steps=4&more=1"])
def test_a_foreign_choice_is_one_sentence(query: str) -> None:
    with pytest.raises(InputError, match="no figure of this page"):
        Choice.of(query)


def test_without_records_the_page_says_what_makes_them(tmp_path: Path) -> None:
    contenders = {name: Contender(name, name, tmp_path / name) for name in ("ddpm", "acgan")}
    marks = {"ddpm": "0" * 8, "acgan": "1" * 8}
    page = markup(board_of(contenders, marks.__getitem__))
    assert "python -m train.measure scores --model ddpm" in page
    assert "data-choice" not in page
    (tmp_path / "ddpm").mkdir()
    write(tmp_path / "ddpm", rows("ddpm", missing=["red sphere"]))
    half = markup(board_of(contenders, marks.__getitem__))
    assert "python -m train.measure scores --model acgan" in half
    assert "Both have to be measured" in half
    assert "data-choice" in half
    marks["ddpm"] = "2" * 8
    other = board_of(contenders, marks.__getitem__)
    assert [one.name for one in other.lacking] == ["ddpm", "acgan"], "records of other weights are none"


def test_the_csv_has_every_figure_with_real_pictures_and_others(tmp_path: Path) -> None:
    bound = {"exact": {"mean": 0.98, "low": 0.97, "high": 0.99}, "accuracy": {"mean": 0.99, "low": 0.98, "high": 1.0}}
    write_metrics(tmp_path / "detector", {"bounds": {"rows": {"real": bound | {"pictures": 9}}}})
    found = board(tmp_path)
    lines = list(csv.DictReader(table_csv(found).splitlines()))
    said = {(one["prompts"], one["who"], one["measure"]): one["mean"] for one in lines}
    assert said["test", "ddpm", "exact"] == "0.8333"
    assert said["test", "ddpm - acgan", "exact"] == "0.0"
    assert said["real", "", "exact"] == "0.98"
    assert said["new_test", "the course report's DDPM", "accuracy"] == "0.869"
    assert "real held-out pictures" not in markup(found)
    assert ">real 0.990<" in markup(found), "the ceiling is a line of the chart"
