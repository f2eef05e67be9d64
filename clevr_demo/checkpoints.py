"""Find, verify and load weights: safetensors beside a config.json, nothing pickled.

A checkpoint folder holds `model.safetensors` (fp16), `config.json` and, once scored, `metrics.json`. The name a
result carries is the model's name with the first eight hex digits of the weights' SHA-256. Where the same weights came
to draw other pixels, because the code that draws with them changed, `config.json` counts a `revision`, which is hashed
with them: the model then has a new name, and links made before say so.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import torch
from safetensors.torch import load_file, save
from torch import nn

ROOT = Path(__file__).resolve().parent.parent / "checkpoints"
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
Config = TypeVar("Config")


class CheckpointError(Exception):
    """A checkpoint that cannot be used; the message names the file."""


def folder_of(name: str, path: str | Path | None = None) -> Path:
    """The folder of a model's checkpoint: `path`, or the one that ships with the project."""
    folder = Path(path) if path else ROOT / name
    for needed in (WEIGHTS, CONFIG):
        if not (folder / needed).is_file():
            raise CheckpointError(f"{folder / needed}: missing; train the {name} or name another checkpoint folder")
    return folder


def read_config(folder: Path) -> dict[str, Any]:
    """The settings stored beside the weights."""
    try:
        return json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{folder / CONFIG}: not valid JSON ({error})") from None


def configured(config_type: Callable[..., Config], folder: Path) -> Config:
    """The network's settings, "model" in config.json, as their dataclass; another model's are a CheckpointError."""
    try:
        return config_type(**read_config(folder)["model"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / CONFIG}: not the settings of this kind of network ({error})") from None


def fingerprint(folder: Path) -> str:
    """First eight hex digits of the SHA-256 of the weights file, and of the revision where there is one."""
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes())
    if revision := read_config(folder).get("revision"):
        digest.update(f"revision {revision}".encode())
    return digest.hexdigest()[:8]


def load_weights(network: nn.Module, folder: Path) -> None:
    """Loads the weights into the network, as float32; a misfit is a CheckpointError."""
    try:
        state = load_file(folder / WEIGHTS)
        floats = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
        network.load_state_dict(floats)
    except Exception as error:  # safetensors raises its own error type, torch a RuntimeError
        raise CheckpointError(f"{folder / WEIGHTS}: does not fit its config.json ({error})") from error


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write beside its place and renamed there at the end: readers see the old or the new one, none half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=2) + "\n")


def save_weights(network: nn.Module, config: dict[str, Any], folder: Path) -> None:
    """Writes model.safetensors (floats as fp16) and config.json."""
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in network.state_dict().items()
    }
    write_bytes(folder / WEIGHTS, save(state))
    write_json(folder / CONFIG, config)


def pick_device(device: str = "auto") -> torch.device:
    """The one place that decides where networks run: "auto" takes a GPU where there is one."""
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"unknown device {device!r}; use 'auto', 'cpu' or 'cuda'")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)
