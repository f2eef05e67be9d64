"""Puts the two stages of a model, each trained by itself, together into one checkpoint folder.

    python -m train.join ddpm --where runs/ddpm-where --what runs/ddpm-what --out checkpoints/ddpm

The folder then holds model.safetensors, config.json with how each stage was trained, and a log of each. Nothing is
written unless the two fit each other and the model loads.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

import clevr_demo
from clevr_demo.checkpoints import CONFIG, WEIGHTS, CheckpointError, folder_of, read_config, write_bytes, write_json
from train.options import clear_errors
from train.runfolder import LOG

STAGES = {  # the stages' names inside each model's network
    "ddpm": {"where": "planner", "what": "painter"},
    "acgan": {"where": "planner", "what": "painter"},
}


def stage_weights(name: str, stage: str, folder: Path) -> dict[str, torch.Tensor]:
    """The weights of one stage, float32, out of a checkpoint folder that `join` wrote, to start a run from.

    Raises:
        CheckpointError: if the folder holds none of that stage.
    """
    prefix = f"{STAGES[name][stage]}."
    state = load_file(folder_of(name, folder) / WEIGHTS)
    found = {key.removeprefix(prefix): value.float() for key, value in state.items() if key.startswith(prefix)}
    if not found:
        raise CheckpointError(f"{folder / WEIGHTS}: holds no stage {stage!r} of the {name}")
    return found


def join(name: str, runs: dict[str, Path], out: Path) -> None:
    """Writes the checkpoint folder `out` of the model `name` from the run folders of its stages.

    Raises:
        CheckpointError: if a run is of another model or stage, or if the two were not made for each other.
    """
    state: dict[str, torch.Tensor] = {}
    training: dict[str, Any] = {}
    models: list[dict[str, Any]] = []
    for stage, folder in runs.items():
        config = read_config(folder)
        if (config.get("kind"), config.get("stage")) != (name, stage):
            raise CheckpointError(f"{folder}: not a run of the {name}'s stage {stage!r}")
        models.append(config["model"])
        training[stage] = {"preset": config.get("preset"), **config.get("training", {})}
        weights = load_file(folder / WEIGHTS)
        state |= {f"{STAGES[name][stage]}.{key}": value for key, value in weights.items()}
    if models[0] != models[1]:
        raise CheckpointError(f"{' and '.join(map(str, runs.values()))}: made for different settings of the network")
    with tempfile.TemporaryDirectory() as made:
        save_file(state, Path(made) / WEIGHTS)
        written: dict[str, Any] = {"kind": name, "model": models[0], "training": training}
        write_json(Path(made) / CONFIG, written)
        clevr_demo.load(name, made, "cpu")
        for file in (WEIGHTS, CONFIG):
            write_bytes(out / file, (Path(made) / file).read_bytes())
    for stage, folder in runs.items():
        if (folder / LOG).exists():
            shutil.copy(folder / LOG, out / f"log-{stage}.csv")


@clear_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=sorted(STAGES))
    parser.add_argument("--where", required=True, type=Path, help="the run folder of the places' stage")
    parser.add_argument("--what", required=True, type=Path, help="the run folder of the pixels' stage")
    parser.add_argument("--out", required=True, type=Path, help="the checkpoint folder to write")
    options = parser.parse_args(argv)
    join(options.model, {"where": options.where, "what": options.what}, options.out)
    print(f"{options.out}: {clevr_demo.load(options.model, options.out, 'cpu').name}")


if __name__ == "__main__":
    main()
