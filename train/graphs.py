"""Writes the networks of checkpoints as ONNX graphs, which draw and judge on a CPU and in a browser.

    python -m train.graphs                             # of every checkpoint that ships with the project
    python -m train.graphs checkpoints/ddpm runs/mine  # of these folders

Beside the weights then lie ddpm/planner.onnx, painter.onnx and fast.onnx, one step each; acgan/planner.onnx and
painter.onnx, a half each; detector/detector.onnx and classifier/classifier.onnx. A graph holds all that stands between
what a person sees and the network: attribute maps, what places are given, pixels out of states.

Weights are stored in half precision where that loses nothing, as in the safetensors, and computed with in full. The
metadata hold the weights' fingerprint, the settings and, under "steps", the solver: a row [timestep, a, b, c] a step,
with which the next state is a x + b x_0 + c (the last x_0), of each number of steps. diffusers made the table.
"""

from __future__ import annotations

import argparse
import json
import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from clevr_demo.checkpoints import ROOT, CheckpointError, fingerprint, load_network, read_config, write_bytes
from clevr_demo.engine import graph_file, read_graph, sealed, settings_of
from clevr_demo.generators.acgan import ACGANConfig, ACGANNetwork
from clevr_demo.generators.ddpm import (
    CELLS,
    PATCH,
    DDPMConfig,
    DDPMNetwork,
    Painter,
    Planner,
    fast_scheduler,
    painter_denoiser,
    painter_scheduler,
    planner_denoiser,
    planner_scheduler,
)
from clevr_demo.judge.classifier import load_classifier
from clevr_demo.judge.detector import DetectorConfig, DetectorNetwork, candidates
from clevr_demo.objects import OBJECTS
from clevr_demo.places import SIZE
from clevr_demo.request import SAMPLERS
from train.learning.options import clear_errors

MOST_STEPS = 60
"""The most steps of the painter that the table tells: as many as a page shows of one picture."""
OPSET = 20
K = torch.export.Dim("K", min=1, max=len(OBJECTS))
"""The number of objects of a set."""


@dataclass
class Drawn:
    """A network to write as a graph: its example inputs by name, its outputs' names, which of the inputs have an axis
    of K objects, and its solver's steps by their number."""

    network: nn.Module
    inputs: dict[str, torch.Tensor]
    outputs: tuple[str, ...]
    sets: tuple[str, ...] = ()
    steps: dict[int, list[list[float]]] = field(default_factory=dict)


