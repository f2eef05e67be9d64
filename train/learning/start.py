"""What a run starts from instead of random weights: another run's network, or a stage of a checkpoint.

`--start FOLDER` takes the folder of a run of the same stage, or a checkpoint that holds it. The new run then says in
its config.json how those weights were trained, and keeps their log beside its own. Of several folders the mean of their
weights is taken (Wortsman et al. 2022, arXiv:2109.01903 and 2203.05482): one that has learnt something new and the one
that it began with then go on together; config.json says how each was trained, and the first one's log is kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from clevr_demo.checkpoints import WEIGHTS, CheckpointError, folder_of, read_config
from train.learning.runfolder import LOG
from train.learning.task import Task

STAGES = {"where": "planner", "what": "painter", "fast": "fast"}  # the stages' names inside both models' networks
START_LOG = "log-start.csv"


def start_weights(folder: Path, kind: str, stage: str | None) -> dict[str, torch.Tensor]:
    """The weights of a network, float32, out of a run's folder or a checkpoint of the kind.

    Raises:
        CheckpointError: the folder holds none of that kind and stage.
    """
    folder = folder_of(kind, folder)
    config, state = read_config(folder), load_file(folder / WEIGHTS)
    prefix = f"{STAGES[stage]}." if stage and "stage" not in config else ""
    found = {key.removeprefix(prefix): value.float() for key, value in state.items() if key.startswith(prefix)}
    if config.get("kind") != kind or config.get("stage", stage) != stage or not found:
        what = f"stage {stage!r} of the {kind}" if stage else kind
        raise CheckpointError(f"{folder / WEIGHTS}: holds no {what}")
    return found


def begin(task: Task, starts: Sequence[Path], folder: Path) -> dict[str, Any]:
    """Gives a task's network the mean of the weights of `starts`; returns what config.json should say of them. The
    buffers that a task names in `from_data` keep what its own pictures say, the weights in `added` that `starts` lack
    what they are.

    Raises:
        CheckpointError: they are of another network.
    """
    config = task.config()
    kind, stage = config["kind"], config.get("stage")
    network = task.networks[task.averaged]
    own = network.state_dict()
    kept = {name: own[name] for name in task.from_data}
    found = []
    for start in starts:
        found.append({name: own[name] for name in task.added} | start_weights(start, kind, stage) | kept)
        try:
            network.load_state_dict(found[-1])
        except RuntimeError:
            raise CheckpointError(f"{start / WEIGHTS}: weights of a network of another size") from None
    network.load_state_dict({name: sum(one[name] for one in found) / len(found) for name in own})
    if len(starts) == 1:
        task.begun(starts[0])
    told = [told_of(start, stage) for start in starts]
    log = starts[0] / (LOG if is_run(starts[0], stage) else f"log-{stage}.csv")
    if log.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, folder / START_LOG)
    return told[0] if len(told) == 1 else {"mean of": told}


def is_run(start: Path, stage: str | None) -> bool:
    """Whether a folder is a run's, not a checkpoint that holds the stage."""
    return stage is None or "stage" in read_config(start)


def told_of(start: Path, stage: str | None) -> dict[str, Any]:
    """How the weights of a stage in the folder `start` were trained."""
    before = read_config(start)
    training = before.get("training", {})
    return dict(training[stage]) if stage in training else {"preset": before.get("preset"), **training}
