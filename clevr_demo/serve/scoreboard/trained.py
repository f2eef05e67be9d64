"""The course report's own GAN as `train.experiments` trained it here: runs that one setting tells apart, and what they
left.

    found = trained(ROOT / "acgan" / "experiments")      # {"width": {"width 32": Trained(...), ...}, ...}
    found["width"]["width 32"].curve("d_adversarial")    # [(epoch, loss), ...]
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from clevr_demo.checkpoints import CheckpointError, read_config
from clevr_demo.serve.wording import many

REPORT = "report"
"""The run without a change."""
EXPERIMENTS = {
    "width": {"width 32": "width-32", "width 128": "width-128", "width 512": REPORT, "width 1024": "width-1024"},
    "lambda": {"lambda fixed at 0.2": REPORT, "lambda growing from 0.2 to 0.5": "lambda-growing"},
    "gradient": {"teacher's gradient flowing": REPORT, "teacher's gradient cut off": "gradient-cut"},
}
"""What a figure calls a run, and the run."""
TITLES = {
    "width": "The width of the class embedding",
    "lambda": "Lambda fixed, or growing",
    "gradient": "The classifier's gradient flowing, or cut off as in the report's code",
}
CURVES = {
    "teacher_accuracy": "teacher's accuracy",
    "d_adversarial": "discriminator loss",
    "g_adversarial": "generator loss",
}
PROMPTS = ("test.json", "new_test.json")
LOGS = 4
"""Rows of the log an epoch."""
LAST = 3
"""Rows at the end whose weights the judge scores, and that figures take the mean of."""
GRIDS = 4
"""Sample grids a run, evenly spread."""
LOG, SCORES = "log.csv", "scores.csv"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Trained:
    """A run's folder, read as far as it is asked for: what is missing or broken there is an OSError, a CheckpointError,
    a KeyError or a ValueError."""

    folder: Path

    @cached_property
    def training(self) -> Mapping[str, int]:
        return read_config(self.folder)["training"]

    @cached_property
    def log(self) -> list[dict[str, str]]:
        return _rows(self.folder / LOG)

    def epoch(self, step: str | int) -> float:
        return int(step) / (LOGS * self.training["log_every"])

    @property
    def scale(self) -> str:
        """How long the run was, beside the report's own."""
        epochs, batch = round(self.epoch(self.training["steps_done"])), self.training["batch"]
        return f"{many(epochs, 'epoch')} of 18,009 pictures at batch {batch} (the report: 3,000 at 512)"

    def curve(self, column: str) -> list[tuple[float, float]]:
        """(epoch, value) of a column of the log."""
        return [(self.epoch(row["step"]), float(row[column])) for row in self.log]

    @cached_property
    def judged(self) -> dict[str, list[float]]:
        """The judge's accuracy on each prompt file, by the last rows' weights."""
        rows = _rows(self.folder / SCORES)
        return {name: [float(row["accuracy"]) for row in rows if row["prompts"] == name] for name in PROMPTS}

    @property
    def grids(self) -> dict[float, Path]:
        """Pictures of the same label sets and noise by the epoch after which they were drawn."""
        return {self.epoch(path.stem): path for path in sorted(self.folder.glob("*.png"))[:GRIDS]}

    @property
    def whole(self) -> bool:
        """Whether everything that figures show can be read."""
        try:
            return bool(all(self.curve(column) for column in CURVES) and all(self.judged.values()) and self.scale)
        except (OSError, CheckpointError, KeyError, ValueError, TypeError):
            return False


def trained(folder: Path) -> dict[str, dict[str, Trained]]:
    """The runs of each experiment that lie in a folder, without those that cannot be read."""
    found = {
        name: {told: one for told, run in runs.items() if (one := Trained(folder / run)).whole}
        for name, runs in EXPERIMENTS.items()
    }
    return {name: runs for name, runs in found.items() if runs}
