"""What the tests share: a tiny i-CLEVR that is drawn here, tiny networks, and where the real things are."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
from PIL import Image, ImageDraw

from clevr_demo import checkpoints
from clevr_demo.generators.ddpm import DDPMConfig, DDPMNetwork, DiffusionGenerator
from clevr_demo.judge.classifier import ClassifierNetwork
from clevr_demo.objects import COLOURS, INDEX, OBJECTS
from train.ddpm import PRESETS

# The networks here are tiny: a second thread only waits for the first, for long where the cores are busy.
os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests start
torch.set_num_threads(1)

# How many cases a property test tries; the counts that stand in tests/README.md were made with CLEVR_FUZZ set.
hypothesis.settings.register_profile(
    "clevr",
    max_examples=int(os.environ.get("CLEVR_FUZZ", "200")),
    deadline=None,
    database=None,
    derandomize="CLEVR_FUZZ" not in os.environ,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("clevr")


SCENES = 21  # so that scene 0 and scene 20 are held out
OBJECTS_A_SCENE = 3


def objects_of(scene: int, count: int) -> list[str]:
    """Names of the first `count` objects of a drawn scene."""
    return [OBJECTS[(scene * 5 + 7 * place) % len(OBJECTS)] for place in range(count)]


def draw(names: list[str], size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A picture that shows each object as a rectangle, an ellipse or a tall bar of its colour."""
    picture = Image.new("RGB", size, (70, 70, 70))
    pen = ImageDraw.Draw(picture)
    for place, name in enumerate(names):
        colour, shape = name.split()
        x, y = 6 + 20 * place, 20 + 6 * COLOURS.index(colour) // 2
        box = (x, y, x + (8 if shape == "cylinder" else 16), y + 16)
        (pen.ellipse if shape == "sphere" else pen.rectangle)(box, fill=colour)
    return picture.resize(size)


def write_iclevr(folder: Path, pictures: str = "images", scenes: int = SCENES) -> Path:
    """A data folder as the course hands it out, its pictures in the sub-folder `pictures`."""
    (folder / pictures).mkdir(parents=True, exist_ok=True)
    listing = {}
    for scene in range(scenes):
        for count in range(1, OBJECTS_A_SCENE + 1):
            name = f"CLEVR_train_{scene:06d}_{count - 1}.png"
            listing[name] = objects_of(scene, count)
            draw(listing[name]).save(folder / pictures / name)
    (folder / "train.json").write_text(json.dumps(listing))
    (folder / "objects.json").write_text(json.dumps(INDEX))
    (folder / "test.json").write_text(json.dumps([["red cube"], ["blue sphere", "gray cylinder"]]))
    return folder


@pytest.fixture
def write_data(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small data folder to break: `write_data(pictures="images", scenes=2)`."""
    return lambda pictures="images", scenes=2: write_iclevr(tmp_path / "data", pictures, scenes)


@pytest.fixture(scope="session")
def iclevr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny i-CLEVR to read and to train on: 21 scenes of three pictures."""
    return write_iclevr(tmp_path_factory.mktemp("iclevr"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The real i-CLEVR."""
    folder = os.environ.get("CLEVR_DATA")
    if not folder:
        pytest.skip("CLEVR_DATA names no folder with the real i-CLEVR pictures")
    return Path(folder)


def seconds_of(act: Callable[[], Any], at_most: float = 0.0) -> float:
    """Processor time of one core that something takes, the least of some tries: what else runs shares the core. Once it
    is below `at_most`, that is enough."""
    spent: list[float] = []
    while len(spent) < 5 or (min(spent) >= at_most and len(spent) < 50):
        started = time.process_time()
        act()
        spent.append(time.process_time() - started)
    return min(spent)


def billion_operations() -> float:
    """Seconds of one core for a matrix product of 10^9 operations: some ten milliseconds, by which other machines are
    told from this one."""
    left, right = torch.randn(500, 1000), torch.randn(1000, 1000)
    return seconds_of(lambda: left @ right)


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for what another thread does, however busy the machine is."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.01)


def shipped(name: str) -> Path:
    """The folder of a checkpoint that ships with the project."""
    folder = checkpoints.ROOT / name
    if not (folder / checkpoints.WEIGHTS).is_file():
        pytest.skip(f"checkpoints/{name} holds no weights")
    return folder


def shaken(network: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """The network with random weights everywhere, so that no part of it starts at zero and hides."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return network


TINY = PRESETS["tiny-what"].model


def tiny_ddpm(config: DDPMConfig = TINY, chunk: int = 1) -> DiffusionGenerator:
    torch.manual_seed(0)
    network = shaken(DDPMNetwork(config))
    assert isinstance(network, DDPMNetwork)
    return DiffusionGenerator(network, "ddpm@tiny", torch.device("cpu"), chunk)


@pytest.fixture(scope="session")
def ddpm() -> DiffusionGenerator:
    """A tiny DDPM with random weights."""
    return tiny_ddpm()


@pytest.fixture(scope="session")
def judge_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder with a classifier of random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("judge")
    checkpoints.save_weights(ClassifierNetwork(), {"kind": "classifier"}, folder)
    return folder
