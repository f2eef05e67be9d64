"""How both models learn: the same requests and seeds, drawn at every moment of two runs that kept some.

    python -m train.measure learning runs/ddpm-what runs/acgan-what

The runs are of painters, from random weights, with `--moments 16`; the places are those of the weights that ship, or of
`--where`. Of each run a sheet of pictures, a row a moment, and for every moment how many of further pictures the judge
counts exact and how accurate the classifier finds them; besides, the run's loss and, of a GAN, the gap between its
adversary's answers to real and drawn windows. The page shows both side by side. Of a single run, what was made of the
other model before stays, if it was made of the same requests and by the same judge. This project's own.
"""

from __future__ import annotations

import io
import json
import math
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

import clevr_demo
from clevr_demo.checkpoints import ROOT, CheckpointError, read_config, write_bytes, write_json
from clevr_demo.models import MODELS
from clevr_demo.objects import OBJECTS
from clevr_demo.pictures import to_uint8
from clevr_demo.request import SAMPLERS
from clevr_demo.serve.learning import FILE, FOLDER, MOST_BYTES, learned
from train.join import join
from train.learning.loop import MOMENTS
from train.learning.options import positive
from train.learning.runfolder import LOG
from train.measure.drawing import Drawn, draw
from train.measure.job import Job, Measure
from train.measure.prompts import random_sets
from train.measure.tables import read_csv

REQUESTS = (
    (1,), (9, 14), (5, 13, 18), (2, 21), (0, 10, 20), (3, 4, 17), (6, 11), (7, 12, 23),
)  # fmt: skip
"""Objects of the pictures in a row."""
CURVES = {"ddpm": {"loss": "loss"}, "acgan": {"g_loss": "generator's loss", "gap_window": "adversary's gap"}}
"""Columns of a run's log that are drawn, and what they say."""
POINTS = 80  # of a curve, at most
QUALITY = 88  # of the sheets' WebP


def moments(run: Path) -> dict[int, Path]:
    """A run's kept moments by the examples seen; a CheckpointError where it kept none."""
    found = {int(path.name): path for path in sorted((run / MOMENTS).glob("*")) if path.name.isdigit()}
    if not found:
        raise CheckpointError(f"{run / MOMENTS}: no moments; train with --moments 16")
    return found


def curve(rows: Sequence[Mapping[str, str]], column: str) -> list[list[float]]:
    """[examples, mean] points of a log's column, evenly spaced in the logarithm of the examples."""
    seen = [(float(row["pictures"]), float(row[column])) for row in rows if row.get(column)]
    if not seen:
        return []
    low, high = math.log(seen[0][0]), math.log(seen[-1][0])
    bins: dict[int, list[tuple[float, float]]] = {}
    for at, value in seen:
        bins.setdefault(round((POINTS - 1) * (math.log(at) - low) / max(high - low, 1e-9)), []).append((at, value))
    means = [[float(np.mean(part)) for part in zip(*some, strict=True)] for some in bins.values()]
    return [[round(at), float(f"{value:.4g}")] for at, value in means]


def drawn_at(job: Job, kind: str, where: Path, moment: Path, prompts: Sequence[tuple[int, ...]]) -> Drawn:
    """The prompts drawn by a moment's painter, from the same seeds every time."""
    with tempfile.TemporaryDirectory() as made:
        join(kind, {"where": where, "what": moment}, Path(made))
        model = clevr_demo.load(kind, made, job.options.device)
        settings: dict[str, Any] = {"sampler": SAMPLERS[0]} if "sampler" in MODELS[kind].settings else {}
        return draw(model, prompts, steps=job.options.steps if MODELS[kind].has_steps else 1, **settings)


def judged(job: Job, pixels: Any, prompts: Sequence[tuple[int, ...]]) -> dict[str, float]:
    """The shares of pictures that are counted exact, and of requested objects that the classifier names."""
    images = [Image.fromarray(one) for one in to_uint8(pixels)]
    verdicts = [job.judge(image, prompt) for image, prompt in zip(images, prompts, strict=True)]
    asked = sum(map(len, prompts))
    return {
        "exact": round(sum(one.exact for one in verdicts) / len(verdicts), 4),
        "accuracy": round(sum(one.hits for one in verdicts) / asked, 4),
    }


def windows_seen(training: Mapping[str, Any]) -> int:
    """How many windows weights saw in all, with the runs that they started from; of a mean the most."""
    before = training.get("start") or {}
    starts = before.get("mean of", [before] if before else [])
    return int(training.get("pictures_seen", 0)) + max(map(windows_seen, starts), default=0)


def ships(kind: str) -> int:
    """How many windows the painter saw that ships."""
    return windows_seen(read_config(ROOT / kind)["training"]["what"])


