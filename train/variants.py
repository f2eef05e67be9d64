"""Compares finished ACGAN runs, to choose the default by: one row a run in checkpoints/acgan/variants.csv.

    python -m train.variants --data data/iclevr runs/acgan-maps runs/acgan-weak-teacher

All figures are the teacher's, on the label sets of the held-out pictures, so that the judge chooses nothing: accuracy
and exact match of one picture each, Frechet distance to the held-out pictures and mean distance between 16 seeds of
one prompt, both on the teacher's features (see `train.diversity`). As the generators learn from the teacher, its
accuracy flatters them; the distances do so less.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from clevr_demo.acgan import load_acgan
from clevr_demo.checkpoints import ROOT, read_config, write_text
from clevr_demo.classifier import TeacherNetwork
from train.acgan import load_teacher
from train.benchmark import score
from train.data import Pictures, load_pictures, to_unit
from train.diversity import common_prompts, draw_all, frechet, reals_apart, seeds_apart
from train.options import clear_errors
from train.sampling import rows_of

PATH = ROOT / "acgan" / "variants.csv"
COLUMNS = ("variant", "pictures", "seed", "accuracy", "exact_match", "frechet", "pairwise")
REAL = "real pictures"


def labels_of(pictures: Pictures) -> list[list[int]]:
    return [row.nonzero().flatten().tolist() for row in pictures.labels]


def row(variant: str, training: dict[str, Any], scores: Sequence[float]) -> dict[str, str]:
    facts = {"variant": variant, "pictures": str(training["pictures_seen"]), "seed": str(training["seed"])}
    return facts | {name: f"{value:.3f}" for name, value in zip(COLUMNS[3:], scores, strict=True)}


@torch.inference_mode()
def measure(folder: Path, teacher: TeacherNetwork, held_out: Pictures, training: Pictures) -> dict[str, str]:
    """One run's row."""
    model, labels = load_acgan(folder), labels_of(held_out)
    pixels = draw_all(model, labels, range(len(labels)), steps=1)
    found = score(teacher(pixels).sigmoid(), labels)
    distance = frechet(teacher, to_unit(held_out.pixels), pixels)
    apart = seeds_apart(model, teacher, common_prompts(training), steps=1)
    return row(folder.name.removeprefix("acgan-"), read_config(folder)["training"], (*found, distance, apart))


@torch.inference_mode()
def floor(teacher: TeacherNetwork, held_out: Pictures, training: Pictures) -> dict[str, str]:
    """The same of real pictures: as many training pictures against the held-out ones."""
    real = to_unit(held_out.pixels)
    other = to_unit(training.pixels[torch.linspace(0, len(training) - 1, len(held_out)).long()])
    found = score(teacher(real).sigmoid(), labels_of(held_out))
    apart = reals_apart(teacher, training, common_prompts(training))
    return row(REAL, {"pictures_seen": "", "seed": ""}, (*found, frechet(teacher, real, other), apart))


def write(rows: Sequence[dict[str, str]]) -> None:
    lines = io.StringIO()
    writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(PATH, lines.getvalue())


@clear_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of finished runs")
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args(argv)
    training, held_out = load_pictures(options.data).split()
    teacher = load_teacher().eval().requires_grad_(False)
    found = {line["variant"]: line for line in rows_of(PATH)} | {REAL: floor(teacher, held_out, training)}
    for folder in options.runs:
        line = measure(folder, teacher, held_out, training)
        found[line["variant"]] = line
    write(list(found.values()))
    print(PATH.read_text())


if __name__ == "__main__":
    main()
