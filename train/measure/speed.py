"""How fast a model draws as the page uses it, beside the report's architecture.

A request of all steps with timeline and verdicts, the picture alone, the picture in one pass and its verdict or in four
steps, and, for a model of steps, the report's UNet in diffusers' own pipelines (untrained and without conditions, which
costs it nothing). Each runs in a process of its own, so that its peak memory is its own; the rounds alternate, so that
a slow spell of the machine hits all, and the medians are told. Where graphs compute, torch runs beside them: the same
requests, and a pass of each network, in turns in one process.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import torch

from clevr_demo.checkpoints import ROOT, fingerprint, read_config
from clevr_demo.engine import ENGINE, ENGINES, engine, read_graph
from clevr_demo.request import FAST_STEPS
from train.graphs import GRAPHS
from train.learning.options import positive
from train.measure.job import Job, Measure
from train.measure.tables import named_table

LABELS = ("red cube", "blue sphere", "yellow cylinder")
REPORT_STEPS = 100  # of the report's UNet, a twelfth of its own
SLOW_ROUNDS = 3
PASSES = 20  # of each network by each engine, a round
COLUMNS = {
    "seconds": "seconds (median)", "ratio": "ratio", "evaluations": "evaluations", "memory": "peak memory, MiB",
}  # fmt: skip
NETWORK_COLUMNS = {"onnxruntime": "ONNX Runtime, ms", "torch": "torch, ms", "ratio": "times as fast"}

Draw = Callable[[], Any]
Runner = tuple[Any, ...]  # what makes it, and its arguments
Round = tuple[float, float, int]  # seconds, peak memory in MiB, network evaluations of a picture


def request(model: str, checkpoint: Path, steps: int, device: str, judged: bool, by: str) -> tuple[Draw, int]:
    """One request as the page serves it: with timeline and a verdict on every frame of pixels, or the picture alone,
    `by` an engine."""
    import clevr_demo

    os.environ[ENGINE] = by
    drawer, judge = clevr_demo.load(model, checkpoint, device), clevr_demo.load_evaluator(None, device)

    def draw() -> Any:
        if not judged:
            return drawer.generate_batch([LABELS], [0], steps, timeline=False)[0]
        result = drawer.generate(LABELS, seed=0, steps=steps)
        for frame in result.frames:
            if frame.stage == "what":
                judge.judge([frame.predicted], LABELS, course=frame is result.frames[-1])
        return result

    draw()  # warms up
    return draw, draw().evaluations


def pipeline(device: str) -> tuple[Draw, int]:
    """The report's UNet in diffusers' DDIMPipeline, untrained, which takes no less time."""
    from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

    from train.learning.course import REPORT_UNET

    unet: Any = UNet2DModel(sample_size=64, **REPORT_UNET).eval().to(device)
    drawer = DDIMPipeline(unet, DDIMScheduler(num_train_timesteps=1200, beta_schedule="linear"))
    drawer.set_progress_bar_config(disable=True)
    return lambda: drawer(batch_size=1, num_inference_steps=REPORT_STEPS), REPORT_STEPS


MADE: list[tuple[Draw, int]] = []
"""In a runner's own process: how it draws, and the evaluations that a picture takes."""


def make(maker: Callable[..., tuple[Draw, int]], *arguments: Any) -> None:
    torch.manual_seed(0)
    MADE.append(maker(*arguments))


def one_round() -> Round:
    """One draw. The memory is the GPU's allocations where there is a GPU,
    else the process's largest resident size."""
    draw, evaluations = MADE[0]
    started = time.perf_counter()
    draw()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter() - started, torch.cuda.max_memory_allocated() / 2**20, evaluations
    seconds = time.perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, evaluations


def race(runners: Mapping[str, Runner], rounds: int) -> dict[str, list[Round]]:
    """Times every runner, each in a process of its own, one after the other in each round; slow ones thrice at most."""
    spawn = multiprocessing.get_context("spawn")
    found: dict[str, list[Round]] = {name: [] for name in runners}
    with ExitStack() as stack:
        pools = {
            name: stack.enter_context(ProcessPoolExecutor(1, spawn, make, runner)) for name, runner in runners.items()
        }
        for number in range(rounds):
            for name, pool in pools.items():
                if number < SLOW_ROUNDS or runners[name][0] is not pipeline:
                    found[name].append(pool.submit(one_round).result())
    return found


