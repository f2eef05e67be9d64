"""Fills README and model cards (Mitchell et al. 2019, arXiv:1810.03993) with what was measured.

    python -m train.measure cards            # rewrites what stands between markers such as <!-- scores -->
    python -m train.measure cards --check    # only says whether all is up to date (exit status 1 if not)

Numbers are never typed by hand: they come from the metrics.json, config.json and CSV files beside the weights. A card
is Markdown; between `<!-- NAME -->` and `<!-- /NAME -->` stands what the measure of that name found, with the weights
and the command. `<!-- training -->` tells of the run, `<!-- held-out -->` and `<!-- reliability -->` what a judge's
trainer found, `<!-- experiments -->` of the report's experiments, `<!-- players -->` of the gap between a GAN's two,
`<!-- curves -->` of how a loss fell; in the README, `<!-- scores -->` and `<!-- training -->` hold all models.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import CONFIG, WEIGHTS, fingerprint, read_config, read_metrics, write_text
from clevr_demo.models import MODELS
from clevr_demo.request import PAIR
from clevr_demo.serve.scoreboard.trained import TITLES
from train.measure import anywhere, bounds, compare
from train.measure.job import Job, Measure
from train.measure.prompts import ANYWHERE, FILES
from train.measure.tables import DASH, markdown, read_csv, shown

BLOCK = re.compile(r"<!-- ([a-z-]+) -->\n.*?<!-- /\1 -->", flags=re.S)
CLAIMED = {"ddpm": "0.847 / 0.869", "acgan": "0.611 / 0.631"}  # by the course report: accuracy on both prompt files
FIGURES = {"curves": "", "pictures": "-grids"}
PAINTING = {  # columns of a painter's log, and what they say
    "gap_window": "windows: gap of logits",
    "gap_patch": "patches: gap of logits",
    "g_named": "classifier's loss on drawn windows",
    "g_distance": "distance to the training window",
}
PLAYERS: dict[str, dict[str, str]] = {  # of each log; a painter's may be of the run that its last one started from, too
    "log-where.csv": {"gap": "layouts: gap of logits"},
    "log-what-start.csv": {column: f"the run before, {title}" for column, title in PAINTING.items()},
    "log-what.csv": PAINTING,
}
LOSSES: dict[str, dict[str, str]] = {  # of each log without an adversary
    "log-where.csv": {"loss": "layouts: loss"},
    "log-what.csv": {"loss": "pixels: weighted loss", "mse_1": "error at little noise", "mse_4": "at much"},
    "log-fast-start.csv": {"loss": "distilled, the run before: loss"},
    "log-fast.csv": {"loss": "distilled, last run: loss"},
    "log-start.csv": {"heat": "the run before: loss on the heat maps", "offset": "on the offsets"},
    "log.csv": {"heat": "last run: loss on the heat maps", "offset": "on their offsets"},
}
PARTS = 10  # of a run, a row each
STAGE_WORDS = {
    "where": "the planner (where) was ",
    "what": "the painter (what) was ",
    "fast": "the distilled painter was ",
}
NOTHING = "Not measured yet."


def signed_in(found: Any) -> Iterator[Mapping[str, Any]]:
    """Everything in an entry that a command made and signed."""
    if isinstance(found, Mapping):
        if "command" in found:
            yield found
        else:
            for value in found.values():
                yield from signed_in(value)


def weights_of(folder: Path) -> str:
    """The fingerprint of the weights that lie in a folder, or nothing."""
    return fingerprint(folder) if (folder / WEIGHTS).is_file() and (folder / CONFIG).is_file() else ""


def provenance(folder: Path, found: Any) -> str:
    """Which weights, which judge, which commands; weights that lie there no longer are called earlier ones."""
    entries, present = list(signed_in(found)), weights_of(folder)

    def names(field: str) -> list[str]:
        return sorted({entry[field] for entry in entries if entry.get(field)})

    parts = [f"{'weights' if name.endswith(f'@{present}') else 'earlier weights'} `{name}`" for name in names("model")]
    parts += [f"judged by `{name}`" for name in names("judge")] + [f"made by `{name}`" for name in names("command")]
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def training(folder: Path) -> str:
    """One line on the run that made the weights, or on each stage's."""
    facts = read_config(folder).get("training", {}) if (folder / CONFIG).is_file() else {}
    if not facts:
        return "Not trained yet."
    stages = {"": facts} if "pictures_seen" in facts else facts
    text = "; ".join(f"{STAGE_WORDS.get(stage, '')}trained {told(facts)}" for stage, facts in stages.items())
    return f"{text[:1].upper()}{text[1:]}."


