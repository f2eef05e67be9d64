"""One training loop for every network here: resumable, time-bounded, the same on a laptop, a GPU or several.

A `Task` brings its networks, optimizers and one `step`; the loop brings data order, mixed precision, EMA, progress
bar, log.csv, sample grids, checkpoints and clean stops. Running the same command again goes on from the last
checkpoint. All randomness of a step comes from (seed, step, process), so nothing about random state has to be
saved: a resumed run, after Ctrl-C, SIGTERM or kill -9, repeats the very steps an uninterrupted run would have made.
What it keeps on disk, and what may be wrong with that, is `train.learning.runfolder`'s.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import nn
from tqdm.auto import tqdm

from clevr_demo.checkpoints import reason, save_weights
from clevr_demo.pictures import grid
from train.data.batches import Examples
from train.learning.runfolder import RunError, RunFolder, digest
from train.learning.task import Task

MOMENTS = "moments"  # the folder of a run's kept moments
FIRST_MOMENT = 1000  # examples


@dataclass(frozen=True)
class LoopSettings:
    """What the loop needs to know of a preset. `pictures` is the length of the run, in examples."""

    pictures: int
    batch: int
    seed: int = 0
    ema: float = 0.0  # largest EMA decay; 0 keeps no average
    clip: float = 1.0  # largest gradient norm; 0 for no clipping
    log_every: int = 100  # steps
    sample_every: int = 2000  # steps

    @property
    def steps(self) -> int:
        return math.ceil(self.pictures / self.batch)


def moments_of(settings: LoopSettings, number: int) -> set[int]:
    """Steps at which a run is looked at, spaced evenly in the logarithm of the examples seen, from `FIRST_MOMENT` to
    all of them."""
    spread = [i / max(1, number - 1) for i in range(number)]
    seen = [FIRST_MOMENT * (settings.pictures / FIRST_MOMENT) ** share for share in spread]
    return {math.ceil(examples / settings.batch - 1e-9) for examples in seen}


def ema_decay(step: int, largest: float) -> float:
    """EMA decay after `step` steps: 1 - (1 + step)^(-3/4), so that a short run forgets its start (as in diffusers)."""
    return min(largest, 1.0 - (1.0 + step) ** -0.75)


@torch.no_grad()
def update_ema(average: nn.Module, network: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * network, for parameters; buffers are copied."""
    parameters: list[torch.Tensor] = list(average.parameters())
    torch._foreach_lerp_(parameters, [p.detach() for p in network.parameters()], 1.0 - decay)
    for mine, theirs in zip(average.buffers(), network.buffers(), strict=True):
        mine.copy_(theirs)


