"""Writes the score tables of the README and the model cards from the checkpoints' own files.

    python -m train.cards            # rewrites what stands between <!-- scores --> and <!-- /scores -->
    python -m train.cards --check    # only says whether they are up to date (exit status 1 if not)

Numbers are never typed by hand: they come from metrics.json and config.json, which training and benchmark wrote.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import ROOT, write_text
from train import speed
from train.sampling import rows_of

BEGIN, END = "<!-- scores -->", "<!-- /scores -->"
REPORT = {"ddpm": ("0.847", "0.869"), "acgan": ("0.611", "0.631")}
PROMPTS = ("test", "new_test")
EXPERIMENTS = {  # of train.experiments, and their titles
    "width": "The width of the class embedding",
    "lambda": "Lambda fixed, or growing",
    "gradient": "The classifier's gradient flowing, or cut off as in the report's code",
}
FIGURES = {"curves": "", "pictures": "-grids"}


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def cell(scores: dict[str, Any], name: str) -> str:
    """Mean and standard deviation over the seeds, as in 0.912 ± 0.014, or a dash."""
    found = scores.get(name)
    return f"{found['mean']:.3f} ± {found['std']:.3f}" if found else "-"


def row(*cells: Any) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"


def trained(folder: Path) -> str:
    """What one line of a card says of the training run."""
    facts = read(folder / "config.json").get("training", {})
    if not facts:
        return "not trained yet"
    return f"{facts['pictures_seen']:,} pictures, {facts['hours']:.1f} h on {facts['device']}"


def overview(root: Path) -> str:
    """The README's table: both models on both prompt files beside the report's."""
    rows = [row("model", *(f"{measure}, {name}.json" for measure in ("accuracy", "exact match") for name in PROMPTS))]
    rows.append(row(*["---"] * 5))
    for model, claimed in REPORT.items():
        scores = [read(root / model / "metrics.json").get(name, {}) for name in PROMPTS]
        ours = [cell(found, column) for column in ("accuracy", "exact_match") for found in scores]
        rows.append(row(f"{model.upper()}, this project", *ours))
        rows.append(row(f"{model.upper()}, the course report", *claimed, "not given", "not given"))
    ceiling = read(root / "evaluator" / "metrics.json").get("held_out", {})
    if ceiling:
        seen = f"{ceiling['accuracy']:.3f}", f"{ceiling['exact_match']:.3f}"
        rows.append(row("real held-out pictures, by the same judge", seen[0], "", seen[1], ""))
    return "\n".join(rows)


def generator_table(folder: Path) -> str:
    """A generator's card: every scored prompt file with the command that made the numbers."""
    metrics = read(folder / "metrics.json")
    varied, timed = metrics.pop("diversity", None), metrics.pop("speed", None)
    rows = [row("prompts", "accuracy", "exact match", "teacher's accuracy", "seeds", "evaluations a picture")]
    rows.append(row(*["---"] * 6))
    for name, scores in metrics.items():
        cells = [cell(scores, column) for column in ("accuracy", "exact_match", "teacher_accuracy")]
        rows.append(row(name, *cells, scores["seeds"], scores["network_evaluations"]))
    commands = sorted({scores["command"] for scores in metrics.values()})
    judges = sorted({scores["judge"] for scores in metrics.values()})
    tail = [f"Weights `{name}`" for name in sorted({scores["model"] for scores in metrics.values()})]
    tail += [f"judged by `{name}`" for name in judges] + [f"made by `{command}`" for command in commands]
    parts = [f"Trained on {trained(folder)}.", "", *rows, "", "; ".join(tail) + ".", *diversity(varied)]
    if timed:
        parts += ["", speed.table(timed), "", "Made by `python -m train.benchmark --model ddpm --speed`."]
    return "\n".join(parts + sweep(folder / "sampling.csv") + variants(folder / "variants.csv") + experiments(folder))


def sweep(path: Path) -> list[str]:
    """The table of samplers, steps and guidance, if they were compared."""
    found = sorted(rows_of(path), key=lambda row: (int(row["evaluations"]), row["sampler"], float(row["guidance"])))
    if not found:
        return []
    names = ("evaluations", "sampler", "steps", "guidance", "interval", "accuracy", "exact_match", "prompts", "seeds")
    head = ["", "<details><summary>Accuracy by the teacher against network evaluations</summary>", ""]
    head += [row(*names), row(*["---"] * len(names))]
    return [*head, *(row(*(line[name] for name in names)) for line in found), "", "</details>"]


def variants(path: Path) -> list[str]:
    """The table that the ACGAN's default was chosen by, if there is one."""
    found = rows_of(path)
    if not found:
        return []
    head = ["", "### Variants compared", "", row(*found[0]), row(*["---"] * len(found[0]))]
    return [*head, *(row(*line.values()) for line in found), "", "Made by `python -m train.variants --data DIR RUNS`."]


def experiments(folder: Path) -> list[str]:
    """The figures and tables of the report's experiments, those that were run."""
    lines: list[str] = []
    for name, title in EXPERIMENTS.items():
        table = folder / "experiments" / f"{name}.md"
        if table.exists():
            lines += ["", f"### {title}", "", table.read_text(encoding="utf-8")]
            lines += [f"![{title}, {what}](experiments/{name}{end}.png)" for what, end in FIGURES.items()]
            lines += ["", f"Made by `python -m train.experiments {name}`."]
    return lines


def diversity(found: dict[str, Any] | None) -> list[str]:
    """Lines on how varied the pictures are, if that was measured."""
    if not found:
        return []
    distances = (
        f"Frechet distance on the judge's features to the {found['pictures']} held-out pictures: "
        f"{found['frechet']:.2f} (training pictures, which show other label sets: {found['frechet_floor']:.2f}). "
        f"Mean distance between 16 seeds of one prompt: "
        f"{found['pairwise']:.2f} (real pictures of one label set: {found['pairwise_real']:.2f})."
    )
    return ["", distances, f"Made by `{found['command']}` with `{found['model']}`."]


def classifier_table(folder: Path) -> str:
    found = read(folder / "metrics.json").get("held_out")
    rows = [f"Trained on {trained(folder)}.", "", "| held-out pictures | accuracy | exact match |", "|---|---|---|"]
    if found:
        rows.append(f"| {found['pictures']} | {found['accuracy']:.4f} | {found['exact_match']:.4f} |")
    return "\n".join(rows)


def tables(root: Path) -> dict[Path, str]:
    """File to the table that belongs between its markers."""
    found = {root.parent / "README.md": overview(root)}
    for model in REPORT:
        found[root / model / "README.md"] = generator_table(root / model)
    for classifier in ("evaluator", "teacher"):
        found[root / classifier / "README.md"] = classifier_table(root / classifier)
    return found


def filled(text: str, table: str) -> str:
    """The text with the table between its markers."""
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{table}\n{END}", text, flags=re.S)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a table is out of date")
    options = parser.parse_args(argv)
    stale = []
    for path, table in tables(ROOT).items():
        text = path.read_text(encoding="utf-8")
        wanted = filled(text, table)
        if wanted != text:
            stale.append(path.relative_to(ROOT.parent))
            if not options.check:
                write_text(path, wanted)
    if options.check and stale:
        sys.exit(f"out of date: {', '.join(map(str, stale))}; run python -m train.cards")


if __name__ == "__main__":
    main()
