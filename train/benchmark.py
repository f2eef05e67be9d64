"""Scores a checkpoint on prompt files.

    python -m train.benchmark --model ddpm --prompts test.json new_test.json --seeds 5
    python -m train.benchmark --model ddpm --checkpoint runs/ddpm-default --steps 12 --sampler ddim
    python -m train.benchmark --model ddpm --speed

Every prompt is drawn once a seed, all pictures count, none is chosen. Printed and written to the checkpoint's
metrics.json: the course's top-k accuracy, pooled over all requested objects of a file, and exact match; mean and
standard deviation over the seeds, with the exact command. The teacher's accuracy stands beside the judge's, so that
pictures fitted to a classifier would show. The first seed's pictures become an 8-column grid.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

import clevr_demo
from clevr_demo.checkpoints import ROOT, CheckpointError, write_json
from clevr_demo.evaluator import Evaluator, exact_matches, topk_hits
from clevr_demo.objects import multi_hot
from clevr_demo.pictures import grid
from clevr_demo.request import DEFAULT_STEPS, SAMPLERS
from train import speed
from train.acgan import load_teacher
from train.data import VALIDATION, find_prompts, load_pictures, load_prompts, validation_prompts
from train.options import clear_errors

CHUNK = 32
PROMPTS_HELP = f"files, names of files in --data, or the validation sets {' and '.join(VALIDATION)}"
SEED_STRIDE = 10_000  # prompt i of run s is drawn from seed s * 10,000 + i: no two share their noise


@dataclass(frozen=True)
class Drawn:
    """One run over a prompt file: pixels (N, 3, 64, 64), network evaluations a picture, seconds a picture."""

    pixels: torch.Tensor
    evaluations: int
    seconds: float


def draw(model: Any, prompts: Sequence[Sequence[int]], run: int, **settings: Any) -> Drawn:
    """Draws every prompt once."""
    seeds = [run * SEED_STRIDE + number for number in range(len(prompts))]
    started = time.perf_counter()
    results = model.generate_batch(prompts, seeds, timeline=False, **settings)
    seconds = (time.perf_counter() - started) / len(prompts)
    pixels = torch.stack([result.frames[-1].predicted_pixels for result in results])
    return Drawn(pixels, results[0].evaluations, seconds)


def score(probabilities: torch.Tensor, prompts: Sequence[Sequence[int]]) -> tuple[float, float]:
    """(top-k accuracy pooled over all requested objects, share of exact matches) of (N, 24) probabilities."""
    labels = multi_hot(prompts)
    hits = topk_hits(probabilities, labels).sum() / labels.sum()
    return float(hits), float(exact_matches(probabilities, labels).float().mean())


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean and standard deviation (of the sample) over the seeds."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": round(statistics.fmean(values), 4), "std": round(deviation, 4)}


def quantised(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels in [-1, 1] rounded to the 256 levels that a picture file holds: what people see is what is judged."""
    return pixels.clamp(-1, 1).add(1).mul(127.5).round().div(127.5).sub(1)


def benchmark(
    model: Any,
    judge: Evaluator,
    prompts: Sequence[Sequence[int]],
    seeds: int,
    teacher: torch.nn.Module | None = None,
    **settings: Any,
) -> tuple[dict[str, Any], torch.Tensor]:
    """(scores over `seeds` runs, the first run's pixels)."""
    columns: dict[str, list[float]] = {"accuracy": [], "exact_match": [], "teacher_accuracy": [], "seconds": []}
    first, evaluations = torch.empty(0), 0
    for run in tqdm(range(seeds), desc=model.name, unit="seed"):
        drawn = draw(model, prompts, run, **settings)
        pixels, evaluations = quantised(drawn.pixels), drawn.evaluations
        first = pixels if run == 0 else first
        accuracy, exact = score(judge.probabilities(pixels), prompts)
        columns["accuracy"].append(accuracy)
        columns["exact_match"].append(exact)
        columns["seconds"].append(drawn.seconds)
        if teacher is not None:
            with torch.inference_mode():
                columns["teacher_accuracy"].append(score(teacher(pixels).sigmoid(), prompts)[0])
    seconds = columns.pop("seconds")
    scores: dict[str, Any] = {name: spread(values) for name, values in columns.items() if values}
    facts = {"prompts": len(prompts), "seeds": seeds, "network_evaluations": evaluations}
    return scores | facts | {"seconds_per_picture": round(statistics.median(seconds), 4)}, first


