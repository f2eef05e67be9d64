"""Find, verify and load weights: safetensors beside a config.json, nothing pickled.

A checkpoint folder holds `model.safetensors` (fp16), `config.json` and, once scored, `metrics.json`. The name a
result carries is the model's name with the first eight hex digits of the weights' SHA-256. Where the same weights came
to draw other pixels, because the code that draws with them changed, `config.json` counts a `revision`, which is hashed
with them: the model then has a new name, and links made before say so.

A folder may come from anywhere. Whatever is wrong with it is one `CheckpointError` that names the file: every setting
is checked against its type, the weights against the network before that is made, and each of them is a finite number.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import tempfile
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import NoneType, UnionType
from typing import IO, Any, Literal, TypeVar

import torch
from safetensors.torch import load_file, save
from torch import nn

from clevr_demo.objects import shown

_INSTALLED = Path(__file__).resolve().parent / "weights"
ROOT = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parent.parent / "checkpoints"
"""Where the weights that ship with the project lie: inside the installed package, or in the repository."""
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
METRICS = "metrics.json"
SECTIONS: dict[str, type] = {
    "kind": str,
    "revision": int,
    "temperature": float,
    "model": dict,
    "preset": dict,
    "training": dict,
}
"""What may stand in config.json, where it does: the types of its sections."""
LARGEST = 2**16
"""The largest whole number that a network's settings may hold."""
LONGEST = 64
"""The longest list that they may hold."""
Config = TypeVar("Config")
Network = TypeVar("Network", bound=nn.Module)


class CheckpointError(Exception):
    """A checkpoint that cannot be used; the message names the file."""


def reason(error: Exception) -> str:
    """What another library's error says, in one line of at most 200 characters."""
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first[:200]}"


def folder_of(name: str, path: str | Path | None = None) -> Path:
    """The folder of a model's checkpoint: `path`, or the one that ships with the project."""
    folder = Path(path) if path else ROOT / name
    for needed in (WEIGHTS, CONFIG):
        if not (folder / needed).is_file():
            raise CheckpointError(f"{folder / needed}: missing; train the {name} or name another checkpoint folder")
    return folder


def read_config(folder: Path) -> dict[str, Any]:
    """The settings stored beside the weights."""
    path = folder / CONFIG
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(found, dict):
        raise CheckpointError(f"{path}: expected an object of settings, not {shown(found)}")
    for section, kind in SECTIONS.items():
        value = found.get(section)
        if section in found and (
            type(value) is not kind or not 0 < (value if isinstance(value, float) else 1) < LARGEST
        ):
            raise CheckpointError(f"{path}: {section} is no {kind.__name__} that fits: {shown(value)}")
    return found


def read_metrics(folder: Path) -> dict[str, Any]:
    """What was measured of the weights, an entry a measure; empty where nothing was.

    Raises:
        CheckpointError: metrics.json is broken.
    """
    path = folder / METRICS
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(found, dict):
        raise CheckpointError(f"{path}: expected an object of measures, not {shown(found)}")
    return found


def setting(default: Any, low: float, high: float) -> Any:
    """A dataclass field for a setting that a checkpoint may have, or each of whose values, between two numbers."""
    return dataclasses.field(default=default, metadata={"between": (low, high)})


def fitted(value: Any, hint: Any) -> Any:
    """The JSON value as what the type hint of a setting asks for; a ValueError if it does not fit."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return bounded(value)
    if origin in (typing.Union, UnionType):
        if value is None and NoneType in inner:
            return None
        return fitted(value, next(kind for kind in inner if kind is not NoneType))
    if origin is Literal:
        if any(type(value) is type(choice) and value == choice for choice in inner):
            return value
        raise ValueError(f"{shown(value)} is none of {', '.join(map(repr, inner))}")
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass(value, hint)
    if origin is dict and isinstance(value, dict):
        return {name: fitted(one, inner[1]) for name, one in value.items()}
    if origin is tuple and isinstance(value, (list, tuple)):
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        if len(value) == len(kinds) <= LONGEST:
            return tuple(fitted(one, kind) for one, kind in zip(value, kinds, strict=True))
    if hint is int and type(value) is int and abs(value) <= LARGEST:
        return value
    if hint is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if hint in (bool, str) and type(value) is hint:
        return value
    raise ValueError(f"{shown(value)} is no {getattr(hint, '__name__', hint)} that a network can have")


def bounded(value: Any, most: int = 1024) -> Any:
    """A JSON value of any type that holds no giant: a network may make a layer for each number or entry."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if len(inner) > most or (isinstance(value, (int, float)) and not abs(value) <= most):
        raise ValueError(f"{shown(value)} is too large for a network's setting")
    for one in inner:
        bounded(one, most)
    return value


