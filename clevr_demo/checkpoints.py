"""Find, verify and load weights: safetensors beside a config.json, nothing pickled.

A checkpoint folder holds `model.safetensors` (fp16), `config.json` and, once scored, `metrics.json`. The name a
result carries is the model's name with the first eight hex digits of the weights' SHA-256. Where the same weights came
to draw other pixels, because the code that draws with them changed, `config.json` counts a `revision`, which is hashed
with them: the model then has a new name, and links made before say so.

A folder may come from anywhere. Whatever is wrong with it is one `CheckpointError` that names the file: every setting
is checked against its type, the weights against the network before that is made, and each of them is a finite number.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, TypeVar

import torch
from huggingface_hub import snapshot_download
from pydantic import Field, TypeAdapter, ValidationError
from safetensors.torch import load_file, save
from torch import nn
from torch.overrides import TorchFunctionMode
from typing_extensions import TypedDict

from clevr_demo.objects import InputError, shown

_INSTALLED = Path(__file__).resolve().parent / "weights"
ROOT = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parent.parent / "checkpoints"
"""Where the weights that ship with the project lie: inside the installed package, or in the repository."""
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
FORMER = "former.json"
METRICS = "metrics.json"
FIGURES = ("*.png", "*.svg", "*.webp", "experiments/*.png")
FILES = (WEIGHTS, CONFIG, METRICS, "*.onnx", "README.md", "log*.csv", "records.csv.gz", *FIGURES)
"""What a checkpoint folder consists of on the Hub: what draws, what was measured, and the figures of its card."""
ON_THE_HUB = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}", re.ASCII)
LARGEST = 2**16
"""The largest whole number that a network's settings may hold."""
LONGEST = 64
"""The longest list that they may hold."""
Size = Annotated[int, Field(ge=1, le=LARGEST)]
Sizes = Annotated[tuple[Size, ...], Field(max_length=LONGEST)]
Depth = Annotated[int, Field(ge=1, le=64)]
Depths = Annotated[tuple[Depth, ...], Field(max_length=LONGEST)]
Config = TypeVar("Config")
Network = TypeVar("Network", bound=nn.Module)


class Sections(TypedDict, total=False):
    """What may stand in config.json, beside anything else."""

    kind: Annotated[str, Field(max_length=64)]
    revision: Annotated[int, Field(ge=1, le=LARGEST)]
    temperature: Annotated[float, Field(gt=0, le=LARGEST)]
    model: dict[str, Any]
    preset: dict[str, Any]
    training: dict[str, Any]


class CheckpointError(Exception):
    """A checkpoint that cannot be used; the message names the file."""


def reason(error: Exception) -> str:
    """What another library's error says, in one line of at most 200 characters."""
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first[:200]}"


def folder_of(name: str, path: str | Path | None = None, revision: str | None = None) -> Path:
    """The folder of a model's checkpoint: `path`, or the one that ships with the project.

    A text "owner/name" that names no folder here is one on the Hugging Face Hub, which is fetched at that revision.

    Raises:
        CheckpointError: there is no such checkpoint.
    """
    folder = Path(path) if path else ROOT / name
    if isinstance(path, str) and ON_THE_HUB.fullmatch(path) and not folder.is_dir():
        folder = fetched(path, revision)
    for needed in (WEIGHTS, CONFIG):
        if not os.path.isfile(folder / needed):  # no error of its own for a text that can be no path
            raise CheckpointError(f"{folder / needed}: missing; train the {name} or name another checkpoint folder")
    return folder


def fetched(name: str, revision: str | None) -> Path:
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(FILES)))
    except Exception as error:  # a bad name, no network, no such repository: each is an error of its own there
        raise CheckpointError(f"{name}: no folder here, nor to be had from the Hub ({reason(error)})") from error


def read_config(folder: Path) -> dict[str, Any]:
    """The settings stored beside the weights."""
    return _read(folder / CONFIG, Sections)


def former(kind: str) -> dict[str, str]:
    """Commits of this project that draw with earlier weights of a model of its own, by the weights' fingerprint."""
    path = ROOT / kind / FORMER
    return _read(path, dict[str, str]) if path.exists() else {}


def read_metrics(folder: Path) -> dict[str, Any]:
    """What was measured of the weights, an entry a measure; empty where nothing was."""
    path = folder / METRICS
    return _read(path, dict[str, Any]) if path.exists() else {}


