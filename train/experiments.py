"""The report's GAN experiments: each a command, a figure and a table, at the scale that the machine allows.

    python -m train.experiments width --data data/iclevr --epochs 60       # width of the class embedding
    python -m train.experiments lambda --data data/iclevr --epochs 60      # lambda fixed at 0.2, or growing to 0.5
    python -m train.experiments gradient --data data/iclevr --epochs 60    # the teacher's gradient flowing, or cut off
    python -m train.experiments width --figure                             # only redraw, from the committed logs

Every variant is the `report` preset with one setting changed. Runs resume; Ctrl-C keeps what is done. Logs, sample
grids at the same epochs, the figure and the table go to checkpoints/acgan/experiments.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import torch

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from clevr_demo.checkpoints import ROOT, read_config, write_text
from train.acgan import REPORT, ACGANPreset, ACGANTask, load_teacher
from train.data import Pictures, load_pictures
from train.loop import Run
from train.options import clear_errors

FOLDER = ROOT / "acgan" / "experiments"
WIDTHS = (32, 128, 512, 1024)
CURVES = {
    "teacher_accuracy": "teacher's accuracy",
    "d_adversarial": "discriminator loss",
    "g_adversarial": "generator loss",
}
GRIDS = 4  # sample grids a run, evenly spread
LAST = 0.1  # the table's share of a run that counts as its end

EXPERIMENTS: dict[str, dict[str, ACGANPreset]] = {
    "width": {
        f"width {width}": dataclasses.replace(REPORT, model=dataclasses.replace(REPORT.model, label_width=width))
        for width in WIDTHS
    },
    "lambda": {
        "lambda fixed at 0.2": REPORT,
        "lambda growing from 0.2 to 0.5": dataclasses.replace(REPORT, lambda_to=0.5),
    },
    "gradient": {
        "teacher's gradient flowing": REPORT,
        "teacher's gradient cut off": dataclasses.replace(REPORT, cut_teacher=True),
    },
}


def slug(variant: str) -> str:
    return variant.replace("'s", "").replace(" ", "-")


def scaled(preset: ACGANPreset, epochs: int, pictures: int, batch: int) -> ACGANPreset:
    """The preset for so many epochs, logged once an epoch, with evenly spread sample grids."""
    steps = math.ceil(epochs * pictures / batch)
    loop = dataclasses.replace(
        preset.loop,
        pictures=steps * batch,
        batch=batch,
        log_every=max(1, pictures // batch),
        sample_every=max(1, steps // GRIDS),
    )
    return dataclasses.replace(preset, loop=loop)


def run_variant(variant: str, preset: ACGANPreset, data: Pictures, options: argparse.Namespace) -> bool:
    """Trains one variant and keeps its log, settings and grids; True when it is complete."""
    torch.manual_seed(0)
    task = ACGANTask(preset, data, load_teacher(options.teacher))
    run = Run(task, data, preset.loop, Path("runs") / "experiments" / slug(variant), options.compile)
    done = run.train(options.max_minutes)
    kept = FOLDER / slug(variant)
    kept.mkdir(parents=True, exist_ok=True)
    for name in ("log.csv", "config.json"):
        shutil.copy(run.folder / name, kept / name)
    for grid in (run.folder / "samples").glob("*.png"):
        shutil.copy(grid, kept / grid.name)
    return done


def read_log(path: Path) -> dict[str, list[float]]:
    """Columns of a log.csv."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def scale_of(folder: Path) -> tuple[float, str]:
    """(pictures an epoch, what was done) of one run: the words for the figure."""
    training = read_config(folder)["training"]
    epoch = training["batch"] * training["log_every"]
    done = f"{training['pictures_seen'] / epoch:.0f} epochs, batch {training['batch']}, {training['device']}"
    return epoch, done


def figure(experiment: str) -> None:
    """Draws FOLDER/experiment.png from the kept logs."""
    drawing, panels = plt.subplots(1, len(CURVES), figsize=(13, 3.6), layout="constrained")
    scale = ""
    for variant in EXPERIMENTS[experiment]:
        folder = FOLDER / slug(variant)
        epoch, scale = scale_of(folder)
        log = read_log(folder / "log.csv")
        for panel, (column, title) in zip(panels, CURVES.items(), strict=True):
            panel.plot([seen / epoch for seen in log["pictures"]], log[column], label=variant)
            panel.set(xlabel="epoch", title=title)
    panels[0].legend(fontsize="small")
    drawing.suptitle(f"{experiment}: {scale}", fontsize="medium")
    drawing.savefig(FOLDER / f"{experiment}.png", dpi=90)
    plt.close(drawing)


def table(experiment: str) -> str:
    """The last tenth of every variant's run, as a Markdown table."""
    lines = [f"| variant | {' | '.join(CURVES.values())} |", f"|{'---|' * (len(CURVES) + 1)}"]
    for variant in EXPERIMENTS[experiment]:
        log = read_log(FOLDER / slug(variant) / "log.csv")
        last = max(1, round(LAST * len(log["step"])))
        means = [sum(log[column][-last:]) / last for column in CURVES]
        lines.append(f"| {variant} | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    return "\n".join(lines) + "\n"


@clear_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=sorted(EXPERIMENTS))
    parser.add_argument("--data", type=Path, default=Path("data/iclevr"))
    parser.add_argument("--epochs", type=int, default=60, help="the report ran 3,000")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--teacher", type=Path, help="the teacher's checkpoint folder (default: checkpoints/teacher)")
    parser.add_argument("--max-minutes", type=float, default=math.inf, help="a variant's time limit")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--dry-run", action="store_true", help="list the variants and stop")
    parser.add_argument("--figure", action="store_true", help="only redraw the figure and the table from the logs")
    options = parser.parse_args(argv)
    variants = EXPERIMENTS[options.experiment]
    if options.dry_run:
        return print("\n".join(variants))
    if not options.figure:
        data = load_pictures(options.data)
        for variant, preset in variants.items():
            if not run_variant(variant, scaled(preset, options.epochs, len(data), options.batch), data, options):
                return print("stopped; run the same command to go on")
    figure(options.experiment)
    write_text(FOLDER / f"{options.experiment}.md", table(options.experiment))
    return print(table(options.experiment))


if __name__ == "__main__":
    main()
