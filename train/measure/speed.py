"""How fast a model draws as the page uses it, beside the report's architecture.

A request of all steps with timeline and verdicts, the picture alone, the picture in one pass and its verdict or in four
steps, and, for a model of steps, the report's UNet in diffusers' own pipelines (untrained and without conditions, which
costs it nothing). Each runs in a process of its own, so that its peak memory is its own; the rounds alternate, so that
a slow spell of the machine hits all.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from clevr_demo.request import FAST_STEPS
from train.learning.options import positive
from train.measure.job import Job, Measure
from train.measure.tables import markdown

LABELS = ("red cube", "blue sphere", "yellow cylinder")

Draw = Callable[[], Any]
Runner = tuple[str, tuple[Any, ...]]  # a maker's name, and what it is called with


@dataclass(frozen=True)
class Timing:
    """One runner: seconds of each round, peak memory in MiB, and network evaluations of a picture."""

    seconds: list[float]
    memory: float
    evaluations: int


def request(model: str, checkpoint: Path, steps: int, device: str, judged: bool) -> tuple[Draw, int]:
    """One request as the page serves it: with timeline and a verdict on every frame of pixels, or the picture alone."""
    import clevr_demo

    drawer, judge = clevr_demo.load(model, checkpoint, device), clevr_demo.load_evaluator(None, device)

    def draw() -> Any:
        if not judged:
            return drawer.generate_batch([LABELS], [0], steps, timeline=False)[0]
        result = drawer.generate(LABELS, seed=0, steps=steps)
        judge.judge([frame.predicted for frame in result.frames if frame.stage == "what"], LABELS)
        return result

    draw()
    return draw, draw().evaluations


def pipeline(kind: str, steps: int, device: str) -> tuple[Draw, int]:
    """The report's UNet in diffusers' DDPMPipeline or DDIMPipeline, untrained, which takes no less time."""
    from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel

    from train.learning.course import REPORT_UNET

    unet = UNet2DModel(sample_size=64, **REPORT_UNET).eval().to(device)
    schedule: dict[str, Any] = {"num_train_timesteps": 1200, "beta_schedule": "linear"}
    if kind == "ddim":
        drawer: Any = DDIMPipeline(unet, DDIMScheduler(**schedule))
    else:
        drawer = DDPMPipeline(unet, DDPMScheduler(**schedule))
    drawer.set_progress_bar_config(disable=True)
    return lambda: drawer(batch_size=1, num_inference_steps=steps), steps


MAKERS: dict[str, Callable[..., tuple[Draw, int]]] = {"request": request, "pipeline": pipeline}


def peak_memory() -> float:
    """MiB: the GPU's allocations where there is a GPU, else this process's largest resident size."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def serve(connection: Any, maker: str, arguments: tuple[Any, ...]) -> None:
    """The child process: makes its runner, which warms up, then times one draw for every message."""
    torch.manual_seed(0)
    draw, evaluations = MAKERS[maker](*arguments)
    connection.send(evaluations)
    while connection.recv():
        started = time.perf_counter()
        draw()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        connection.send((time.perf_counter() - started, peak_memory()))


def race(runners: Mapping[str, Runner], rounds: Mapping[str, int]) -> dict[str, Timing]:
    """Times every runner, one after the other in each round."""
    context = multiprocessing.get_context("spawn")
    pipes, children, evaluations = {}, [], {}
    for name, (maker, arguments) in runners.items():
        pipes[name], theirs = context.Pipe()
        child = context.Process(target=serve, args=(theirs, maker, arguments), daemon=True)
        child.start()
        theirs.close()  # so that a child that dies is an EOFError here, not a wait for ever
        children.append(child)
        evaluations[name] = pipes[name].recv()
    seconds: dict[str, list[float]] = {name: [] for name in runners}
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
    return {name: Timing(seconds[name], memory[name], evaluations[name]) for name in runners}


def runners(job: Job, device: str) -> dict[str, Runner]:
    """What draws, the page's own request first: everything else is compared with it."""
    title, options = job.kind.title, job.options

    def ours(steps: int, judged: bool) -> Runner:
        return "request", (options.model, job.folder, steps, device, judged)

    few = options.steps if job.kind.has_steps else 1
    found = {
        f"{title}, {options.steps} frames, timeline and verdicts": ours(options.steps, True),
        f"{title}, the picture alone": ours(few, False),
    }
    if not job.kind.has_steps:
        return found | {f"{title}, the picture and its verdict": ours(1, True)}
    found[f"{title}, the picture alone in {FAST_STEPS} steps"] = ours(FAST_STEPS, False)
    found["report's UNet, DDIMPipeline, 100 steps"] = ("pipeline", ("ddim", 100, device))
    if options.full:
        found["report's UNet, DDPMPipeline, 1200 steps"] = ("pipeline", ("ddpm", 1200, device))
    return found


def facts_of(timings: Mapping[str, Timing]) -> dict[str, dict[str, float]]:
    """Per runner, what the table shows; ratios are to the first one's median."""
    medians = {name: statistics.median(timing.seconds) for name, timing in timings.items()}
    first = next(iter(medians.values()))
    return {
        name: {
            "seconds": round(medians[name], 4),
            "ratio": round(medians[name] / first, 2),
            "evaluations": timing.evaluations,
            "memory": round(timing.memory),
        }
        for name, timing in timings.items()
    }


def run(job: Job) -> None:
    device = "cuda" if torch.cuda.is_available() and job.options.device != "cpu" else "cpu"
    found, rounds = runners(job, device), {}
    for name, (maker, _) in found.items():
        rounds[name] = job.options.rounds if maker == "request" else min(job.options.rounds, 3)
    rounds |= {name: 1 for name in found if "1200" in name}
    entry = {"drawing": facts_of(race(found, rounds)), "threads": torch.get_num_threads(), "device": device}
    job.record("speed", entry)
    print(table(entry))


def table(found: Mapping[str, Any]) -> str:
    """The Markdown table of an entry of the metrics."""
    columns = ("seconds", "ratio", "evaluations", "memory")
    header = ["drawing", "seconds (median)", "ratio", "evaluations", "peak memory, MiB"]
    rows = [[name, *(fact[column] for column in columns)] for name, fact in found["drawing"].items()]
    return f"{markdown(header, rows)}\n\nOn {found['device']}, {found['threads']} threads."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=positive, default=5, help="how often each is timed; the report's UNet thrice")
    parser.add_argument("--full", action="store_true", help="also the report's 1,200 ancestral steps, once")


MEASURE = Measure(
    name="speed",
    what="How fast a model draws as the page uses it",
    needs=("model", "judge"),
    how="Medians of alternating rounds, each in a process of its own, beside the report's architecture.",
    source="diffusers' UNet2DModel and pipelines, as the course report used them.",
    run=run,
    options=options,
    card=lambda _, entries: table(entries["speed"]),
)
