"""Accuracy and exact match of a DDPM against the number of network evaluations, per sampler and guidance.

    python -m train.sampling --data data/iclevr --samplers dpm ddim --steps 4 8 12 20 --guidance 1 2 3
    python -m train.sampling --data data/iclevr --guidance 3:0.5-1    # guided in the noisier half alone

The teacher scores, on label sets of the held-out scenes, so that neither the judge nor the test prompts choose the
defaults. One row a setting goes to sampling.csv beside the weights; rows that are there already are not drawn again,
so an interrupted run goes on where it stopped. `--strip` draws the report's figure instead: x_t and the estimate of
x_0, every 100 of 1,200 timesteps of ancestral sampling.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from clevr_demo.checkpoints import ROOT
from clevr_demo.diffusion import DiffusionGenerator, load_ddpm
from clevr_demo.pictures import grid
from clevr_demo.request import SAMPLERS
from train.acgan import load_teacher
from train.benchmark import CHUNK, draw, quantised, score
from train.data import load_pictures, validation_prompts
from train.options import clear_errors

SETTINGS = ("model", "sampler", "steps", "guidance", "interval", "prompts", "seeds")
COLUMNS = (*SETTINGS, "evaluations", "accuracy", "exact_match")
STRIP_LABELS = ("red cube", "blue sphere", "yellow cylinder")


@dataclass(frozen=True)
class Guidance:
    """A guidance scale and the fractions of the noise schedule between which it applies, written "3" or "3:0.5-1"."""

    scale: float
    low: float = 0.0
    high: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Guidance:
        """A ValueError tells argparse that the text is none."""
        scale, _, interval = text.partition(":")
        low, high = map(float, interval.split("-")) if interval else (0.0, 1.0)
        if not 0 <= low < high <= 1:
            raise ValueError(text)
        return cls(float(scale), low, high)

    @property
    def interval(self) -> str:
        return f"{self.low:g}-{self.high:g}"


def rows_of(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(path: Path, row: dict[str, Any]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def measure(
    model: DiffusionGenerator,
    teacher: torch.nn.Module,
    prompts: Sequence[Sequence[int]],
    seeds: int,
    sampler: str,
    steps: int,
    guidance: Guidance,
) -> dict[str, Any]:
    """One row of the table: mean teacher's scores over the seeds."""
    model.configure(guidance_from=guidance.low, guidance_to=guidance.high)
    scores, evaluations = [], 0
    for seed in range(seeds):
        drawn = draw(model, prompts, seed, sampler=sampler, steps=steps, guidance=guidance.scale)
        evaluations = drawn.evaluations
        with torch.inference_mode():
            probabilities = teacher(quantised(drawn.pixels).to(model.device)).sigmoid().cpu()
        scores.append(score(probabilities, prompts))
    accuracy, exact = (sum(column) / seeds for column in zip(*scores, strict=True))
    values = (model.name, sampler, steps, guidance.scale, guidance.interval, len(prompts), seeds)
    found = {"evaluations": evaluations, "accuracy": f"{accuracy:.4f}", "exact_match": f"{exact:.4f}"}
    return dict(zip(SETTINGS, values, strict=True)) | found


def strip(model: DiffusionGenerator, seed: int = 0, every: int = 100) -> Any:
    """Two rows: x_t and the estimate of x_0 at every hundredth of the exact 1,200 steps, and the last one."""
    frames = list(model.stream(STRIP_LABELS, seed, steps=model.config.timesteps, sampler="ddpm"))
    chosen = [*frames[::every], frames[-1]]
    rows = [frame.noisy_pixels for frame in chosen] + [frame.predicted_pixels for frame in chosen]
    return grid(torch.stack(rows), columns=len(chosen))


@clear_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data/iclevr"))
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "ddpm")
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=["dpm"])
    parser.add_argument("--steps", nargs="+", type=int, default=[1, 2, 4, 8, 12, 16, 20, 30, 50, 100])
    parser.add_argument("--guidance", nargs="+", type=Guidance.parse, default=[Guidance(1), Guidance(2)])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--prompts", type=int, default=128, help="how many of the 128 validation prompts")
    parser.add_argument("--strip", action="store_true", help="draw strip.png instead")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    options = parser.parse_args(argv)
    model = load_ddpm(options.checkpoint, options.device)
    if options.strip:
        return strip(model).save(options.checkpoint / "strip.png")
    model.chunk = CHUNK
    teacher = load_teacher().eval().to(model.device)
    prompts = validation_prompts("held-out", load_pictures(options.data))
    prompts = prompts[:: max(1, len(prompts) // options.prompts)][: options.prompts]
    path = options.checkpoint / "sampling.csv"
    done = {tuple(row[key] for key in SETTINGS) for row in rows_of(path)}
    for sampler, steps, guidance in tqdm(list(itertools.product(options.samplers, options.steps, options.guidance))):
        asked = (model.name, sampler, steps, guidance.scale, guidance.interval, len(prompts), options.seeds)
        if tuple(map(str, asked)) not in done:
            row = measure(model, teacher, prompts, options.seeds, sampler, steps, guidance)
            append(path, row)
            tqdm.write(", ".join(f"{name} {row[name]}" for name in COLUMNS[1:]))


if __name__ == "__main__":
    main()
