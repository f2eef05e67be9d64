"""Made records of two contenders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clevr_demo.objects import index_of
from clevr_demo.records import Record
from clevr_demo.serve.scoreboard.board import Board, Side


def row(model: str, objects: list[str], seed: int = 0, **changes: Any) -> Record:
    """A picture that is counted exact, unless `changes` say otherwise; names stand for indices."""
    steps = 20 if model == "ddpm" else 0
    asked = tuple(sorted(map(index_of, objects)))
    mark = "0" * 8 if model == "ddpm" else "1" * 8
    facts: dict[str, Any] = {
        "model": f"{model}@{mark}", "judge": "judge@1", "prompts": "test", "digest": "d", "steps": steps,
        "sampler": "dpm" if steps else "", "seed": seed, "objects": asked, "at": (), "exact": True, "missing": (),
        "extra": (), "doubled": (), "hits": len(asked), "teacher": len(asked), "off": (), "seconds": 0.1,
    }  # fmt: skip
    for part in ("missing", "extra", "doubled"):
        if part in changes:
            changes[part] = tuple(map(index_of, changes[part]))
            changes.setdefault("exact", False)
    return Record(**facts | changes)


def side(model: str, rows: list[Record]) -> Side:
    steps = 20 if model == "ddpm" else 0
    return Side(model, model.upper(), ("0" if model == "ddpm" else "1") * 8, steps, tuple(rows))


PROMPTS = [["red cube"], ["red cube", "blue sphere"], ["cyan cylinder", "gray cube", "red sphere"]]


def rows(model: str, **failure: Any) -> list[Record]:
    """Each prompt from two seeds, the last of which fails in the way that is said."""
    found = [row(model, prompt, 10 * repeat + place) for repeat in (0, 1) for place, prompt in enumerate(PROMPTS)]
    return [*found[:-1], row(model, PROMPTS[-1], 12, hits=2, **failure)]


def board(root: Path) -> Board:
    """The DDPM draws a blue sphere for a red one once, in four steps everything; the ACGAN once an object too many."""
    four = [row("ddpm", prompt, place, steps=4, seconds=0.02) for place, prompt in enumerate(PROMPTS)]
    ddpm = side("ddpm", [*rows("ddpm", missing=["red sphere"], extra=["blue sphere"]), *four])
    return Board.of([ddpm, side("acgan", rows("acgan", doubled=["gray cube"]))], root)