def _dataclass(values: Any, kind: Any) -> Any:
    """The dataclass with these values, each fitted to its field; a ValueError that names the field otherwise."""
    if not isinstance(values, Mapping):
        raise ValueError(f"expected settings, not {shown(values)}")
    hints = typing.get_type_hints(kind)
    limits = {field.name: field.metadata.get("between") for field in dataclasses.fields(kind)}
    if unknown := [name for name in values if name not in hints]:
        raise ValueError(f"unknown setting {shown(unknown[0])}")
    fits = {}
    for name, value in values.items():
        try:
            fits[name] = fitted(value, hints[name])
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{name}: {error}") from None
        numbers = fits[name] if isinstance(fits[name], tuple) else [fits[name]]
        if (between := limits[name]) and not all(between[0] <= number <= between[1] for number in numbers):
            raise ValueError(f"{name}: {shown(value)} is not between {between[0]:g} and {between[1]:g}")
    return kind(**fits)


def configured(config_type: Callable[..., Config], folder: Path) -> Config:
    """The network's settings, "model" in config.json, as their dataclass; another model's are a CheckpointError."""
    try:
        found: Config = fitted(read_config(folder)["model"], config_type)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder / CONFIG}: not the settings of this kind of network ({error})") from None
    return found


def fingerprint(folder: Path) -> str:
    """First eight hex digits of the SHA-256 of the weights file, and of the revision where there is one."""
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes())
    if revision := read_config(folder).get("revision"):
        digest.update(f"revision {revision}".encode())
    return digest.hexdigest()[:8]


def read_weights(folder: Path, expected: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of a folder, floats as float32, if they are finite and of the expected names, shapes and kinds."""
    path = folder / WEIGHTS
    try:
        state = load_file(path)
    except Exception as error:  # safetensors raises an error type of its own, and others
        raise CheckpointError(f"{path}: not readable as safetensors ({reason(error)})") from error
    for name in sorted(state.keys() ^ expected.keys()):
        found = "unknown" if name in state else "missing"
        raise CheckpointError(f"{path}: does not fit its config.json ({shown(name)} is {found})")
    for name, value in state.items():
        wanted = expected[name]
        if value.shape != wanted.shape or value.is_floating_point() != wanted.is_floating_point():
            raise CheckpointError(
                f"{path}: does not fit its config.json ({name} is {list(value.shape)} of {value.dtype}, "
                f"the network has {list(wanted.shape)} of {wanted.dtype})"
            )
        if value.is_floating_point() and not bool(value.float().isfinite().all()):
            raise CheckpointError(f"{path}: {name} holds numbers that are not finite")
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def load_weights(network: nn.Module, folder: Path) -> None:
    """Loads the weights into the network, as float32; a misfit is a CheckpointError."""
    network.load_state_dict(read_weights(folder, network.state_dict()))


def load_network(make: Callable[[], Network], folder: Path) -> Network:
    """The network that `make` makes, with the weights of the folder.

    It is made without memory first, so that settings for a giant are found not to fit before one is made.

    Raises:
        CheckpointError: the settings make no network, or the weights are not its own.
    """
    try:
        with torch.device("meta"):
            expected = make().state_dict()
    except Exception as error:  # each kind of network fails in its own way
        raise CheckpointError(f"{folder / CONFIG}: makes no network ({reason(error)})") from error
    state = read_weights(folder, expected)
    network = make()
    network.load_state_dict(state)
    return network


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


def write_metrics(folder: Path, found: Mapping[str, Any]) -> None:
    """Sets entries of metrics.json, and leaves the others as they are."""
    write_json(folder / METRICS, read_metrics(folder) | dict(found))


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