class Run:
    """One training run in a folder. `Run(task, data, settings, folder).train()` starts it or goes on with it. `start`
    says how the weights that it starts from were trained, if they are not random. At so many `moments`, see
    `moments_of`, the weights are kept, each in a folder of its own, from which they are drawn with as from a run's."""

    def __init__(
        self,
        task: Task,
        data: Examples,
        settings: LoopSettings,
        folder: Path,
        compile: bool = False,
        start: dict[str, Any] | None = None,
        moments: int = 0,
    ) -> None:
        # A GAN's networks are stepped in turn, so some parameters see no gradient in a pass.
        unused = DistributedDataParallelKwargs(find_unused_parameters=len(task.networks) > 1)
        self.accelerator = Accelerator(
            mixed_precision="bf16" if bf16_pays() else "no",
            cpu=not torch.cuda.is_available(),
            kwargs_handlers=[unused],
        )
        self.task, self.settings, self.folder, self.start = task, settings, folder, start
        self.files = RunFolder(folder)
        self.device = self.accelerator.device
        self.data_digest = digest(data.contents())
        self.data = data.to(self.device)
        self.moments = moments_of(settings, moments)
        self.position = 0
        self.sums: dict[str, torch.Tensor] = {}
        self.counted = 0
        self.rows: list[list[str]] = []  # the log: its header and a row an interval
        self.spent = self.elapsed = 0.0  # seconds: of earlier sittings; of all until the last log line
        self.devices: list[str] = []  # of all sittings
        self._stop_reason: str | None = None
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
        for name, network in task.networks.items():
            task.networks[name] = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(task.networks[task.averaged]).eval().requires_grad_(False)
        self._prepare(compile)

    def _prepare(self, compile: bool) -> None:
        self.plain = dict(self.task.networks)  # without wrappers: what is saved
        for name, network in self.plain.items():
            if compile:
                network.compile(dynamic=False)  # in place: the names of the weights stay; a graph for each size
            self.task.networks[name] = self.accelerator.prepare(network)
        for name, optimizer in self.task.optimizers.items():
            self.task.optimizers[name] = self.accelerator.prepare(optimizer)

    # what a task calls ------------------------------------------------------------------------------------------

    @property
    def progress(self) -> float:
        """How far the run is, in [0, 1)."""
        return self.position / self.settings.steps

    def autocast(self) -> Any:
        return self.accelerator.autocast()

    def descend(self, loss: torch.Tensor, optimizers: Iterable[str], network: str, rate: float) -> None:
        """Backward, clip the network's gradients, a step of each of its optimizers at this rate, zero gradients."""
        used = [self.task.optimizers[name] for name in optimizers]
        for group in (group for optimizer in used for group in optimizer.param_groups):
            group["lr"] = rate
        self.accelerator.backward(loss)
        if self.settings.clip:
            self.accelerator.clip_grad_norm_(self.task.networks[network].parameters(), self.settings.clip)
        for optimizer in used:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    # the loop ---------------------------------------------------------------------------------------------------

    def batches(self) -> Iterator[torch.Tensor]:
        """Indices of each step's examples for this process: a new permutation an epoch, drawn from (seed, epoch)."""
        size, total = self.settings.batch, len(self.data)
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        orders: dict[int, torch.Tensor] = {}  # of the epochs that a batch touches
        for step in range(self.position, self.settings.steps):
            places = range(step * size + rank, (step + 1) * size, world)
            epochs = range(places[0] // total, places[-1] // total + 1)
            orders = {epoch: orders[epoch] if epoch in orders else self.order(epoch) for epoch in epochs}
            within = torch.arange(places.start, places.stop, world)
            yield torch.cat([orders[epoch][within[within // total == epoch] % total] for epoch in epochs])

    def order(self, epoch: int) -> torch.Tensor:
        """(N,) the order in which an epoch takes the examples."""
        generator = torch.Generator().manual_seed(self.settings.seed * 9973 + epoch)
        return torch.randperm(len(self.data), generator=generator)

    def train(self, max_minutes: float = math.inf, save_minutes: float = 5.0) -> bool:
        """Trains until the end, the time limit or a signal; True when the run is complete.

        Raises:
            RunError: the folder is another trainer's, or holds what this run cannot go on with.
        """
        with self.files.locked() if self.accelerator.is_main_process else nullcontext():
            return self._train(max_minutes, save_minutes)

    def _train(self, max_minutes: float, save_minutes: float) -> bool:
        self.restore()
        device = torch.cuda.get_device_name() if self.device.type == "cuda" else cpu_name()
        if self.devices[-1:] != [device]:
            self.devices.append(device)
        started = saved = time.monotonic()
        bar = tqdm(
            total=self.settings.steps * self.settings.batch,
            initial=self.position * self.settings.batch,
            unit="picture",
            unit_scale=True,
            desc=self.folder.name,
            mininterval=0.2 if sys.stderr.isatty() else 30,
            disable=not self.accelerator.is_main_process,
        )
        try:
            with self._signals():
                for chosen in self.batches():
                    self.one_step(chosen, bar, started)
                    now = time.monotonic()
                    if now - started >= max_minutes * 60:
                        self._stop_reason = f"{max_minutes:g} minutes are over"
                    if self._should_stop():
                        break
                    if now - saved >= save_minutes * 60:
                        self.save()
                        saved = time.monotonic()
            self.save()
        finally:
            bar.close()
        done = self.position >= self.settings.steps
        self.export()
        self.say(f"{'finished' if done else f'stopped ({self._stop_reason})'} at step {self.position} of "
                 f"{self.settings.steps}; {'weights' if done else 'run the same command to go on; weights so far'} "
                 f"in {self.folder}")  # fmt: skip
        return done

    def one_step(self, chosen: torch.Tensor, bar: tqdm, started: float) -> None:
        settings = self.settings
        torch.manual_seed((settings.seed * 1_000_003 + self.position) * 64 + self.accelerator.process_index)
        batch = self.data.batch(chosen.to(self.device))
        for network in self.task.networks.values():
            network.train()
        logged = self.task.step(batch, self)
        if settings.ema:
            update_ema(self.average, self.plain[self.task.averaged], ema_decay(self.position, settings.ema))
        self.position += 1
        self.counted += 1
        for name, value in logged.items():
            self.sums[name] = self.sums.get(name, torch.zeros((), device=self.device)) + value.detach().float()
        bar.update(settings.batch)
        if self.position % settings.log_every == 0:
            self.log(bar, started)
        if self.position % settings.sample_every == 0:
            self.sample_grid()
        if self.position in self.moments and self.accelerator.is_main_process:
            self.export_to(self.folder / MOMENTS / f"{self.position * settings.batch:08d}")

    def log(self, bar: tqdm, started: float) -> None:
        """Writes the interval's mean values; the only place where the loop waits for a GPU."""
        names = sorted(self.sums)
        values = (torch.stack([self.sums[name] for name in names]) / self.counted).tolist()
        self.sums, self.counted = {}, 0
        if not self.accelerator.is_main_process:
            return
        means = {name: f"{value:.6g}" for name, value in zip(names, values, strict=True)}
        bar.set_postfix(means)
        self.elapsed = round(self.spent + time.monotonic() - started, 1)
        header = ["step", "pictures", "seconds", *names]
        pictures = self.position * self.settings.batch
        row = [str(value) for value in (self.position, pictures, self.elapsed, *means.values())]
        self.rows += [row] if self.rows else [header, row]
        self.files.write_log(self.rows)

    def sample_grid(self) -> None:
        if self.accelerator.is_main_process:
            with torch.no_grad():
                pictures = self.task.sample(self.exported())
            if pictures is not None:
                path = self.folder / "samples" / f"{self.position:08d}.png"
                path.parent.mkdir(exist_ok=True)
                grid(pictures).save(path)

    def exported(self) -> nn.Module:
        """The network that a run is for: the average, or the network itself where no average is kept."""
        return self.average if self.settings.ema else self.plain[self.task.averaged].eval()

    # stops and checkpoints --------------------------------------------------------------------------------------

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def ask(number: int, _frame: Any) -> None:
            self._stop_reason = signal.Signals(number).name

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _should_stop(self) -> bool:
        if self.accelerator.num_processes == 1:
            return self._stop_reason is not None
        asked = torch.tensor([float(self._stop_reason is not None)], device=self.device)
        return bool(self.accelerator.reduce(asked, reduction="sum").item() > 0)

    def preset(self) -> dict[str, Any]:
        """All settings of the run, which it has to go on with."""
        return self.task.config().get("preset", {}) | {"loop": dataclasses.asdict(self.settings)}

    def save(self) -> None:
        """Writes the whole state."""
        if self.accelerator.is_main_process:
            self.files.write(
                {
                    "position": self.position,
                    "preset": json.loads(json.dumps(self.preset())),
                    "data": self.data_digest,
                    "networks": {name: network.state_dict() for name, network in self.plain.items()},
                    "optimizers": {name: optimizer.state_dict() for name, optimizer in self.task.optimizers.items()},
                    "average": self.average.state_dict(),
                    "sums": self.sums,
                    "counted": self.counted,
                    "elapsed": self.elapsed,
                    "devices": self.devices,
                    "log": self.rows,
                }
            )

    def restore(self) -> None:
        """Goes back to the last state, if there is one; later rows of the log are dropped, to be made again."""
        state = self.files.read(self.preset(), self.data_digest)
        if state is not None:
            try:
                self._take(state)
            except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
                where = self.files.state
                raise RunError(f"{where}: not of these networks ({reason(error)}); use another --out") from error
            self.say(f"going on from step {self.position} of {self.settings.steps}")
        if self.accelerator.is_main_process:
            self.files.write_log(self.rows)

    def _take(self, state: dict[str, Any]) -> None:
        for name, network in self.plain.items():
            network.load_state_dict(state["networks"][name])
        for name, optimizer in self.task.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])  # moves it to the device
        self.average.load_state_dict(state["average"])
        self.position, self.counted = state["position"], state["counted"]
        self.sums = {name: value.to(self.device) for name, value in state["sums"].items()}
        self.spent = self.elapsed = state["elapsed"]
        self.rows, self.devices = state["log"], state["devices"]

    def export(self) -> None:
        """Writes model.safetensors (fp16), config.json and a sample grid into the run's folder."""
        if self.accelerator.is_main_process:
            self.export_to(self.folder)
            self.sample_grid()

    def export_to(self, folder: Path) -> None:
        save_weights(self.exported(), self.task.config() | {"training": self.facts()}, folder)

    def facts(self) -> dict[str, Any]:
        """What the model card needs to say about this run."""
        return dataclasses.asdict(self.settings) | {
            "steps_done": self.position,
            "pictures_seen": self.position * self.settings.batch,
            "hours": round(self.elapsed / 3600, 3),
            "device": ", then ".join(self.devices),
            **({"start": self.start} if self.start else {}),
        }

    def say(self, message: str) -> None:
        self.accelerator.print(message)


def cpu_name() -> str:
    return f"CPU, {torch.get_num_threads()} threads"


def bf16_pays() -> bool:
    """Whether bf16 autocast is faster here: on a GPU that has it, and on a CPU with bf16 instructions."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
