"""How fast a model draws as the page uses it, beside the report's architecture; and how fast it trains.

Drawing: a request of all steps with timeline and verdicts, the picture alone, the picture in four steps, and, for the
DDPM, the report's UNet in diffusers' own pipelines (untrained and without conditions, which costs it nothing).
Training: windows a second of the painter, beside pictures a second of the joint network that it replaced. Each
contender runs in a process of its own, so that its peak memory is its own; the rounds alternate, so that a slow spell
of the machine hits all.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from clevr_demo.request import FAST_STEPS
from train.measure.job import Job, Measure
from train.measure.tables import markdown

LABELS = ("red cube", "blue sphere", "yellow cylinder")
JOINT_UNET: dict[str, Any] = {  # the network that denoised pixels and maps together
    "sample_size": 32,
    "in_channels": 23,
    "out_channels": 23,
    "layers_per_block": 1,
    "block_out_channels": (64, 128, 256),
    "down_block_types": ("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    "attention_head_dim": 64,
    "resnet_time_scale_shift": "scale_shift",
}
JOINT_BATCH = 32

Draw = Callable[[], Any]
Contender = tuple[str, tuple[Any, ...]]  # a maker's name, and what it is called with


@dataclass(frozen=True)
class Timing:
    """One contender: seconds of each round, peak memory in MiB, and what a round makes: network evaluations of a
    picture, or training examples of a step."""

    seconds: list[float]
    memory: float
    amount: int


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

    return draw, draw().evaluations


def pipeline(kind: str, steps: int, device: str) -> tuple[Draw, int]:
    """The report's UNet in diffusers' DDPMPipeline or DDIMPipeline, untrained, which takes no less time."""
    from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel

    from train.ddpm import REPORT_UNET

    unet = UNet2DModel(sample_size=64, **REPORT_UNET).eval().to(device)
    schedule: dict[str, Any] = {"num_train_timesteps": 1200, "beta_schedule": "linear"}
    if kind == "ddim":
        drawer: Any = DDIMPipeline(unet, DDIMScheduler(**schedule))
    else:
        drawer = DDPMPipeline(unet, DDPMScheduler(**schedule))
    drawer.set_progress_bar_config(disable=True)
    return lambda: drawer(batch_size=1, num_inference_steps=steps), steps


class JointTask:
    """One step of the joint network: the mean squared error of what it says of noise, which costs what training did."""

    averaged = "network"

    def __init__(self) -> None:
        from diffusers import UNet2DModel

        self.networks: dict[str, nn.Module] = {"network": UNet2DModel(**JOINT_UNET)}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "adamw": torch.optim.AdamW(self.networks["network"].parameters(), lr=1e-4)
        }

    def step(self, batch: Any, run: Any) -> dict[str, torch.Tensor]:
        x = torch.randn(len(batch.pixels), 23, 32, 32).contiguous(memory_format=torch.channels_last)
        with run.autocast():
            output = self.networks["network"](x, torch.randint(0, 1200, (len(x),))).sample
        loss = F.mse_loss(output.float(), x)
        run.descend(loss, "adamw", "network")
        return {"loss": loss}

    def sample(self, network: nn.Module) -> None:
        return None

    def config(self) -> dict[str, Any]:
        return {}


def training(kind: str, data: Path, compiled: bool) -> tuple[Draw, int]:
    """One training step a round, in the loop that trains."""
    from train.data.iclevr import load_pictures
    from train.ddpm import PRESETS, PainterTask
    from train.learning.loop import LoopSettings, Run

    pictures = load_pictures(data).split()[0].take(torch.arange(600))
    if kind == "windows":
        preset = PRESETS["what"]
        task: Any = PainterTask(preset, pictures)
        examples, loop = task.examples, preset.loop
    else:
        task, examples, loop = JointTask(), pictures, LoopSettings(pictures=10**6, batch=JOINT_BATCH, ema=0.998)
    run = Run(task, examples, replace(loop, log_every=10**9, sample_every=10**9), Path(tempfile.mkdtemp()), compiled)
    batches, bar = run.batches(), Silent()
    return lambda: run.one_step(next(batches), bar, 0.0), loop.batch


class Silent:
    """A progress bar that shows nothing."""

    def update(self, _: float) -> None:
        pass


MAKERS: dict[str, Callable[..., tuple[Draw, int]]] = {"request": request, "pipeline": pipeline, "training": training}


def peak_memory() -> float:
    """MiB: the GPU's allocations where there is a GPU, else this process's largest resident size."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def serve(connection: Any, maker: str, arguments: tuple[Any, ...]) -> None:
    """The child process: makes its contender, runs it once to warm up, then times one run for every message."""
    torch.manual_seed(0)
    draw, amount = MAKERS[maker](*arguments)
    if maker != "pipeline":
        draw()
    connection.send(amount)
    while connection.recv():
        started = time.perf_counter()
        draw()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        connection.send((time.perf_counter() - started, peak_memory()))


