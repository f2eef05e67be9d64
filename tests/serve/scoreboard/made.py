"""Made records of two contenders, and made runs of the report's GAN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from clevr_demo.objects import index_of
from clevr_demo.records import Record
from clevr_demo.serve.scoreboard.board import Board, Side
from clevr_demo.serve.scoreboard.trained import CURVES, SCORES
from clevr_demo.serve.scoreboard.trained import PROMPTS as FILES


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


def kept_run(folder: Path, accuracy: float, judged: str = "0.{step}") -> None:
    """What a finished run of the report's GAN leaves after forty steps, an epoch, logged every ten; `judged` is the
    judge's accuracy after a step."""
    folder.mkdir(parents=True, exist_ok=True)
    curves = "".join(f"{step},{accuracy},{step / 10},0.5\n" for step in (10, 20, 30, 40))
    (folder / "log.csv").write_text(f"step,{','.join(CURVES)}\n{curves}")
    scores = "".join(f"{step},{name},{judged.format(step=step)},0.01\n" for step in (30, 40) for name in FILES)
    (folder / SCORES).write_text("step,prompts,accuracy,std\n" + scores)
    training = {"steps_done": 40, "log_every": 10, "batch": 8}
    (folder / "config.json").write_text(json.dumps({"training": training}))
    for step in (10, 20, 30, 40):
        Image.new("RGB", (64, 32)).save(folder / f"{step:08d}.png")
