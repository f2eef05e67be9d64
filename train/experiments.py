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
from clevr_demo.checkpoints import CONFIG, ROOT, write_text
from clevr_demo.generators.course import CourseGenerator, ReportGAN
from clevr_demo.objects import multi_hot
from clevr_demo.serve.scoreboard.trained import CURVES, EXPERIMENTS, GRIDS, LAST, LOG, LOGS, PROMPTS, SCORES, Trained
from clevr_demo.serve.scoreboard.trained import REPORT as UNCHANGED
from train.data.batches import Examples
from train.data.iclevr import Pictures, find_prompts, load_pictures, load_prompts
from train.learning.counting import accuracy
from train.learning.course import REPORT, ReportPreset, ReportTask, load_teacher
from train.learning.loop import Run
from train.learning.options import between, clear_errors, positive
from train.measure.drawing import draw
from train.measure.tables import add_rows, markdown, shown, spread

FOLDER = ROOT / "acgan" / "experiments"
WIDTHS = (32, 128, 1024)  # beside the report's 512
SHOWN = 134  # pixels of a sample grid that the figure shows: two rows of pictures
SEEDS = 5

RUNS: dict[str, ReportPreset] = {
    UNCHANGED: REPORT,
    **{
        f"width-{width}": dataclasses.replace(REPORT, model=dataclasses.replace(REPORT.model, label_width=width))
        for width in WIDTHS
    },
    "lambda-growing": dataclasses.replace(REPORT, lambda_to=0.5),
    "gradient-cut": dataclasses.replace(REPORT, cut_teacher=True),
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
    for file in (LOG, CONFIG, SCORES):
        if (run.folder / file).exists():
            shutil.copy(run.folder / file, kept / file)
    for path in (run.folder / "samples").glob("*.png"):
        with Image.open(path) as grid:
            grid.crop((0, 0, grid.width, SHOWN)).save(kept / path.name)
    return done


def draw_curves(experiment: str) -> None:
    """Draws FOLDER/experiment.png from the kept logs."""
    drawing, panels = plt.subplots(1, len(CURVES), figsize=(13, 3.6), layout="constrained")
    for variant, name in EXPERIMENTS[experiment].items():
        run = Trained(FOLDER / name)
        for panel, (column, title) in zip(panels, CURVES.items(), strict=True):
            panel.plot(*zip(*run.curve(column), strict=True), marker=".", label=variant)
            panel.set(xlabel="epoch", title=title)
    panels[0].legend(fontsize="small")
    drawing.suptitle(f"{experiment}: {run.scale}, seed 0", fontsize="medium")
    drawing.savefig(FOLDER / f"{experiment}.png", dpi=90)
    plt.close(drawing)


def draw_grids(experiment: str) -> None:
    """Draws FOLDER/experiment-grids.png: the same label sets and noise, a row a variant, a column an epoch."""
    variants = EXPERIMENTS[experiment]
    size = (4 * GRIDS, 1.4 * len(variants))
    drawing, panels = plt.subplots(len(variants), GRIDS, figsize=size, layout="constrained", squeeze=False)
    for row, (variant, name) in zip(panels, variants.items(), strict=True):
        for panel, (epoch, path) in zip(row, Trained(FOLDER / name).grids.items(), strict=False):
            panel.imshow(plt.imread(path))
            panel.set(xticks=[], yticks=[], title=f"epoch {epoch:.1f}")
        row[0].set_ylabel(textwrap.fill(variant, 16), fontsize="small")
    drawing.savefig(FOLDER / f"{experiment}-grids.png", dpi=80)
    plt.close(drawing)


def table(experiment: str) -> str:
    """The end of every variant's run, as a Markdown table."""
    header = ["variant", *CURVES.values(), *(f"judge's accuracy, {prompts}" for prompts in PROMPTS)]
    rows = []
    for variant, name in EXPERIMENTS[experiment].items():
        run = Trained(FOLDER / name)
        means = [statistics.fmean(value for _, value in run.curve(column)[-LAST:]) for column in CURVES]
        rows.append([variant, *means, *(", ".join(map(shown, run.judged[prompts])) for prompts in PROMPTS)])
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