def told(facts: Mapping[str, Any]) -> str:
    """How long a run was, after the one that it started from, or the several whose mean it took."""
    if several := facts.get("mean of"):
        return f"as the mean of {len(several)}, one {' and one '.join(told(one) for one in several)}"
    before = told(facts["start"]) if facts.get("start") else ""
    preset = facts.get("preset") or {}
    if before and not preset.get("rate", preset.get("players", {}).get("generator_rate", 1)):
        return before  # it only took weights over
    hours = f"{facts['hours']:.1f} h" if facts["hours"] > 0.3 else f"{60 * facts['hours']:.0f} minutes"
    return f"{before}{', then ' if before else ''}on {facts['pictures_seen']:,} examples, {hours} on {facts['device']}"


def trainings(root: Path) -> str:
    """The README's list of the runs that made each model."""
    return "\n".join(f"- {model.title}: {training(root / kind)}" for kind, model in MODELS.items())


def held_out(folder: Path) -> str:
    """What a classifier's trainer found on the held-out pictures."""
    found = read_metrics(folder).get("held_out")
    if not found:
        return NOTHING
    rows: list[tuple[str, Any]] = []
    for name, value in found.items():
        several = dict(enumerate(value, start=1)) if isinstance(value, list) else value
        parts = several.items() if isinstance(several, Mapping) else [("", several)]
        rows += [(f"{name.replace('_', ' ')} {part}".strip(), score) for part, score in parts]
    return markdown(["on the held-out pictures", ""], rows, 4)


def reliability(folder: Path) -> str:
    """How often what a classifier said with a probability was so, once calibrated."""
    metrics = read_metrics(folder)
    found = metrics.get("reliability")
    if not found:
        return NOTHING
    rows = [[row["answers"], row["said"], row["so"]] for row in found["calibrated"]["curve"]]
    before, after = (found[name]["calibration_error"] for name in ("uncalibrated", "calibrated"))
    words = f"Temperature {metrics['temperature']:g}; calibration error {after:g}, without it {before:g}."
    return f"{markdown(['answers', 'said', 'so'], rows)}\n\n{words}"


def experiments(folder: Path) -> str:
    """The figures and tables of the report's experiments, those that were run."""
    parts: list[str] = []
    for name, title in TITLES.items():
        table = folder / "experiments" / f"{name}.md"
        if table.exists():
            parts += [f"### {title}", table.read_text(encoding="utf-8").strip()]
            parts += [f"![{title}, {what}](experiments/{name}{end}.png)" for what, end in FIGURES.items()]
            parts += [f"Made by `python -m train.experiments {name}`."]
    return "\n\n".join(parts) or NOTHING


