"""Puts the stages of a model, each trained by itself, together into one checkpoint folder.

    python -m train.join ddpm --where runs/ddpm-where --what runs/ddpm-what --fast runs/ddpm-fast --out checkpoints/ddpm

`--fast` is the DDPM's distilled painter and may be left out. A checkpoint in place of a run gives the stage that it
holds, so that one can be changed and the others kept. The folder then holds model.safetensors, config.json with how
each stage was trained, and a log of each. Nothing is written unless they fit each other and the model loads. Graphs of
the networks are written last (`train.graphs`), unless `--no-graphs` says otherwise.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

import clevr_demo
from clevr_demo.checkpoints import CONFIG, WEIGHTS, CheckpointError, read_config, write_bytes, write_json
from train.graphs import write_graphs
from train.learning.options import clear_errors
from train.learning.runfolder import LOG
from train.learning.start import STAGES, START_LOG

MODELS = ("acgan", "ddpm")
MAKING = {  # settings, or their beginnings, that make a stage and that only its own run has to get right
    "where": ("planner_", "layout_noise"),
    "what": ("widths", "blocks", "object_noise", "picture_noise", "light"),
    "fast": ("fast_steps",),
}


def joined(models: dict[str, dict[str, Any]], runs: str) -> dict[str, Any]:
    """The network's settings out of those of its stages' runs, each stage's own from its own run.

    Raises:
        CheckpointError: another setting differs between the runs.
    """
    found = dict(models["what"])
    for stage, model in models.items():
        for setting, value in model.items():
            owner = next((one for one, names in MAKING.items() if setting.startswith(names)), None)
            if owner == stage:
                found[setting] = value
            elif owner is None and value != found.get(setting, value):
                raise CheckpointError(f"{runs}: made for different settings of the network ({setting})")
    return found


def join(name: str, runs: dict[str, Path], out: Path) -> None:
    """Writes the checkpoint folder `out` of the model `name` from its stages' runs, or checkpoints that hold them.

    Raises:
        CheckpointError: if a run is of another model or stage, or if they were not made for each other.
    """
    state: dict[str, torch.Tensor] = {}
    training: dict[str, Any] = {}
    models: dict[str, dict[str, Any]] = {}
    logs: dict[str, bytes] = {}
    for stage, folder in runs.items():
        config = read_config(folder)
        run = "stage" in config
        if config.get("kind") != name or (config["stage"] != stage if run else stage not in config.get("training", {})):
            raise CheckpointError(f"{folder}: not a run of the {name}'s stage {stage!r}")
        models[stage] = config["model"]
        told = config.get("training", {})
        training[stage] = {"preset": config.get("preset"), **told} if run else told[stage]
        weights, own = load_file(folder / WEIGHTS), "" if run else f"{STAGES[stage]}."
        state |= {f"{STAGES[stage]}.{key.removeprefix(own)}": weights[key] for key in weights if key.startswith(own)}
        kept = {f"log-{stage}.csv": LOG, f"log-{stage}-start.csv": START_LOG}
        files = {to: folder / (log if run else to) for to, log in kept.items()}
        logs |= {to: file.read_bytes() for to, file in files.items() if file.exists()}
    model = joined(models, " and ".join(map(str, runs.values())))
    with tempfile.TemporaryDirectory() as made:
        save_file(state, Path(made) / WEIGHTS)
        written: dict[str, Any] = {"kind": name, "model": model, "training": training}
        write_json(Path(made) / CONFIG, written)
        clevr_demo.load(name, made, "cpu")
        for file in (WEIGHTS, CONFIG):
            write_bytes(out / file, (Path(made) / file).read_bytes())
    for file, log in logs.items():
        write_bytes(out / file, log)


@clear_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--where", required=True, type=Path, help="the run of the places' stage, or a checkpoint")
    parser.add_argument("--what", required=True, type=Path, help="the run of the pixels' stage, or a checkpoint")
    parser.add_argument("--fast", type=Path, help="the run of the DDPM's distilled painter, or a checkpoint")
    parser.add_argument("--out", required=True, type=Path, help="the checkpoint folder to write")
    parser.add_argument("--graphs", action=argparse.BooleanOptionalAction, default=True, help="write graphs as well")
    options = parser.parse_args(argv)
    runs = {stage: getattr(options, stage) for stage in STAGES if getattr(options, stage)}
    join(options.model, runs, options.out)
    if options.graphs:
        write_graphs(options.out)
    print(f"{options.out}: {clevr_demo.load(options.model, options.out, 'cpu').name}")


if __name__ == "__main__":
    main()
