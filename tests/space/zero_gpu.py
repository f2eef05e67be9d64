# ruff: noqa: I001  # `spaces` has to come before torch
"""Acts a Space with a shared GPU (ZeroGPU) on a CPU, in a process of its own: python -m tests.space.zero_gpu MODES

The `spaces` package is the real one: it pretends a GPU while the weights are loaded, packs them to disk when the page
is launched, asks its API for a GPU at every call and forks a process that unpacks the weights. Only that process's
CUDA is acted: the weights come back as CPU tensors. The API is a dummy, which SPACES_ZERO_DEVICE_API_URL names; `mode`
there says how it answers. Prints one JSON line a mode.
"""

from __future__ import annotations

import spaces  # noqa: F401
import base64
import hashlib
import io
import json
import multiprocessing
import os
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from PIL import Image
from spaces.zero import torch as zero
from spaces.zero.torch import patching

import clevr_demo
from clevr_demo.request import GenerationRequest
from clevr_demo.ui import build_demo, server
from clevr_demo.serve import gate
from clevr_demo.serve.drawing import draw
from clevr_demo.serve.studio import Studio
from tests.serving import free_port

REQUEST = GenerationRequest.of(["red cube", "blue sphere"], 5, 2)
PATIENCE = 60
"""Seconds to wait for an answer over the loopback, at most."""
GRID = [GenerationRequest.of(["red cube"], seed, steps) for seed in (1, 2, 3) for steps in (2, 3)]


def unpacked(pack: Any) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Reads one packed tensor after the other."""
    entries = [entry for batch in pack.batches for entry in batch] + pack.big_tensors
    with open(pack.path(), "rb") as file:
        for tensor, size, aligned in entries:
            storage = torch.frombuffer(bytearray(file.read(aligned)[:size]), dtype=torch.uint8).untyped_storage()
            yield tensor, torch.empty(0, dtype=tensor.dtype).set_(storage, 0, tensor.shape, tensor.stride())


def to_acted_gpu(callback: Any = None) -> None:
    """What moves the packed weights to CUDA in the forked process, with the CPU in CUDA's place."""
    for pack in patching.tensor_packs:
        for tensor, real in unpacked(pack):
            for fake in pack.fakes[tensor]:
                fake.data = real
    model: Any = gate._on_gpu["ddpm"][1]
    model.device = torch.device("cpu")


zero.init = lambda uuid: None
zero.move = to_acted_gpu


def digest(pixels: bytes) -> str:
    return hashlib.sha256(pixels).hexdigest()[:12]


def shown(payload: dict[str, Any]) -> str:
    """The DDPM's picture in the page's payload."""
    last = payload["pairs"][0]["ddpm"]["last"]
    return digest(Image.open(io.BytesIO(base64.b64decode(last["x0"]))).tobytes())


def by_endpoint(address: str, seed: int) -> dict[str, Any]:
    """What a plain HTTP call gives; another seed a call, as equal calls are drawn once."""
    body = json.dumps({"data": [list(REQUEST.names), seed, REQUEST.steps]}).encode()
    call = urllib.request.Request(f"{address}gradio_api/call/generate", body, {"content-type": "application/json"})
    event = json.load(urllib.request.urlopen(call, timeout=PATIENCE))["event_id"]
    text = urllib.request.urlopen(f"{address}gradio_api/call/generate/{event}", timeout=PATIENCE).read().decode()
    last = text.strip().split("\n\n")[-1]
    if not last.startswith("event: complete"):
        return {"endpoint": last}
    result = json.loads(last.partition("data: ")[2])[0]
    with Image.open(result["ddpm"][0]["file"]["path"]) as picture:
        return {"endpoint": digest(picture.tobytes()), "endpoint_notice": result["notice"]}


def all_ways(studio: Studio, address: str, mode: str, seed: int) -> dict[str, Any]:
    """Page, grid and endpoint with the API in that mode."""
    api = os.environ["SPACES_ZERO_DEVICE_API_URL"]
    urllib.request.urlopen(f"{api}/mode/{mode}", timeout=PATIENCE).close()
    runs = [(run.payload(), run.notice) for run in draw(studio, REQUEST, lambda: False)]
    told: dict[str, Any] = {"mode": mode, "page": shown(runs[-1][0]), "page_notice": runs[-1][1]}
    first = runs[0][0]["pairs"][0]
    told["acgan_first"] = first["acgan"]["last"] is not None and not first["ddpm"]["frames"]
    grid = dict(studio.gates["ddpm"].stills(GRID, timeline=False))
    told["grid"] = [digest(grid[number].predicted.tobytes()) for number in range(len(GRID))]
    told["grid_notices"] = sorted({still.notice for still in grid.values()})
    told["asked"] = json.load(urllib.request.urlopen(f"{api}/asked", timeout=PATIENCE))
    return told | by_endpoint(address, seed)


def expected(seeds: range) -> dict[str, Any]:
    """What an ordinary CPU draws."""
    model = clevr_demo.load("ddpm", os.environ.get("CLEVR_DDPM"), device="cpu")

    def drawn(one: GenerationRequest) -> str:
        return digest(model.generate(one.objects, one.seed, one.steps).image.tobytes())

    endpoint = [drawn(replace(REQUEST, seed=seed)) for seed in seeds]
    return {"mode": "expected", "page": drawn(REQUEST), "grid": [drawn(one) for one in GRID], "endpoint": endpoint}


def main() -> None:
    studio = Studio.load()
    assert studio.gates["ddpm"].has_gpu
    address = server.start(build_demo(studio), free_port())  # two that look for one from 7860 on may find the same

    def act() -> None:  # in a thread, as a server's handlers are: there the GPU is not pretended
        print(json.dumps(expected(range(len(sys.argv) - 1))), flush=True)
        for seed, mode in enumerate(sys.argv[1:]):
            print(json.dumps(all_ways(studio, address, mode, seed)), flush=True)

    worker = threading.Thread(target=act)
    worker.start()
    worker.join()
    for forked in multiprocessing.active_children():  # they would wait for the next call, and hold this one's output
        forked.kill()
    os._exit(0)


if __name__ == "__main__":
    main()
