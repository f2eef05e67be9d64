"""What a run starts from instead of random weights: another run's network, or a stage of a checkpoint.

`--start FOLDER` takes the folder of a run of the same stage, or a checkpoint that holds it. The new run then says in
its config.json how those weights were trained, and keeps their log beside its own.
"""

from __future__ import annotations

import shutil
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


def begin(task: Task, start: Path, folder: Path) -> dict[str, Any]:
    """Gives a task's network the weights of `start`; returns what config.json should say of them. The buffers that a
    task names in `from_data` keep what its own pictures say, the weights in `added` that `start` lacks what they are.

    Raises:
        CheckpointError: they are of another network.
    """
    config = task.config()
    kind, stage = config["kind"], config.get("stage")
    weights, before = start_weights(start, kind, stage), read_config(start)
    network = task.networks[task.averaged]
    own = network.state_dict()
    weights = {name: own[name] for name in task.added} | weights | {name: own[name] for name in task.from_data}
    try:
        network.load_state_dict(weights)
    except RuntimeError:
        raise CheckpointError(f"{start / WEIGHTS}: weights of a network of another size") from None
    training = before.get("training", {})
    log = start / LOG if "stage" in before or stage is None else start / f"log-{stage}.csv"
    if log.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, folder / START_LOG)
    if stage in training:
        return dict(training[stage])
    return {"preset": before.get("preset"), **training}
