"""Times this project's DDPM as the app uses it against the report's architecture in diffusers' own pipelines.

    python -m train.benchmark --model ddpm --speed

Each contender runs in a process of its own, so that its peak memory is its own; the rounds alternate, so that a slow
spell of the machine hits all. The pipelines draw without conditions, which costs the report's network nothing.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel

LABELS = ("red cube", "blue sphere", "yellow cylinder")


@dataclass(frozen=True)
class Timing:
    """One contender: seconds of each round, peak memory in MiB, network evaluations a picture."""

    seconds: list[float]
    memory: float
    evaluations: int


def ours(checkpoint: Path, steps: int, device: str) -> tuple[Callable[[], Any], int]:
    """One request as the app serves it: the picture, its whole timeline, and a verdict on every frame."""
    import clevr_demo

    model, judge = clevr_demo.load("ddpm", checkpoint, device), clevr_demo.load_evaluator(None, device)

    def draw() -> Any:
        result = model.generate(LABELS, seed=0, steps=steps)
        judge.judge([frame.predicted for frame in result.frames], LABELS)
        return result

    return draw, draw().evaluations


def pipeline(kind: str, steps: int, device: str) -> tuple[Callable[[], Any], int]:
    """The report's UNet in diffusers' DDPMPipeline or DDIMPipeline, untrained, which takes no less time."""
    from train.ddpm import REPORT_UNET

    unet = UNet2DModel(sample_size=64, **REPORT_UNET).eval().to(device)
    schedule: dict[str, Any] = {"num_train_timesteps": 1200, "beta_schedule": "linear"}
    if kind == "ddim":
        drawer: Any = DDIMPipeline(unet, DDIMScheduler(**schedule))
    else:
        drawer = DDPMPipeline(unet, DDPMScheduler(**schedule))
    drawer.set_progress_bar_config(disable=True)
    return lambda: drawer(batch_size=1, num_inference_steps=steps), steps


MAKERS: dict[str, Callable[..., tuple[Callable[[], Any], int]]] = {"ours": ours, "pipeline": pipeline}


def peak_memory() -> float:
    """MiB: the GPU's allocations where there is a GPU, else this process's largest resident size."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def serve(connection: Any, maker: str, arguments: tuple[Any, ...]) -> None:
    """The child process: makes its contender, then times one drawing for every message."""
    torch.manual_seed(0)
    draw, evaluations = MAKERS[maker](*arguments)
    connection.send(evaluations)
    while connection.recv():
        started = time.perf_counter()
        draw()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        connection.send((time.perf_counter() - started, peak_memory()))


def race(contenders: dict[str, tuple[str, tuple[Any, ...]]], rounds: dict[str, int]) -> dict[str, Timing]:
    """Times every contender, one after the other in each round."""
    context = multiprocessing.get_context("spawn")
    pipes, children, evaluations = {}, [], {}
    for name, (maker, arguments) in contenders.items():
        pipes[name], theirs = context.Pipe()
        child = context.Process(target=serve, args=(theirs, maker, arguments), daemon=True)
        child.start()
        children.append(child)
        evaluations[name] = pipes[name].recv()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    memory: dict[str, float] = {}
    for number in range(max(rounds.values())):
        for name, pipe in pipes.items():
            if number < rounds[name]:
                pipe.send(True)
                taken, memory[name] = pipe.recv()
                seconds[name].append(taken)
    for pipe, child in zip(pipes.values(), children, strict=True):
        pipe.send(False)
        child.join()
    return {name: Timing(seconds[name], memory[name], evaluations[name]) for name in contenders}


def compare(checkpoint: Path, steps: int, device: str) -> dict[str, Timing]:
    """Our default, the report's network with 100 DDIM steps, and with its own 1,200 ancestral steps (once)."""
    place = "cuda" if torch.cuda.is_available() and device != "cpu" else "cpu"
    contenders: dict[str, tuple[str, tuple[Any, ...]]] = {
        f"this DDPM, {steps} steps, timeline and verdicts": ("ours", (checkpoint, steps, place)),
        "report's UNet, DDIMPipeline, 100 steps": ("pipeline", ("ddim", 100, place)),
        "report's UNet, DDPMPipeline, 1200 steps": ("pipeline", ("ddpm", 1200, place)),
    }
    return race(contenders, dict(zip(contenders, (5, 3, 1), strict=True)))


def facts(timings: dict[str, Timing]) -> dict[str, dict[str, float]]:
    """Per contender, what the table shows; ratios are to the first contender's median."""
    medians = {name: statistics.median(timing.seconds) for name, timing in timings.items()}
    first = next(iter(medians.values()))
    return {
        name: {
            "seconds": round(medians[name], 3),
            "ratio": round(medians[name] / first, 1),
            "evaluations": timing.evaluations,
            "peak_memory_mib": round(timing.memory),
        }
        for name, timing in timings.items()
    }


def table(found: dict[str, dict[str, float]]) -> str:
    """A Markdown table of `facts`."""
    lines = ["| what | seconds (median) | ratio | evaluations | peak memory, MiB |", "|---|---|---|---|---|"]
    for name, fact in found.items():
        cells = (name, f"{fact['seconds']:.2f}", fact["ratio"], fact["evaluations"], fact["peak_memory_mib"])
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
