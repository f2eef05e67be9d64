"""What computes: torch, or on a CPU ONNX Runtime, where a checkpoint folder has its networks as graphs.

    graphs = open_graphs(folder, ("planner", "painter"), torch.device("cpu"))    # {} where torch is to compute
    x_0 = graphs["planner"](x=x, timestep=timestep, objects=objects, given=given)

A graph is an ONNX file beside the weights that it was made of, by `python -m train.graphs`; the same file runs in a
browser. Its metadata name the weights' fingerprint and the settings that it was made for. A graph that does not fit
them, or that was damaged, is told in one sentence, and torch computes. CLEVR_ENGINE=torch asks for the reference.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from clevr_demo.checkpoints import CheckpointError, fingerprint, read_config, reason
from clevr_demo.objects import InputError, shown

ENGINE = "CLEVR_ENGINE"
"""The environment variable that says what computes on a CPU, one of `ENGINES`."""
ENGINES = ("onnxruntime", "torch")
SEAL = "sha256"
"""The metadata's last entry, and the file's end: the digest of everything before it."""

RUNTIME = "node_modules/onnxruntime-web"
"""Where `npm ci` puts what runs graphs in a browser, below the project's folder."""
RUNTIME_FILES = {"runtime.js": "dist/ort.wasm.bundle.min.mjs", "runtime.wasm": "dist/ort-wasm-simd-threaded.wasm"}
"""Its plain build with SIMD, by the names that it is served under."""


class Graph:
    """A network as an ONNX graph, out of a file; runs in the thread that calls it."""

    def __init__(self, path: Path) -> None:
        import onnxruntime  # here, so that a process that draws by torch does without

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # of many, sums are rounded otherwise
        options.log_severity_level = 3  # errors, which are raised as well
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._first = self._session.get_outputs()[0].name
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._steps: dict[str, list[list[float]]] = json.loads(metadata.get("steps", "{}"))

    def steps(self, number: int) -> list[list[float]] | None:
        """The table of that number of steps, see `generators.sampling.TabledScheduler`; None where it has none."""
        return self._steps.get(str(number))

    def __call__(self, **inputs: torch.Tensor) -> torch.Tensor:
        """The first output (N, ...) of all inputs (N, ...). Each row runs by itself, so that it does not depend on the
        others to the last bit: kernels round differently at other batch sizes."""
        rows = zip(*(value.split(1) for value in inputs.values()), strict=True)
        fed = ({name: part.contiguous().numpy() for name, part in zip(inputs, row, strict=True)} for row in rows)
        return torch.cat([torch.from_numpy(self._session.run([self._first], one)[0]) for one in fed])


Graphs = Mapping[str, Graph]
"""A checkpoint's graphs by their names; none where torch computes."""
NO_GRAPHS: Graphs = {}


def engine(device: torch.device) -> str:
    """The one place that decides what computes on a device, one of `ENGINES`.

    Raises:
        InputError: a ValueError, if CLEVR_ENGINE names no engine.
    """
    wanted = os.environ.get(ENGINE) or ENGINES[0]
    if wanted not in ENGINES:
        raise InputError("engine", f"{ENGINE}: unknown engine {shown(wanted)}; choose one of {', '.join(ENGINES)}")
    return wanted if device.type == "cpu" else "torch"


def graph_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.onnx"


def settings_of(folder: Path) -> dict[str, Any]:
    """What a graph holds of a folder's config.json, which no fingerprint tells."""
    return {key: value for key, value in read_config(folder).items() if key in ("kind", "model")}


def sealing(digest: str) -> bytes:
    """The end of a graph's file: `SEAL` and the digest as one more entry of an ONNX model's metadata, in protobuf."""
    entry = b"".join(bytes([tag, len(text)]) + text for tag, text in ((0x0A, SEAL.encode()), (0x12, digest.encode())))
    return bytes([0x72, len(entry)]) + entry


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag and the bytes of every field of a message of protobuf that has a length; others are passed over."""
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            value, shift, place = value | (byte & 0x7F) << shift, shift + 7, place + 1
            if byte < 0x80:
                return value

    while place < len(message):
        tag = varint()
        if tag & 7 == 2:
            length = varint()
            yield tag, message[place : place + length]
            place += length
        elif tag & 7 == 0:
            varint()
        else:
            place += 8 if tag & 7 == 1 else 4


def _entries(content: bytes) -> Iterator[tuple[str, str]]:
    """The metadata of an ONNX file's content, by their names."""
    for tag, entry in _fields(content):
        if tag == 0x72:
            told = {key: value.decode() for key, value in _fields(entry)}
            yield told.get(0x0A, ""), told.get(0x12, "")


def sealed(content: bytes) -> bytes:
    """An ONNX file's content with its digest at the end: messages of protobuf may follow each other."""
    return content + sealing(hashlib.sha256(content).hexdigest())


def checked_graph(folder: Path, name: str, mark: str) -> dict[str, str]:
    """The metadata of the graph of that name, made of the folder's weights, of which `mark` is the fingerprint.

    Raises:
        CheckpointError: names the file and what is wrong with it.
    """
    path = graph_file(folder, name)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: missing" if not path.exists() else f"{path}: {reason(error)}") from error
    if sealed(content[: -len(sealing("0" * 64))]) != content:
        raise CheckpointError(f"{path}: damaged, or no graph of this project's")
    try:
        metadata = dict(_entries(content))
        made_of = metadata["fingerprint"]
    except (IndexError, KeyError, UnicodeDecodeError):
        raise CheckpointError(f"{path}: not to be run (it does not say of what it was made)") from None
    if made_of != mark:
        raise CheckpointError(f"{path}: made of other weights ({shown(made_of)}, here {mark})")
    if metadata.get("graph") != name or json.loads(metadata.get("settings", "null")) != settings_of(folder):
        raise CheckpointError(f"{path}: made for another network or other settings")
    return metadata


def read_graph(folder: Path, name: str, mark: str) -> Graph:
    """The graph of that name, ready to run.

    Raises:
        CheckpointError: names the file and what is wrong with it.
    """
    checked_graph(folder, name, mark)
    try:
        return Graph(graph_file(folder, name))
    except Exception as error:  # ONNX Runtime has a type for each failure, and it may itself be missing
        raise CheckpointError(f"{graph_file(folder, name)}: not to be run ({reason(error)})") from error


def open_graphs(folder: Path, names: Sequence[str], device: torch.device) -> Graphs:
    """The graphs of these names of a checkpoint folder: all of them or, where torch is to compute, none.

    A folder without any draws by torch without a word; where one is missing or does not fit, a sentence on stderr tells
    which, and the command that makes them anew.
    """
    if engine(device) == "torch" or not any(graph_file(folder, name).exists() for name in names):
        return NO_GRAPHS
    mark = fingerprint(folder)
    try:
        return {name: read_graph(folder, name, mark) for name in names}
    except CheckpointError as error:
        print(f"{error}; torch computes instead. Mend it with: python -m train.graphs {folder}", file=sys.stderr)
        return NO_GRAPHS


def without_weights(network: nn.Module) -> None:
    """Frees the memory of weights that a network's graphs hold as well; buffers stay."""
    for parameter in network.parameters():
        parameter.data = parameter.new_empty(0)