def _read(path: Path, kind: Any) -> dict[str, Any]:
    try:
        return dict(TypeAdapter(kind).validate_json(path.read_bytes(), strict=True, extra="allow"))
    except ValidationError as error:
        raise CheckpointError(f"{path}: {fault(error)}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: {reason(error)}") from None


def fault(error: ValidationError, *section: str) -> str:
    """What pydantic finds wrong, in one line: the first field, within a section, what it should be and what it is."""
    first = error.errors(include_url=False)[0]
    field = "".join(filter(str.isprintable, ".".join(map(str, (*section, *first["loc"])))))
    return f"{field[:80]}{field and ': '}{first['msg'][:100]}; it is {shown(first['input'])}"


def configured(config_type: type[Config], folder: Path, unused: Collection[str] = ()) -> Config:
    """The network's settings, "model" in config.json, as their dataclass; those named `unused` may stand there too.

    Raises:
        CheckpointError: names the file and the setting that no such network has.
    """
    model = read_config(folder).get("model")
    text = json.dumps(model and {name: value for name, value in model.items() if name not in unused})
    try:
        return TypeAdapter(config_type).validate_json(text, strict=True, extra="forbid")
    except ValidationError as error:
        raise CheckpointError(f"{folder / CONFIG}: {fault(error, 'model')}") from None


def fingerprint(folder: Path) -> str:
    """First eight hex digits of the SHA-256 of the weights file, and of the revision where there is one."""
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes())
    if revision := read_config(folder).get("revision"):
        digest.update(f"revision {revision}".encode())
    return digest.hexdigest()[:8]


def read_weights(folder: Path, expected: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of a folder, floats as float32; see `fitting`."""
    path = folder / WEIGHTS
    try:
        state = load_file(path)
    except Exception as error:  # safetensors raises an error type of its own, and others
        raise CheckpointError(f"{path}: not readable as safetensors ({reason(error)})") from error
    return fitting(state, expected, path, "its config.json")


def fitting(
    state: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor], path: Path, what: str
) -> dict[str, torch.Tensor]:
    """The weights, floats as float32, if they are finite and of the expected names, shapes and kinds.

    Raises:
        CheckpointError: names the file, `what` it does not fit, and the weight.
    """
    for name in sorted(state.keys() ^ expected.keys()):
        found = "unknown" if name in state else "missing"
        raise CheckpointError(f"{path}: does not fit {what} ({shown(name)} is {found})")
    for name, value in state.items():
        wanted = expected[name]
        if value.shape != wanted.shape or value.is_floating_point() != wanted.is_floating_point():
            raise CheckpointError(
                f"{path}: does not fit {what} ({name} is {list(value.shape)} of {value.dtype}, "
                f"the network has {list(wanted.shape)} of {wanted.dtype})"
            )
        if value.is_floating_point() and not bool(value.float().isfinite().all()):
            raise CheckpointError(f"{path}: {name} holds numbers that are not finite")
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def load_weights(network: nn.Module, folder: Path) -> None:
    """Loads the weights into the network, as float32; a misfit is a CheckpointError."""
    network.load_state_dict(read_weights(folder, network.state_dict()))


class Uninitialised(TorchFunctionMode):
    """Within, networks are made without initial weights, which on the "meta" device would load torch's compiler."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(function, "__module__", "") == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return function(*args, **(kwargs or {}))


def load_network(
    network_type: Callable[[Config], Network], config_type: type[Config], folder: Path, unused: Collection[str] = ()
) -> Network:
    """The network of the settings and weights of a folder; see `configured`.

    It is made without memory first, so that settings for a giant are found not to fit before one is made.

    Raises:
        CheckpointError: the settings make no network, or the weights are not its own.
    """
    config = configured(config_type, folder, unused)
    try:
        with torch.device("meta"), Uninitialised():
            expected = network_type(config).state_dict()
    except Exception as error:  # each kind of network fails in its own way
        raise CheckpointError(f"{folder / CONFIG}: makes no network ({reason(error)})") from error
    state = read_weights(folder, expected)
    network = network_type(config)
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
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and not error.filename:
            error.filename = str(path)  # a full disk names no file
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
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device", "device 'cuda': there is no GPU here that torch can use")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)