def engines(folder: Path, device: str) -> tuple[str, ...]:
    """What computes on a device with the folder's networks, and where those are graphs, torch beside it."""
    by_graphs = engine(torch.device(device)) != "torch" and any(folder.glob("*.onnx"))
    return ENGINES if by_graphs else ("torch",)


def runners(job: Job, device: str) -> dict[str, Runner]:
    """What draws, the page's own request first: everything else is compared with it."""
    title, options = job.kind.title, job.options
    few = options.steps if job.kind.has_steps else 1
    asked = {
        f"{title}, {options.steps} frames, timeline and verdicts": (options.steps, True),
        f"{title}, the picture alone": (few, False),
    }
    if job.kind.has_steps:
        asked[f"{title}, the picture alone in {FAST_STEPS} steps"] = FAST_STEPS, False
    else:
        asked[f"{title}, the picture and its verdict"] = 1, True
    found: dict[str, Runner] = {}
    for number, by in enumerate(engines(job.folder, device)):
        for name, (steps, judged) in asked.items():
            shown = f"{name}, by torch" if number else name
            found[shown] = request, options.model, job.folder, steps, device, judged, by
    if job.kind.has_steps:
        found[f"report's UNet, DDIMPipeline, {REPORT_STEPS} steps"] = pipeline, device
    return found


def passes_of(folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Per network of a checkpoint folder, the median milliseconds of a pass by each engine, in turns."""
    found: dict[str, dict[str, float]] = {}
    for name, drawn in GRAPHS[read_config(folder)["kind"]](folder).items():
        network = drawn.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        graph, inputs = read_graph(folder, name, fingerprint(folder)), drawn.inputs
        ways: dict[str, Draw] = dict(
            zip(ENGINES, (partial(graph, **inputs), partial(network, *inputs.values())), strict=True)
        )
        times: dict[str, list[float]] = {by: [] for by in ways}
        with torch.inference_mode():
            for _ in range(rounds * PASSES):
                for by, run_once in ways.items():
                    started = time.perf_counter()
                    run_once()
                    times[by].append(1000 * (time.perf_counter() - started))
        medians = {by: round(statistics.median(every), 2) for by, every in times.items()}
        found[f"{folder.name}: {name}"] = medians | {"ratio": round(medians["torch"] / medians["onnxruntime"], 2)}
    return found


def facts_of(rounds: Mapping[str, list[Round]]) -> dict[str, dict[str, float]]:
    """Per runner, what the table shows; ratios are to the first one's median."""
    medians = {name: statistics.median(seconds for seconds, *_ in every) for name, every in rounds.items()}
    first = next(iter(medians.values()))
    found: dict[str, dict[str, float]] = {}
    for name, seconds in medians.items():
        _, memory, evaluations = rounds[name][-1]
        found[name] = {"seconds": round(seconds, 4), "ratio": round(seconds / first, 2)}
        found[name] |= {"evaluations": evaluations, "memory": round(memory)}
    return found


def run(job: Job) -> None:
    device = "cuda" if torch.cuda.is_available() and job.options.device != "cpu" else "cpu"
    rounds = race(runners(job, device), job.options.rounds)
    entry = {"drawing": facts_of(rounds), "threads": torch.get_num_threads(), "device": device}
    folders = (job.folder, *(ROOT / name for name in ("detector", "classifier")))
    measured = [folder for folder in folders if len(engines(folder, device)) > 1]
    if found := {name: facts for one in measured for name, facts in passes_of(one, job.options.rounds).items()}:
        entry["networks"] = found
    job.record("speed", entry)
    print(table(entry))


def table(found: Mapping[str, Any]) -> str:
    """The Markdown table of an entry of the metrics."""
    told = f"{named_table('drawing', COLUMNS, found['drawing'])}\n\n"
    if "networks" in found:
        told += f"{named_table('one pass', NETWORK_COLUMNS, found['networks'])}\n\n"
    return f"{told}On {found['device']}, {found['threads']} threads."


MEASURE = Measure(
    name="speed",
    about=__doc__ or "",
    needs=("model", "judge"),
    run=run,
    options={"--rounds": {"type": positive, "default": 5, "help": "how often each is timed; the report's UNet thrice"}},
    card=lambda _, entries: table(entries["speed"]),
)