def followed(job: Job, run: Path, where: Path | None) -> tuple[dict[str, Any], bytes]:
    """A run's figures, and its sheet as WebP."""
    kind, rows, shares = read_config(run)["kind"], [], []
    prompts = [*REQUESTS, *(p for count in (1, 2, 3) for p in random_sets(count, job.options.pictures // 3, seed=1))]
    kept = moments(run)
    for moment in tqdm(kept.values(), desc=run.name, unit="moment"):
        pixels = drawn_at(job, kind, where or ROOT / kind, moment, prompts).pixels
        rows.append(np.concatenate(list(to_uint8(pixels[: len(REQUESTS)])), axis=1))
        shares.append(judged(job, pixels[len(REQUESTS) :], prompts[len(REQUESTS) :]))
    log = read_csv(run / LOG)
    curves = {told: found for name, told in CURVES.get(kind, {}).items() if (found := curve(log, name))}
    facts = {
        "title": MODELS[kind].title,
        "moments": list(kept),
        "shares": shares,
        "curves": curves,
        "sheet": f"{kind}.webp",
        "ships": ships(kind),
    }
    facts |= {"training": {key: read_config(run)["training"].get(key) for key in ("batch", "hours", "device")}}
    sheet = io.BytesIO()
    Image.fromarray(np.concatenate(rows)).save(sheet, format="WEBP", quality=QUALITY, method=6)
    return facts, sheet.getvalue()


SHAPES = "Look at shapes."


def halfway(facts: Mapping[str, Any]) -> tuple[int, str]:
    """The examples after which a run draws half as many pictures exactly as at its end, and what to say of it; of one
    that does so at its end alone, or never, a moment in the middle."""
    last, title = facts["shares"][-1]["exact"], facts["title"]
    pairs = [*zip(facts["moments"], facts["shares"], strict=True)]
    for at, share in pairs[:-1]:
        if last and share["exact"] >= last / 2:
            return at, f"After {at:,} windows the {title} is halfway to its last share of exact pictures. {SHAPES}"
    at, share = pairs[(len(pairs) - 1) // 2]
    return at, f"After {at:,} windows the {title} draws {100 * share['exact']:.0f} % exactly. {SHAPES}"


def looks(models: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What to look at, at four moments: the first, where each is halfway to its end, and the last."""
    every = models.values()
    first = ", ".join(f"{one['title']} {100 * one['shares'][0]['exact']:.0f} %" for one in every)
    start = f"The first moment; counted exact: {first}. Look at the ground and the light."
    last = ", ".join(
        f"{one['title']} {100 * one['shares'][-1]['exact']:.0f} % after {one['moments'][-1]:,} windows" for one in every
    )
    ships = ", ".join(f"{one['title']} {one['ships'] / 1e6:.1f} million windows" for one in every)
    end = f"The end; counted exact: {last}. Look at edges and shadows. What ships learned longer: {ships}."
    told = [
        (min(at for one in every for at in one["moments"]), start),
        *sorted(map(halfway, every)),
        (max(at for one in every for at in one["moments"]), end),
    ]
    return [{"at": at, "text": text} for at, text in told]


def made_before(told: Mapping[str, Any], out: Path, kinds: Collection[str]) -> dict[str, Any]:
    """The facts that lie there already of models other than these kinds, each with the command that made them.

    Raises:
        CheckpointError: they were made otherwise than what is `told` of this measure, so that they would not compare.
    """
    before = learned(out) or {"models": {}}
    kept = {kind: dict(one) for kind, one in before["models"].items() if kind not in kinds}
    other = [name for name, value in told.items() if name != "command" and before.get(name) != value]
    if kept and other:
        titles = " and ".join(one["title"] for one in kept.values())
        raise CheckpointError(
            f"{out / FILE}: the {titles} was measured with other {' and '.join(other)}; name its run as well"
        )
    for kind, one in kept.items():
        one |= {"command": one.get("command", before["command"]), "ships": ships(kind)}
        del one["picture"]
    return kept


def run(job: Job) -> None:
    options, sheets = job.options, {}
    out = options.out or FOLDER
    requests = [[OBJECTS[index] for index in prompt] for prompt in REQUESTS]
    facts = {"requests": requests, "pictures": options.pictures // 3 * 3, "steps": options.steps}
    told, kinds = job.signed(facts, "judge"), [read_config(folder)["kind"] for folder in options.runs]
    models = made_before(told, out, kinds)
    for place, (folder, kind) in enumerate(zip(options.runs, kinds, strict=True)):
        models[kind], sheets[f"{kind}.webp"] = followed(job, folder, options.where[place] if options.where else None)
    if (size := sum(map(len, sheets.values()))) > MOST_BYTES:
        raise CheckpointError(f"the sheets have {size:,} bytes, more than {MOST_BYTES:,}; keep fewer moments")
    for name, data in sheets.items():
        write_bytes(out / name, data)
    write_json(out / FILE, told | {"models": models, "looks": looks(models)})
    print(json.dumps({name: one["shares"] for name, one in models.items()}, indent=1))


MEASURE = Measure(
    name="learning",
    about=__doc__ or "",
    needs=("judge",),
    run=run,
    options={
        "runs": {"nargs": "+", "type": Path, "metavar": "RUN", "help": "runs of one or both models' painters"},
        "--out": {"type": Path, "help": "where the sheets go (default: where the page looks)"},
        "--where": {
            "nargs": "+",
            "type": Path,
            "help": "runs or checkpoints of their planners (default: those that ship)",
        },
        "--pictures": {"type": positive, "default": 48, "help": "pictures that are judged at every moment"},
        "--steps": {"type": positive, "default": 20, "help": "steps of a model that has them"},
    },
)
