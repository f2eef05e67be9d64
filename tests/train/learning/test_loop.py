"""The training loop: any interruption leaves the run that never was interrupted, and its formulas are the papers'."""

from __future__ import annotations

import copy
import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers.training_utils import EMAModel
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from clevr_demo.checkpoints import load_weights, save_weights
from clevr_demo.generators.ddpm import Painter
from clevr_demo.judge.classifier import ClassifierNetwork
from train import acgan, ddpm
from train import classifier as evaluator
from train.data.batches import Batch, Examples
from train.data.iclevr import Pictures, load_pictures
from train.learning.loop import LoopSettings, Run, ema_decay, moments_of, update_ema
from train.learning.task import Task

ROOT = Path(__file__).parents[3]
PICTURES = 480  # 120 steps of the tiny DDPM, eight epochs
TRAINED: dict[str, Any] = {"ddpm": ddpm, "acgan": acgan, "evaluator": evaluator}
TRAINERS = {name: trainer.main for name, trainer in TRAINED.items()}


def arguments(data: Path, folder: Path, pictures: int = PICTURES, preset: str = "tiny-what") -> list[str]:
    return ["--data", str(data), "--out", str(folder), "--preset", preset, "--pictures", str(pictures)]


def log_of(folder: Path) -> list[dict[str, str]]:
    """The log's rows, if there are any, without the column that no two runs share."""
    if not (folder / "log.csv").exists():
        return []
    with (folder / "log.csv").open(newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def assert_same_run(folder: Path, reference: Path) -> None:
    """The same log and, bit by bit, the same weights."""
    assert log_of(folder) == log_of(reference)
    assert (folder / "model.safetensors").read_bytes() == (reference / "model.safetensors").read_bytes()
    mine, other = (torch.load(place / "state.pt", weights_only=True) for place in (folder, reference))
    assert mine["position"] == other["position"]
    for name, state in mine["networks"].items():
        for key, value in state.items():
            assert torch.equal(value, other["networks"][name][key]), f"{name} {key}"


@pytest.fixture(scope="module")
def uninterrupted(iclevr: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the tiny DDPM."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    ddpm.main(arguments(iclevr, folder))
    return folder


# interruptions ------------------------------------------------------------------------------------------------------


@dataclass
class Interrupted:
    """A real process that was stopped by a signal."""

    folder: Path
    exit_code: int
    output: str

    @property
    def position(self) -> int:
        return torch.load(self.folder / "state.pt", weights_only=True)["position"]


WAYS = {"Ctrl-C": (signal.SIGINT, 5.0), "SIGTERM": (signal.SIGTERM, 5.0), "kill -9 amid saves": (signal.SIGKILL, 0.0)}


@pytest.fixture(scope="module")
def interrupted(iclevr: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Interrupted]:
    """One training process for each way to be stopped, started together since their start is what takes long."""
    folders = {way: tmp_path_factory.mktemp("interrupted") for way in WAYS}
    running = {}
    for way, (_, save_minutes) in WAYS.items():
        options = [*arguments(iclevr, folders[way]), "--save-minutes", str(save_minutes)]
        command = [sys.executable, "-m", "train.ddpm", *options]
        running[way] = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    waiting, limit = set(WAYS), time.monotonic() + 200
    while waiting and time.monotonic() < limit:
        for way in list(waiting):
            if running[way].poll() is not None or len(log_of(folders[way])) >= 10:
                running[way].send_signal(WAYS[way][0])
                waiting.remove(way)
        time.sleep(0.005)
    outputs = {way: process.communicate(timeout=60)[0] for way, process in running.items()}
    return {way: Interrupted(folders[way], running[way].returncode, outputs[way]) for way in WAYS}


@pytest.mark.parametrize("way", ["Ctrl-C", "SIGTERM"])
def test_a_stopped_process_says_how_to_go_on_and_keeps_what_is_done(
    way: str, interrupted: dict[str, Interrupted]
) -> None:
    stopped = interrupted[way]
    assert stopped.exit_code == 0, stopped.output
    assert f"stopped ({WAYS[way][0].name}) at step {stopped.position} of {PICTURES // 4}" in stopped.output
    assert "run the same command to go on" in stopped.output
    assert 10 <= stopped.position < PICTURES // 4
    assert len(log_of(stopped.folder)) == stopped.position
    assert (stopped.folder / "model.safetensors").exists()


def test_a_killed_process_leaves_a_whole_checkpoint(interrupted: dict[str, Interrupted]) -> None:
    killed = interrupted["kill -9 amid saves"]
    assert killed.exit_code == -signal.SIGKILL, killed.output
    assert 9 <= killed.position < PICTURES // 4


@pytest.mark.parametrize("way", list(WAYS))
def test_the_same_command_makes_the_run_that_never_stopped(
    way: str, interrupted: dict[str, Interrupted], uninterrupted: Path, iclevr: Path
) -> None:
    folder = interrupted[way].folder
    ddpm.main(arguments(iclevr, folder))
    assert_same_run(folder, uninterrupted)


@pytest.fixture
def teacher_folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_weights(ClassifierNetwork(), {"preset": {"network": "teacher"}}, tmp_path / "teacher")
    return tmp_path / "teacher"


@pytest.mark.parametrize(
    ("name", "preset", "pictures"),
    [
        *((("ddpm", f"tiny-{stage}", 12)) for stage in ("where", "what", "report")),
        ("acgan", "tiny-where", 12),
        ("acgan", "tiny-what", 24),
        ("acgan", "tiny-report", 12),
        ("evaluator", "teacher", 128),
    ],
)
def test_slices_add_up_to_the_whole_for_every_trainer(
    name: str, preset: str, pictures: int, iclevr: Path, tmp_path: Path, teacher_folder: Path
) -> None:
    extra = ["--teacher", str(teacher_folder)] if name == "acgan" else []
    steps = pictures // TRAINED[name].PRESETS[preset].loop.batch
    whole, sliced = tmp_path / "whole", tmp_path / "sliced"
    TRAINERS[name]([*arguments(iclevr, whole, pictures, preset), *extra])
    for step in range(1, steps + 1):
        TRAINERS[name]([*arguments(iclevr, sliced, pictures, preset), *extra, "--max-minutes", "0"])
        assert torch.load(sliced / "state.pt", weights_only=True)["position"] == step
    assert_same_run(sliced, whole)


def test_a_kill_before_the_first_checkpoint_starts_again(iclevr: Path, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,pictures,seconds,loss\n1,4,0.1,9\n2,8,0.2,9\n")
    (tmp_path / "state.pt.part").write_bytes(b"half of a checkpoint")
    ddpm.main(arguments(iclevr, tmp_path, 16))
    assert [row["step"] for row in log_of(tmp_path)] == ["1", "2", "3", "4"]
    assert all(float(row["loss"]) < 9 for row in log_of(tmp_path))


def test_log_lines_past_the_checkpoint_are_made_again(uninterrupted: Path, iclevr: Path, tmp_path: Path) -> None:
    for _ in range(3):
        ddpm.main([*arguments(iclevr, tmp_path), "--max-minutes", "0"])
    with (tmp_path / "log.csv").open("a") as file:
        file.write("4,16,0.4,7,7,7,7,7\n5,20,0.5,7,7,7,7,7\n1")  # the last one torn in the middle of 10
    ddpm.main([*arguments(iclevr, tmp_path), "--max-minutes", "0"])
    assert log_of(tmp_path) == log_of(uninterrupted)[:4]


def test_a_save_that_fails_midway_keeps_the_old_checkpoint(
    iclevr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [*arguments(iclevr, tmp_path), "--max-minutes", "0"]
    ddpm.main(command)
    before = (tmp_path / "state.pt").read_bytes()

    def half(state: Any, file: Any) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(KeyboardInterrupt):
        ddpm.main(command)
    assert (tmp_path / "state.pt").read_bytes() == before


def test_other_settings_do_not_go_on_with_a_run(iclevr: Path, tmp_path: Path) -> None:
    ddpm.main(arguments(iclevr, tmp_path, 8))
    with pytest.raises(SystemExit, match=rf"{tmp_path / 'state.pt'}: made with other settings \(loop.seed 0, now 1\)"):
        ddpm.main([*arguments(iclevr, tmp_path, 8), "--seed", "1"])


@pytest.mark.parametrize("change", ["labels", "pictures"])
def test_other_data_do_not_go_on_with_a_run(write_data: Callable[..., Path], tmp_path: Path, change: str) -> None:
    folder = write_data(scenes=21)
    command = ["--data", str(folder), "--preset", "tiny-what", "--out", str(tmp_path / "run"), "--pictures", "8"]
    ddpm.main(command)
    listing = json.loads((folder / "train.json").read_text())
    first = list(listing)[3]  # of a scene that is learned from
    if change == "labels":
        listing[first] = ["purple cylinder"]
        (folder / "train.json").write_text(json.dumps(listing))
    else:
        Image.new("RGB", (64, 64), "white").save(folder / "images" / first)
    with pytest.raises(SystemExit, match=r"state.pt: made with other data: .* have changed since; put them back, or"):
        ddpm.main(command)


def test_compiling_without_a_compiler_is_one_sentence(
    iclevr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(SystemExit, match=r"error: --compile needs a C\+\+ compiler such as g\+\+, and there is none"):
        ddpm.main(["--data", str(iclevr), "--preset", "tiny-what", "--out", str(tmp_path / "run"), "--compile"])
    assert not (tmp_path / "run").exists()


def test_a_finished_run_can_be_made_longer(iclevr: Path, tmp_path: Path) -> None:
    ddpm.main(arguments(iclevr, tmp_path, 8))
    ddpm.main(arguments(iclevr, tmp_path, 16))
    assert [row["pictures"] for row in log_of(tmp_path)] == ["4", "8", "12", "16"]


# what a run leaves --------------------------------------------------------------------------------------------------


def test_a_run_leaves_a_model_that_loads_and_says_how_it_was_made(uninterrupted: Path) -> None:
    painter = Painter(ddpm.PRESETS["tiny-what"].model)
    load_weights(painter, uninterrupted)
    assert painter.empty.abs().max() > 0
    config = json.loads((uninterrupted / "config.json").read_text())
    assert config["kind"] == "ddpm"
    assert config["training"]["steps_done"] == PICTURES // 4
    assert config["training"]["pictures_seen"] == PICTURES
    assert config["preset"]["rate"] == ddpm.PRESETS["tiny-what"].rate
    assert (uninterrupted / "samples" / f"{PICTURES // 4:08d}.png").exists()
    assert not list(uninterrupted.rglob("*.part"))


def test_a_run_learns(uninterrupted: Path) -> None:
    errors = [float(row["loss"]) for row in log_of(uninterrupted)]
    assert sum(errors[20:50]) / 30 < 0.9 * sum(errors[:20]) / 20  # on windows; later come whole pictures


def test_the_averaged_weights_are_what_is_left(uninterrupted: Path) -> None:
    state = torch.load(uninterrupted / "state.pt", weights_only=True)
    left = load_file(uninterrupted / "model.safetensors")
    assert all(torch.equal(left[name], value.half()) for name, value in state["average"].items())
    assert any(not torch.equal(left[name], value.half()) for name, value in state["networks"]["network"].items())


@pytest.mark.parametrize("name", list(TRAINERS))
def test_a_dry_run_prints_the_settings_and_does_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TRAINERS[name](["--data", "nowhere", "--out", str(tmp_path / "run"), "--dry-run", "--pictures", "77"])
    assert json.loads(capsys.readouterr().out)["loop"]["pictures"] == 77
    assert not (tmp_path / "run").exists()


def test_any_setting_can_be_changed(capsys: pytest.CaptureFixture[str]) -> None:
    changes = ["loop.batch=128", "window=24", "model.widths=[16,32,64]", "adversary=1", "players.generator_rate=3e-4"]
    acgan.main(["--data", "nowhere", "--dry-run", "--set", *changes])
    found = json.loads(capsys.readouterr().out)
    assert (found["loop"]["batch"], found["window"], found["model"]["widths"]) == (128, 24, [16, 32, 64])
    assert (found["adversary"], found["players"]["generator_rate"]) == (1.0, 3e-4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("nowhere=3", "nowhere: Unexpected keyword argument"),
        ("nowhere.loop=3", "there is no setting 'nowhere.loop'"),
        ("loop.nowhere=3", "loop.nowhere: Unexpected keyword argument"),
        ("window=3.5", "window: Input should be a valid integer; it is 3.5"),
        ("loop=3", "loop: Input should be"),
        ("window.x=3", "there is no setting 'window.x'"),
        ("window", "Expecting value"),
        ("model.widths=wide", "Expecting value"),
    ],
)
def test_a_setting_that_is_none_is_named(change: str, said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        acgan.main(["--data", "nowhere", "--dry-run", "--set", change])
    assert str(ended.value).startswith(f"error: --set {change}: ")
    assert said in str(ended.value)


def test_the_classifier_is_scored_on_the_held_out_pictures(
    iclevr: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluator.main(arguments(iclevr, tmp_path, 64, "teacher"))
    found = json.loads((tmp_path / "metrics.json").read_text())["held_out"]
    assert found["pictures"] == 6
    network = ClassifierNetwork()
    load_weights(network, tmp_path)
    held_out = load_pictures(iclevr, progress=False).split()[1]
    assert evaluator.score(network, held_out) == found
    printed = capsys.readouterr().out
    assert all(f'"{name}": {value}' in printed for name, value in found.items())


# formulas -----------------------------------------------------------------------------------------------------------


def test_ema_decay_is_diffusers_warm_up() -> None:
    reference = EMAModel([nn.Parameter(torch.zeros(1))], decay=0.999, use_ema_warmup=True, inv_gamma=1.0, power=0.75)
    for step in (0, 1, 2, 10, 1000, 9999, 10**6):
        assert ema_decay(step, 0.999) == pytest.approx(reference.get_decay(step + 1))


def test_ema_averages_parameters_and_copies_buffers() -> None:
    network, average = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    nn.init.constant_(network.weight, 5.0)
    network.running_mean.fill_(3.0)  # type: ignore[union-attr]
    update_ema(average, network, 0.75)
    assert average.weight.tolist() == [2.0, 2.0]
    assert average.running_mean.tolist() == [3.0, 3.0]  # type: ignore[union-attr]


class LineTask(Task):
    """Descends along the steepest line there is, by plain gradient descent."""

    averaged = "line"

    def __init__(self, slope: float) -> None:
        self.slope = slope
        self.networks: dict[str, nn.Module] = {"line": nn.Linear(1, 1, bias=False)}
        nn.init.zeros_(self.networks["line"].weight)  # type: ignore[arg-type]
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "sgd": torch.optim.SGD(self.networks["line"].parameters(), lr=123.0)
        }

    def step(self, batch: Batch, run: Run) -> dict[str, torch.Tensor]:
        weight = next(self.networks["line"].parameters())
        loss = self.slope * weight.sum()
        run.descend(loss, ["sgd"], "line", rate=0.5)
        return {"loss": loss}

    def config(self) -> dict[str, Any]:
        return {}


def pictures(count: int = 10) -> Examples:
    blank = torch.zeros(count, 3, 64, 64, dtype=torch.uint8)
    return Examples(Pictures(blank, torch.zeros(count, 24), torch.arange(count)))


def run_of(folder: Path, slope: float = 1.0, count: int = 10, **settings: Any) -> Run:
    return Run(LineTask(slope), pictures(count), LoopSettings(**{"pictures": 20, "batch": 4, **settings}), folder)


@pytest.mark.parametrize(("slope", "clip", "step"), [(100.0, 1.0, 0.5), (0.1, 1.0, 0.05), (100.0, 0.0, 50.0)])
def test_gradients_are_clipped_to_their_largest_norm(tmp_path: Path, slope: float, clip: float, step: float) -> None:
    run = run_of(tmp_path, slope, clip=clip)
    assert run.train()
    weight = next(run.plain["line"].parameters())
    assert weight.item() == pytest.approx(-5 * step, rel=1e-4)
    assert weight.grad is None


def test_ema_weights_follow_the_formula_through_a_run(tmp_path: Path) -> None:
    run = run_of(tmp_path, clip=0.0, ema=0.9)
    run.train()
    average = 0.0
    for step in range(5):
        decay = min(0.9, 1 - (1 + step) ** -0.75)
        average = decay * average + (1 - decay) * -0.5 * (step + 1)
    assert next(run.exported().parameters()).item() == pytest.approx(average, rel=1e-5)


def test_moments_are_evenly_spaced_in_the_logarithm_and_kept_as_a_run_is(tmp_path: Path) -> None:
    sixteen = sorted(moments_of(LoopSettings(500_000, 100), 16))
    assert (len(sixteen), sixteen[0], sixteen[-1]) == (16, 10, 5000)
    assert all(1.4 < later / earlier < 1.61 for earlier, later in pairwise(sixteen))
    run = Run(LineTask(1.0), pictures(1), LoopSettings(4000, 1000, clip=0.0), tmp_path, moments=3)
    run.train()
    kept = {folder.name: load_file(folder / "model.safetensors") for folder in (tmp_path / "moments").iterdir()}
    assert {name: [float(value) for value in one.values()] for name, one in kept.items()} == {
        "00001000": [-0.5], "00002000": [-1.0], "00004000": [-2.0],
    }  # fmt: skip


def test_the_log_holds_the_mean_of_each_interval(tmp_path: Path) -> None:
    run_of(tmp_path, clip=0.0, pictures=24, log_every=3).train()
    rows = log_of(tmp_path)
    assert [(row["step"], row["pictures"]) for row in rows] == [("3", "12"), ("6", "24")]
    assert [float(row["loss"]) for row in rows] == pytest.approx([-0.5, -2.0])  # 0, -0.5, -1 and -1.5, -2, -2.5


def test_an_interval_that_was_interrupted_has_the_same_mean(tmp_path: Path) -> None:
    for _ in range(6):
        run_of(tmp_path, clip=0.0, pictures=24, log_every=3).train(max_minutes=0)
    assert [float(row["loss"]) for row in log_of(tmp_path)] == pytest.approx([-0.5, -2.0])


def test_every_epoch_shows_every_picture_once_in_a_new_order(tmp_path: Path) -> None:
    shown = torch.cat(list(run_of(tmp_path, count=10, pictures=40).batches())).tolist()
    epochs = [shown[start : start + 10] for start in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    other = torch.cat(list(run_of(tmp_path, count=10, pictures=40, seed=1).batches())).tolist()
    assert shown != other


def test_several_processes_share_the_batches_of_one(tmp_path: Path) -> None:
    alone = list(run_of(tmp_path, pictures=40).batches())
    shares = []
    for rank in range(2):
        run = run_of(tmp_path, pictures=40)
        run.accelerator = SimpleNamespace(process_index=rank, num_processes=2)
        shares.append(list(run.batches()))
    for whole, first, second in zip(alone, *shares, strict=True):
        assert torch.stack([first, second], dim=1).flatten().tolist() == whole.tolist()


def test_a_step_uses_the_same_randomness_whenever_it_is_made(tmp_path: Path) -> None:
    def drawn(before: Callable[[], object]) -> torch.Tensor:
        run, seen = run_of(tmp_path / "run"), []
        original = run.task.step

        def step(batch: Batch, run: Run) -> dict[str, torch.Tensor]:
            seen.append(torch.rand(3))
            return original(batch, run)

        run.task.step = step  # type: ignore[method-assign]
        run.position = 3
        before()
        run.one_step(torch.tensor([0]), SimpleNamespace(update=lambda _: None), 0.0)
        return seen[0]

    assert torch.equal(drawn(lambda: torch.manual_seed(1)), drawn(lambda: torch.rand(100)))


def test_the_network_that_is_averaged_starts_as_a_copy(tmp_path: Path) -> None:
    run = run_of(tmp_path, ema=0.9)
    before = copy.deepcopy(run.average.state_dict())
    with torch.no_grad():
        next(run.plain["line"].parameters()).add_(1)
    assert all(torch.equal(value, before[name]) for name, value in run.average.state_dict().items())
