"""The report's GAN experiments: each a command, two figures and a table, at the scale that the machine allows.

    python -m train.experiments width --data data/iclevr --epochs 60       # width of the class embedding
    python -m train.experiments lambda --data data/iclevr --epochs 60      # lambda fixed at 0.2, or growing to 0.5
    python -m train.experiments gradient --data data/iclevr --epochs 60    # the teacher's gradient flowing, or cut off
    python -m train.experiments width --only width-32 --data data/iclevr   # one of its runs, nothing drawn
    python -m train.experiments width --figure                             # only redraw, from the committed logs

Every run is the `report` preset with at most one setting changed; the experiments share the unchanged one. Runs
resume; Ctrl-C keeps what is done. Logs, scores, sample grids of the same epochs, the figures and the table go to
checkpoints/acgan/experiments. The judge scores the end of a run; it changes nothing in it.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import math
import shutil
import statistics
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import torch
from PIL import Image

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import clevr_demo
from clevr_demo.checkpoints import ROOT, read_config, write_text
from clevr_demo.generators.course import CourseGenerator, ReportGAN
from clevr_demo.objects import multi_hot
from train.data.batches import Examples
from train.data.iclevr import Pictures, find_prompts, load_pictures, load_prompts
from train.learning.counting import accuracy
from train.learning.course import REPORT, ReportPreset, ReportTask, load_teacher
from train.learning.loop import Run
from train.learning.options import between, clear_errors, positive
from train.measure.drawing import draw
from train.measure.tables import add_rows, markdown, read_csv, shown, spread

FOLDER = ROOT / "acgan" / "experiments"
WIDTHS = (32, 128, 1024)  # beside the report's 512
CURVES = {
    "teacher_accuracy": "teacher's accuracy",
    "d_adversarial": "discriminator loss",
    "g_adversarial": "generator loss",
}
GRIDS = 4  # sample grids a run, evenly spread
SHOWN = 134  # pixels of a sample grid that the figure shows: two rows of pictures
LOGS = 4  # rows of the log an epoch
LAST = 3  # rows at the end whose weights the judge scores, and that the table takes the mean of
SEEDS = 5
PROMPTS = ("test.json", "new_test.json")
SCORES = "scores.csv"

RUNS: dict[str, ReportPreset] = {
    "report": REPORT,
    **{
        f"width-{width}": dataclasses.replace(REPORT, model=dataclasses.replace(REPORT.model, label_width=width))
        for width in WIDTHS
    },
    "lambda-growing": dataclasses.replace(REPORT, lambda_to=0.5),
    "gradient-cut": dataclasses.replace(REPORT, cut_teacher=True),
}
EXPERIMENTS = {  # what a figure calls a run, and the run
    "width": {"width 32": "width-32", "width 128": "width-128", "width 512": "report", "width 1024": "width-1024"},
    "lambda": {"lambda fixed at 0.2": "report", "lambda growing from 0.2 to 0.5": "lambda-growing"},
    "gradient": {"teacher's gradient flowing": "report", "teacher's gradient cut off": "gradient-cut"},
}


class ScoredRun(Run):
    """A run whose generator the judge scores at the log's last rows."""

    prompts: Sequence[tuple[str, Sequence[tuple[int, ...]]]] = ()

    def log(self, bar: Any, started: float) -> None:
        super().log(bar, started)
        if self.settings.steps - self.position < LAST * self.settings.log_every:
            self.score()

    def score(self) -> None:
        """Adds a row of scores to the folder's table."""
        network = copy.deepcopy(self.exported())
        assert isinstance(network, ReportGAN)
        model, judge = CourseGenerator(network, self.folder.name, self.device), clevr_demo.load_evaluator()
        for name, prompts in self.prompts:
            drawn = [draw(model, prompts, seed, steps=1).pixels for seed in range(SEEDS)]
            right = [float(accuracy(judge.probabilities(pixels), multi_hot(prompts))) for pixels in drawn]
            found = spread(right)
            row = {"step": self.position, "prompts": name, "accuracy": found["mean"], "std": found["std"]}
            add_rows(self.folder / SCORES, [row], ("step", "prompts"))


