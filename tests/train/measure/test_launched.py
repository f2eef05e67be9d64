"""The command as it is given: alone, shared out to processes, and killed, it keeps the same records."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clevr_demo.checkpoints import CONFIG, WEIGHTS, read_metrics
from clevr_demo.records import FILE
from tests.conftest import shipped

PROMPTS = [["red cube"], ["blue sphere", "gray cylinder"], ["cyan cube", "red sphere", "green cylinder"]]
SEEDS = 11
"""33 pictures: after a part of 32 for two processes one of them has a picture and the other none."""
TWO = ("--multi_gpu", "--num_processes", "2", "--main_process_port", "0")
LITERAL = ("--cpu", "--num_processes", "2")
"""What reads like two processes, of which accelerate starts one where no mpirun is named."""


def kept(folder: Path) -> bytes:
    """The records of a folder byte by byte, but for the column of the seconds."""
    lines = csv.reader(io.StringIO(gzip.decompress((folder / FILE).read_bytes()).decode(), newline=""))
    header, *rows = lines
    column = header.index("seconds")
    assert all(float(row[column]) > 0 for row in rows)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(row[:column] + row[column + 1 :] for row in (header, *rows))
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory, iclevr: Path) -> Callable[..., tuple[Path, list[str]]]:
    """A folder of its own with the ACGAN's weights, and the words of a command that measures it."""
    for judge in ("detector", "classifier", "teacher"):
        shipped(judge)
    weights, prompts = shipped("acgan"), tmp_path_factory.mktemp("prompts") / "prompts.json"
    prompts.write_text(json.dumps(PROMPTS))

    def made(*launch: str) -> tuple[Path, list[str]]:
        folder = tmp_path_factory.mktemp("acgan")
        for path in (weights / WEIGHTS, weights / CONFIG, *weights.glob("*.onnx")):
            shutil.copy(path, folder)
        module = ["accelerate.commands.launch", *launch, "-m"] if launch else []
        words = ["train.measure", "scores", "--model", "acgan", "--checkpoint", str(folder), "--data", str(iclevr)]
        asked = ["--prompts", str(prompts), "--seeds", str(SEEDS), "--device", "cpu"]
        return folder, [sys.executable, "-m", *module, *words, *asked]

    return made


def run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def alone(command: Callable[..., tuple[Path, list[str]]]) -> Path:
    """The folder of a run that nothing stopped, in one process."""
    folder, words = command()
    run(words)
    return folder


@pytest.mark.parametrize(
    ("launch", "by"), [(TWO, "accelerate launch --multi_gpu --num_processes 2"), (LITERAL, "python")]
)
def test_however_it_is_launched_it_keeps_the_same_records(
    launch: tuple[str, ...], by: str, command: Callable[..., tuple[Path, list[str]]], alone: Path
) -> None:
    folder, words = command(*launch)
    run(words)
    assert kept(folder) == kept(alone)
    assert kept(folder).count(b"\n") == 1 + SEEDS * len(PROMPTS)
    (entry,), (whole,) = (read_metrics(one)["scores"].values() for one in (folder, alone))
    assert entry | {"command": "", "seconds": 0} == whole | {"command": "", "seconds": 0}
    assert entry["command"].startswith(f"{by} -m train.measure scores")


def test_a_killed_run_goes_on_and_keeps_the_same_records(
    command: Callable[..., tuple[Path, list[str]]], alone: Path
) -> None:
    folder, words = command()
    running = subprocess.Popen(words, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while not (folder / FILE).exists() and running.poll() is None:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    part = kept(folder).splitlines()
    assert 1 < len(part) < 1 + SEEDS * len(PROMPTS)
    run(words)
    assert kept(folder) == kept(alone)
    assert {*part} < {*kept(folder).splitlines()}