def curves(files: Mapping[str, Mapping[str, str]], folder: Path) -> str:
    """The means of columns of a folder's logs, from the first to the last part of each run."""
    columns: dict[str, list[float]] = {}
    for file, names in files.items():
        log = read_csv(folder / file) if (folder / file).is_file() else []
        if len(log) < PARTS:
            continue
        cuts = [len(log) * part // PARTS for part in range(PARTS + 1)]
        for name, title in names.items():
            values = [float(row[name]) for row in log]
            columns[title] = [statistics.fmean(values[a:b]) for a, b in pairwise(cuts)]
    rows = [[f"{100 // PARTS * (part + 1)} %", *(found[part] for found in columns.values())] for part in range(PARTS)]
    return markdown(["run, up to", *columns], rows, 4) if columns else NOTHING


def both(scores: Mapping[str, Any], column: str, entries: Sequence[str]) -> str:
    """A cell of the README: the scores on both prompt files."""
    return " / ".join(shown(scores.get(entry, {}).get(column)) for entry in entries)


def model_row(title: str, metrics: Mapping[str, Any], variant: str = "") -> list[str]:
    """A model's line of the README."""
    scores, entries = metrics.get("scores", {}), [f"{name}{variant}" for name in FILES]
    drawn, given = (
        metrics.get(f"{measure}{variant}", {}).get("rows", {}).get(row, {})
        for measure, row in (("realism", "drawn"), (ANYWHERE, anywhere.ALL))
    )
    cells = [both(scores, column, entries) for column in ("exact", "number", "accuracy")]
    return [
        f"{title}, this project{variant}",
        *cells,
        shown(given.get("exact")),
        *(shown(drawn.get(f"{part} 64 ratio"), 2) for part in ("whole", "crops")),
    ]


def overview(root: Path) -> str:
    """The README's table: the models beside the report's and beside real pictures."""
    header = ["", "counted exact", "right number", "accuracy", "exact anywhere", "realism, whole", "realism, objects"]
    rows: list[list[str]] = []
    for kind, model in MODELS.items():
        metrics = read_metrics(root / kind)
        variants = ["", *(name.removeprefix("realism") for name in metrics if name.startswith("realism, "))]
        rows += [model_row(model.title, metrics, variant) for variant in variants]
        if kind in CLAIMED:
            rows.append([f"{model.title}, the course report", DASH, DASH, CLAIMED[kind], *[DASH] * 3])
    scenes = anywhere.real(root)
    for name, real in bounds.rows(root).items():
        realism = "1" if name == bounds.CEILING else DASH
        given = scenes.get(anywhere.ALL, {}).get("exact") if name == bounds.CEILING else None
        columns = [shown(real[column]) for column in ("exact", "number", "accuracy")]
        rows.append([name, *columns, shown(given), *[realism] * 2])
    return f"{markdown(header, rows)}{apart(root)}"


def apart(root: Path) -> str:
    """The table of differences between the usual two; nothing before both have records."""
    found = compare.table(*(compare.rows_of(root / kind) for kind in PAIR))
    titles = " - ".join(MODELS[kind].title for kind in PAIR)
    return f"\n\n{titles}, over pictures of the same prompts and seeds:\n\n{found}" if found else ""


def model_block(measure: Measure) -> Callable[[Path], str]:
    """What stands in a card between the markers of a measure's name."""

    def block(folder: Path) -> str:
        entries = read_metrics(folder).items()  # "realism", "realism, 4 steps"
        found = {entry: what for entry, what in entries if entry.partition(", ")[0] == measure.name}
        if not found or not measure.card:
            return NOTHING
        return f"{measure.card(folder, found)}\n\n{provenance(folder, found)}".strip()

    return block


def filled(text: str, blocks: Mapping[str, Callable[[Path], str]], folder: Path) -> str:
    """The text with every block of a known name made anew."""

    def made(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- {name} -->\n{blocks[name](folder)}\n<!-- /{name} -->" if name in blocks else match[0]

    return BLOCK.sub(made, text)


def pages(root: Path, measures: Sequence[Measure]) -> dict[Path, str]:
    """Every page with blocks, as it should read."""
    blocks = {measure.name: model_block(measure) for measure in measures if measure.card}
    blocks |= {"training": training, "held-out": held_out, "reliability": reliability, "experiments": experiments}
    blocks |= {"players": partial(curves, PLAYERS), "curves": partial(curves, LOSSES)}
    found = {card: (blocks, card.parent) for card in sorted(root.glob("*/README.md"))}
    readme = root.parent / "README.md"
    if readme.exists():
        found[readme] = ({"scores": overview, "training": trainings}, root)
    return {page: filled(page.read_text(encoding="utf-8"), *how) for page, how in found.items()}


def measure(numbers: Sequence[Measure]) -> Measure:
    """The measure that shows what the others found."""

    def run(job: Job) -> None:
        root = job.folder.parent
        found = pages(root, numbers)
        stale = {page: text for page, text in found.items() if page.read_text(encoding="utf-8") != text}
        if job.options.check and stale:
            names = ", ".join(str(page.relative_to(root.parent)) for page in stale)
            sys.exit(f"out of date: {names}; run python -m train.measure cards")
        for page, text in stale.items():
            write_text(page, text)
            print(page)

    return Measure(
        name="cards",
        about=__doc__ or "",
        needs=(),
        run=run,
        options={"--check": {"action": "store_true", "help": "write nothing; exit status 1 if a table is out of date"}},
    )