class PlannerStep(nn.Module):
    """One step of the DDPM's planner: the estimate of x_0, and the centres in pixels at x and at that."""

    def __init__(self, planner: Planner, alphas_cumprod: torch.Tensor) -> None:
        super().__init__()
        self.planner = planner
        self.register_buffer("alphas_cumprod", alphas_cumprod)

    def forward(
        self, x: torch.Tensor, timestep: torch.Tensor, objects: torch.Tensor, given: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """x (1, K, 2), timestep (1,), objects (1, K) and given centres (1, K, 2) in pixels, nan for the others."""
        planner, alphas_cumprod = self.planner, self.alphas_cumprod
        denoiser = planner_denoiser(planner, objects, alphas_cumprod, planner.standardised(given))  # type: ignore[arg-type]
        x_0 = denoiser(x, timestep)
        return x_0, *(planner.in_pixels(one).clamp(0, SIZE - 1) for one in (x, x_0))


class PainterStep(nn.Module):
    """One step of a painter of the DDPM's: the estimate of x_0, and the pixels of x and of that."""

    def __init__(self, painter: Painter, alphas_cumprod: torch.Tensor, clamped: bool) -> None:
        super().__init__()
        self.painter, self.clamped = painter, clamped
        self.register_buffer("alphas_cumprod", alphas_cumprod)

    def forward(
        self, x: torch.Tensor, timestep: torch.Tensor, centres: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """x (1, 12, 32, 32), timestep (1,), centres (1, 24, 2) in pixels and labels (1, 24)."""
        painter, condition = self.painter, self.painter.condition(centres, labels)
        black = painter.black() if self.clamped else None
        x_0 = painter_denoiser(painter, condition, self.alphas_cumprod, black)(x, timestep)  # type: ignore[arg-type]
        return x_0, painter.unpack(x), painter.unpack(x_0).clamp(-1, 1)


class Method(nn.Module):
    """A method of a network's, as a network."""

    def __init__(self, network: nn.Module, method: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.network, self.method = network, method

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.method(*inputs)


def solver(scheduler: Any) -> list[list[float]]:
    """A row [timestep, a, b, c] a step of a scheduler whose steps are set: the next state is a x + b x_0 + c times the
    x_0 before. Read off by stepping with unit vectors, one for the first state and one for each estimate."""
    rows: list[list[float]] = []
    count = len(scheduler.timesteps)
    units = torch.eye(count + 1, dtype=torch.float64)
    x = units[0]
    for number, timestep in enumerate(scheduler.timesteps):
        following = scheduler.step(units[number + 1], timestep, x).prev_sample
        a = float(following[0] / x[0])
        left = following - a * x
        b, c = float(left[number + 1]), float(left[number]) if number else 0.0
        rows.append([int(timestep), *(float(f"{value:.9g}") for value in (a, b, c))])
        x = following
    return rows


def ddpm_graphs(folder: Path) -> dict[str, Drawn]:
    network = load_network(DDPMNetwork, DDPMConfig, folder).eval()
    config, objects = network.config, len(OBJECTS)
    planning, fast = planner_scheduler(config), fast_scheduler(config) if config.fast_steps else None
    alphas_cumprod, outputs, timestep = planning.alphas_cumprod, ("x_0", "noisy", "predicted"), torch.tensor([600])
    state = {"x": torch.randn(1, 3 * PATCH**2, CELLS, CELLS), "timestep": timestep}
    painted = state | {"centres": torch.full((1, objects, 2), 30.0), "labels": torch.ones(1, objects)}
    steps = {number: solver(painter_scheduler(SAMPLERS[0], number, config)) for number in range(1, MOST_STEPS + 1)}
    placed = {"x": torch.randn(1, 3, 2), "timestep": timestep, "objects": torch.tensor([[1, 9, 23]])}
    placed["given"] = torch.tensor([[[30.0, 20.0], [torch.nan] * 2, [torch.nan] * 2]])
    found = {
        "planner": Drawn(
            PlannerStep(network.planner, alphas_cumprod), placed, outputs, ("x", "objects", "given"),
            {len(planning.timesteps): solver(planning)},
        ),
        "painter": Drawn(PainterStep(network.painter, alphas_cumprod, True), painted, outputs, steps=steps),
    }  # fmt: skip
    if fast:
        step = PainterStep(network.fast, alphas_cumprod, False)
        found["fast"] = Drawn(step, painted, outputs, steps={config.fast_steps: solver(fast)})
    return found


def acgan_graphs(folder: Path) -> dict[str, Drawn]:
    network = load_network(ACGANNetwork, ACGANConfig, folder).eval()
    objects = len(OBJECTS)
    placed = {"objects": torch.tensor([[1, 9, 23]]), "noise": torch.randn(1, 3, network.config.layout_noise)}
    placed["given"] = torch.tensor([[[30.0, 20.0], [torch.nan] * 2, [torch.nan] * 2]])
    painted = {"centres": torch.full((1, objects, 2), 30.0), "labels": torch.ones(1, objects)}
    painted |= {name: torch.randn(1, *shape) for name, shape in network.noise_shapes.items() if name != "places"}
    return {
        "planner": Drawn(network.planner, placed, ("centres",), ("objects", "noise", "given")),
        "painter": Drawn(Method(network, network.paint), painted, ("pixels",)),
    }


def detector_graphs(folder: Path) -> dict[str, Drawn]:
    network = load_network(DetectorNetwork, DetectorConfig, folder).eval()
    seen = Method(network, lambda pixels: candidates(network(pixels)))
    return {"detector": Drawn(seen, {"pixels": torch.rand(1, 3, SIZE, SIZE)}, ("candidates",))}


def classifier_graphs(folder: Path) -> dict[str, Drawn]:
    network = load_classifier(folder, "classifier").eval()
    return {"classifier": Drawn(network, {"pixels": torch.rand(1, 3, SIZE, SIZE)}, ("logits",))}


GRAPHS: Mapping[str, Callable[[Path], dict[str, Drawn]]] = {
    "acgan": acgan_graphs, "classifier": classifier_graphs, "ddpm": ddpm_graphs, "detector": detector_graphs,
}  # fmt: skip
"""What makes the graphs of a checkpoint folder, by its kind."""


def halved(model: Any) -> None:
    """Stores the floats of an ONNX model in half precision where that loses nothing, and casts them when it is read."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    for weight in graph.initializer:
        values = torch.tensor(numpy_helper.to_array(weight)) if weight.data_type == TensorProto.FLOAT else None
        if values is None or values.numel() < 64 or not torch.equal(values.half().float(), values):
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.half().numpy(), f"{name}_half"))
        graph.node.insert(0, helper.make_node("Cast", [weight.name], [name], to=TensorProto.FLOAT))


def content_of(drawn: Drawn, metadata: Mapping[str, str]) -> bytes:
    """A graph's file, without its seal."""
    try:
        import onnx
        import onnxscript  # noqa: F401  # which torch's export is made with
    except ImportError as error:
        raise CheckpointError(f"{error}: exporting needs it, pip install -r requirements-dev.txt") from error
    axes = {name: {1: K} if name in drawn.sets else None for name in drawn.inputs}
    shapes = {"inputs": tuple(axes.values())} if isinstance(drawn.network, Method) else axes
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's export deprecates parts of itself
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            drawn.network, tuple(drawn.inputs.values()), dynamo=True, verbose=False, opset_version=OPSET,
            input_names=list(drawn.inputs), output_names=list(drawn.outputs),
            dynamic_shapes=shapes if drawn.sets else None,
        )  # fmt: skip
    assert program is not None
    model = program.model_proto
    halved(model)
    for node in model.graph.node:  # without the exporter's notes of the code that each comes from
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.metadata_props[:], model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def write_graphs(folder: Path) -> list[Path]:
    """Writes all graphs of a checkpoint folder, and nothing where one of them fails.

    Raises:
        CheckpointError: names the folder of which there are none, or what exporting needs.
    """
    config = read_config(folder)
    kind = config.get("kind", "")
    if kind not in GRAPHS or config.get("model", {}).get("architecture", "places") == "report":
        raise CheckpointError(f"{folder}: of this there are no graphs, only of {', '.join(GRAPHS)}")
    mark, made = fingerprint(folder), {}
    for name, drawn in GRAPHS[kind](folder).items():
        metadata = {"fingerprint": mark, "graph": name, "settings": json.dumps(settings_of(folder))}
        if drawn.steps:
            metadata["steps"] = json.dumps(drawn.steps, separators=(",", ":"))
        made[graph_file(folder, name)] = sealed(content_of(drawn, metadata))
    for path, content in made.items():
        write_bytes(path, content)
        read_graph(folder, path.stem, mark)
    return list(made)


@clear_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = [ROOT / kind for kind in GRAPHS]
    parser.add_argument("folders", nargs="*", type=Path, default=usual, help="checkpoint folders (default: all)")
    total = 0
    for folder in parser.parse_args(argv).folders:
        for path in write_graphs(folder):
            total += path.stat().st_size
            print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    print(f"together {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