def race(contenders: Mapping[str, Contender], rounds: Mapping[str, int]) -> dict[str, Timing]:
    """Times every contender, one after the other in each round."""
    context = multiprocessing.get_context("spawn")
    pipes, children, amounts = {}, [], {}
    for name, (maker, arguments) in contenders.items():
        pipes[name], theirs = context.Pipe()
        child = context.Process(target=serve, args=(theirs, maker, arguments), daemon=True)
        child.start()
        theirs.close()  # so that a child that dies is an EOFError here, not a wait for ever
        children.append(child)
        amounts[name] = pipes[name].recv()
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
    return {name: Timing(seconds[name], memory[name], amounts[name]) for name in contenders}


def drawing_contenders(model: str, folder: Path, steps: int, device: str, full: bool) -> dict[str, Contender]:
    """What draws, ours first: everything else is compared with it."""
    name = model.upper()
    found: dict[str, Contender] = {
        f"{name}, {steps} frames, timeline and verdicts": ("request", (model, folder, steps, device, True)),
        f"{name}, the picture alone": ("request", (model, folder, steps if model == "ddpm" else 1, device, False)),
    }
    if model != "ddpm":
        return found | {f"{name}, the picture and its verdict": ("request", (model, folder, 1, device, True))}
    found[f"{name}, the picture alone in {FAST_STEPS} steps"] = ("request", (model, folder, FAST_STEPS, device, False))
    found["report's UNet, DDIMPipeline, 100 steps"] = ("pipeline", ("ddim", 100, device))
    if full:
        found["report's UNet, DDPMPipeline, 1200 steps"] = ("pipeline", ("ddpm", 1200, device))
    return found


def drawing_facts(timings: Mapping[str, Timing]) -> dict[str, dict[str, float]]:
    """Per contender, what the table shows; ratios are to the first contender's median."""
    medians = {name: statistics.median(timing.seconds) for name, timing in timings.items()}
    first = next(iter(medians.values()))
    return {
        name: {
            "seconds": round(medians[name], 4),
            "ratio": round(medians[name] / first, 2),
            "evaluations": timing.amount,
            "memory": round(timing.memory),
        }
        for name, timing in timings.items()
    }


def training_facts(timings: Mapping[str, Timing]) -> dict[str, dict[str, float]]:
    """Examples a second of both networks, by the median step; the ratio is to the joint network's."""
    rates = {name: timing.amount / statistics.median(timing.seconds) for name, timing in timings.items()}
    last = list(rates.values())[-1]
    return {name: {"rate": round(rate, 1), "ratio": round(rate / last, 2)} for name, rate in rates.items()}


def run(job: Job) -> None:
    options = job.options
    device = "cuda" if torch.cuda.is_available() and options.device != "cpu" else "cpu"
    drawers = drawing_contenders(options.model, job.folder, options.steps, device, options.full)
    rounds = {
        name: options.rounds if maker == "request" else min(options.rounds, 3) for name, (maker, _) in drawers.items()
    }
    rounds |= {name: 1 for name in drawers if "1200" in name}
    found: dict[str, Any] = {"drawing": drawing_facts(race(drawers, rounds))}
    if options.model == "ddpm" and not options.no_training:
        trainers = {
            "painter, windows of 32x32 pixels": ("training", ("windows", options.data, options.compile)),
            "joint network, whole pictures": ("training", ("joint", options.data, options.compile)),
        }
        found["training"] = training_facts(race(trainers, dict.fromkeys(trainers, 2 * options.rounds)))
    found |= {"threads": torch.get_num_threads(), "device": device}
    found |= {"model": job.model.name, "command": job.command}
    job.record("speed", found)
    print(table(found))


def table(found: Mapping[str, Any]) -> str:
    """The Markdown tables of an entry of the metrics."""
    columns = ("seconds", "ratio", "evaluations", "memory")
    header = ["drawing", "seconds (median)", "ratio", "evaluations", "peak memory, MiB"]
    parts = [markdown(header, [[name, *(fact[c] for c in columns)] for name, fact in found["drawing"].items()])]
    if "training" in found:
        rows = [[name, fact["rate"], fact["ratio"]] for name, fact in found["training"].items()]
        parts.append(markdown(["training", "a second", "ratio"], rows, 2))
    return "\n\n".join([*parts, f"On {found['device']}, {found['threads']} threads."])


def card(_: Path, entries: Mapping[str, Any]) -> str:
    return table(entries["speed"])


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed; the report's UNet thrice")
    parser.add_argument("--full", action="store_true", help="also the report's 1,200 ancestral steps, once")
    parser.add_argument("--no-training", action="store_true", help="time the drawing alone")
    parser.add_argument("--compile", action="store_true", help="torch.compile both networks for the training's times")


MEASURE = Measure(
    name="speed",
    what="How fast a model draws as the page uses it, and how fast it trains",
    needs=("data", "model", "judge"),
    how="Medians of alternating rounds, each contender in a process of its own, beside the report's architecture.",
    source="diffusers' UNet2DModel and pipelines, as the course report used them.",
    options=options,
    run=run,
    card=card,
)