def summary(scores: dict[str, Any]) -> str:
    """One line for the terminal."""
    accuracy, exact = scores["accuracy"], scores["exact_match"]
    return (
        f"accuracy {accuracy['mean']:.3f} ± {accuracy['std']:.3f}, exact match {exact['mean']:.3f} ± "
        f"{exact['std']:.3f} over {scores['seeds']} seeds, {scores['network_evaluations']} network evaluations, "
        f"{scores['seconds_per_picture']:.2f} s a picture"
    )


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, choices=sorted(clevr_demo.LOADERS))
    parser.add_argument("--checkpoint", type=Path, help="checkpoint folder (default: the one in checkpoints/)")
    parser.add_argument("--prompts", nargs="+", default=["test.json", "new_test.json"], help=PROMPTS_HELP)
    parser.add_argument("--data", type=Path, default=Path("data/iclevr"), help="where prompt files are looked for")
    parser.add_argument("--seeds", type=int, default=5, help="how often each prompt is drawn")
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    parser.add_argument("--sampler", choices=SAMPLERS, default="dpm", help="DDPM only")
    parser.add_argument("--guidance", type=float, help="DDPM only (default: the checkpoint's)")
    parser.add_argument("--evaluator", type=Path, help="another judge: a checkpoint folder or the course's .pth")
    parser.add_argument("--speed", action="store_true", help="time the DDPM against the report's network instead")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    return parser.parse_args(argv)


def command_of(options: argparse.Namespace) -> str:
    """The command that makes these numbers again, whatever was left to defaults."""
    words = ["python", "-m", "train.benchmark", "--model", options.model, "--prompts", *options.prompts]
    words += ["--seeds", str(options.seeds), "--steps", str(options.steps)]
    if options.model == "ddpm":
        words += ["--sampler", options.sampler]
        words += ["--guidance", f"{options.guidance:g}"] if options.guidance is not None else []
    words += ["--evaluator", str(options.evaluator)] if options.evaluator else []
    return shlex.join(words)


def merge_metrics(path: Path, found: dict[str, Any]) -> None:
    """Adds or replaces entries of a metrics.json, leaving the others."""
    before = json.loads(path.read_text()) if path.exists() else {}
    write_json(path, before | found)


def teacher_if_any() -> torch.nn.Module | None:
    try:
        return load_teacher().eval()
    except CheckpointError:
        return None


def read_prompts(name: str, data: Path) -> list[tuple[int, ...]]:
    """Prompts of a file, or of a validation set that is drawn from the pictures' labels."""
    if name in VALIDATION:
        return validation_prompts(name, load_pictures(data))
    return load_prompts(find_prompts(name, data))


@clear_errors
def main(argv: Sequence[str] | None = None) -> None:
    options = options_of(argv)
    folder = options.checkpoint or ROOT / options.model
    if options.speed:
        timings = speed.compare(folder, options.steps, options.device)
        merge_metrics(folder / "metrics.json", {"speed": speed.facts(timings)})
        return print(speed.table(speed.facts(timings)))
    model = clevr_demo.load(options.model, folder, options.device)
    judge = clevr_demo.load_evaluator(options.evaluator, options.device)
    settings: dict[str, Any] = {"steps": options.steps}
    if options.model == "ddpm":
        model.chunk = CHUNK  # type: ignore[union-attr]
        settings |= {"sampler": options.sampler, "guidance": options.guidance}
    teacher = teacher_if_any()
    for name in options.prompts:
        prompts = read_prompts(name, options.data)
        scores, pixels = benchmark(model, judge, prompts, options.seeds, teacher, **settings)
        facts = {"model": model.name, "judge": judge.name, "command": command_of(options)}
        merge_metrics(folder / "metrics.json", {Path(name).stem: scores | settings | facts})
        grid(pixels).save(folder / f"{Path(name).stem}.png")
        print(f"{Path(name).stem}: {summary(scores)}")


if __name__ == "__main__":
    main()
