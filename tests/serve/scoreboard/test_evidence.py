"""The pictures behind a figure are drawn as their records say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clevr_demo.objects import InputError
from clevr_demo.serve.scoreboard.board import Board, Choice
from clevr_demo.serve.scoreboard.evidence import PAGE, opened
from tests.fakes import fake_studio
from tests.serve.scoreboard.made import board, row, side


def test_pictures_are_drawn_with_links_and_other_verdicts_are_told(tmp_path: Path) -> None:
    *_, table = opened(fake_studio(), board(tmp_path), Choice("ddpm", 20, "test"), 0).draw(lambda: False)
    assert table.state == "done"
    assert table.title == "Pictures 1 to 6 of 6, failures first; 1 are not counted exact"
    first = table.pictures[0]
    assert first.query.startswith("v=1&objects=gray-cube,red-sphere,cyan-cylinder&seed=12&steps=20")
    assert table.told == [  # the fake judge sees all that is asked for
        "1 of 6 verdicts are not those of the records: they were drawn on another kind of processor, or by a GPU."
    ]


def test_further_pages_and_none_behind_nothing(tmp_path: Path) -> None:
    many = [row("ddpm", ["red cube"], seed) for seed in range(PAGE + 3)]
    found = Board.of([side("ddpm", many)], tmp_path)
    last = opened(fake_studio(), found, Choice("ddpm", 20), 1)
    *_, table = last.draw(lambda: False)
    assert last.others
    assert (len(table.pictures), table.told) == (3, [])
    with pytest.raises(InputError, match="no picture stands behind"):
        opened(fake_studio(), found, Choice("ddpm", 4), 0)
    with pytest.raises(InputError, match="no contender"):
        opened(fake_studio(), found, Choice("stranger", 4), 0)
    other = Board.of([side("ddpm", [replace(many[0], model="ddpm@other")])], tmp_path)
    with pytest.raises(InputError, match="weights have changed"):
        opened(fake_studio(), other, Choice("ddpm", 20), 0)