def scaled(preset: ReportPreset, epochs: int, pictures: int, batch: int) -> ReportPreset:
    """The preset for so many epochs, logged `LOGS` times an epoch, with evenly spread sample grids."""
    steps = math.ceil(epochs * pictures / batch)
    loop = dataclasses.replace(
        preset.loop,
        pictures=steps * batch,
        batch=batch,
        log_every=max(1, pictures // batch // LOGS),
        sample_every=max(1, steps // GRIDS),
    )
    return dataclasses.replace(preset, loop=loop)


def train_run(name: str, data: Pictures, options: argparse.Namespace) -> bool:
    """Trains one run and keeps its log, settings, scores and grids; True when it is complete."""
    torch.manual_seed(0)
    preset = scaled(RUNS[name], options.epochs, len(data), options.batch)
    task = ReportTask(preset, data, load_teacher(options.teacher))
    run = ScoredRun(task, Examples(data), preset.loop, Path("runs") / "experiments" / name, options.compile)
    run.prompts = [(prompts, load_prompts(find_prompts(prompts, options.data))) for prompts in PROMPTS]
    done = run.train(options.max_minutes)
    kept = FOLDER / name
    kept.mkdir(parents=True, exist_ok=True)
    for file in ("log.csv", "config.json", SCORES):
        if (run.folder / file).exists():
            shutil.copy(run.folder / file, kept / file)
    for path in (run.folder / "samples").glob("*.png"):
        with Image.open(path) as grid:
            grid.crop((0, 0, grid.width, SHOWN)).save(kept / path.name)
    return done


def epoch_of(name: str) -> int:
    """Steps an epoch of a kept run."""
    return LOGS * read_config(FOLDER / name)["training"]["log_every"]


def scale(name: str) -> str:
    """What was done in a kept run: the words for the figure."""
    training = read_config(FOLDER / name)["training"]
    epochs = training["steps_done"] / epoch_of(name)
    return f"{epochs:.0f} epochs of 18,009 pictures (the report: 3,000), batch {training['batch']} (512), seed 0"


def draw_curves(experiment: str) -> None:
    """Draws FOLDER/experiment.png from the kept logs."""
    drawing, panels = plt.subplots(1, len(CURVES), figsize=(13, 3.6), layout="constrained")
    for variant, name in EXPERIMENTS[experiment].items():
        log = read_csv(FOLDER / name / "log.csv")
        epochs = [int(row["step"]) / epoch_of(name) for row in log]
        for panel, (column, title) in zip(panels, CURVES.items(), strict=True):
            panel.plot(epochs, [float(row[column]) for row in log], marker=".", label=variant)
            panel.set(xlabel="epoch", title=title)
    panels[0].legend(fontsize="small")
    drawing.suptitle(f"{experiment}: {scale(name)}", fontsize="medium")
    drawing.savefig(FOLDER / f"{experiment}.png", dpi=90)
    plt.close(drawing)


def draw_grids(experiment: str) -> None:
    """Draws FOLDER/experiment-grids.png: the same label sets and noise, a row a variant, a column an epoch."""
    variants = EXPERIMENTS[experiment]
    size = (4 * GRIDS, 1.4 * len(variants))
    drawing, panels = plt.subplots(len(variants), GRIDS, figsize=size, layout="constrained", squeeze=False)
    for row, (variant, name) in zip(panels, variants.items(), strict=True):
        for panel, path in zip(row, sorted((FOLDER / name).glob("*.png"))[:GRIDS], strict=False):
            panel.imshow(plt.imread(path))
            panel.set(xticks=[], yticks=[], title=f"epoch {int(path.stem) / epoch_of(name):.1f}")
        row[0].set_ylabel(textwrap.fill(variant, 16), fontsize="small")
    drawing.savefig(FOLDER / f"{experiment}-grids.png", dpi=80)
    plt.close(drawing)


def table(experiment: str) -> str:
    """The end of every variant's run, as a Markdown table."""
    header = ["variant", *CURVES.values(), *(f"judge's accuracy, {prompts}" for prompts in PROMPTS)]
    rows = []
    for variant, name in EXPERIMENTS[experiment].items():
        log, scores = read_csv(FOLDER / name / "log.csv")[-LAST:], read_csv(FOLDER / name / SCORES)
        means = [statistics.fmean(float(row[column]) for row in log) for column in CURVES]
        judged = [[shown(float(row["accuracy"])) for row in scores if row["prompts"] == one] for one in PROMPTS]
        rows.append([variant, *means, *map(", ".join, judged)])
    return markdown(header, rows) + "\n"


@clear_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=sorted(EXPERIMENTS))
    parser.add_argument("--data", type=Path, default=Path("data/iclevr"))
    parser.add_argument("--epochs", type=positive, default=60, help="the report ran 3,000")
    parser.add_argument("--batch", type=positive, default=512)
    parser.add_argument("--only", nargs="+", choices=sorted(RUNS), help="train these runs and draw nothing")
    parser.add_argument("--teacher", type=Path, help="the teacher's checkpoint folder (default: checkpoints/teacher)")
    parser.add_argument("--max-minutes", type=between(float, 0), default=math.inf, help="a run's time limit")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--dry-run", action="store_true", help="list the variants and stop")
    parser.add_argument("--figure", action="store_true", help="only redraw the figures and the table from the logs")
    options = parser.parse_args(argv)
    variants = EXPERIMENTS[options.experiment]
    if options.dry_run:
        return print("\n".join(variants))
    if not options.figure:
        data = load_pictures(options.data)
        for name in options.only or variants.values():
            if not train_run(name, data, options):
                return print("stopped; run the same command to go on")
    if options.only:
        return None
    draw_curves(options.experiment)
    draw_grids(options.experiment)
    write_text(FOLDER / f"{options.experiment}.md", table(options.experiment))
    return print(table(options.experiment))


if __name__ == "__main__":
    main()
