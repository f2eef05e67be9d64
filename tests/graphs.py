"""Tiny checkpoints of every kind and their graphs, written once a session, for tests of what computes."""

from __future__ import annotations

import dataclasses
import functools
import shutil
import tempfile
from pathlib import Path

import torch

from clevr_demo.checkpoints import save_weights
from clevr_demo.judge.classifier import ClassifierNetwork
from clevr_demo.judge.detector import DetectorConfig, DetectorNetwork
from tests.conftest import TINY, shaken, tiny_ddpm
from tests.generators.test_acgan import tiny_acgan
from train.acgan import TINY as TINY_ACGAN
from train.graphs import write_graphs

DDPM = dataclasses.replace(TINY, fast_steps=2)
ACGAN = dataclasses.replace(TINY_ACGAN, planner_given=True)
DETECTOR = DetectorConfig(widths=(8, 8, 8), threshold=0.0)


def network_of(kind: str) -> tuple[torch.nn.Module, object]:
    """A tiny network with random weights, and its settings."""
    torch.manual_seed(0)
    if kind == "ddpm":
        return tiny_ddpm(DDPM).network, DDPM
    if kind == "acgan":
        return tiny_acgan(ACGAN).network, ACGAN
    return (shaken(DetectorNetwork(DETECTOR)), DETECTOR) if kind == "detector" else (ClassifierNetwork(), None)


@functools.cache
def written(kind: str) -> Path:
    """A checkpoint folder with graphs; to be left as it is."""
    folder = Path(tempfile.mkdtemp(prefix="clevr-graphs-")) / kind
    network, config = network_of(kind)
    told = {"kind": kind} | ({"model": dataclasses.asdict(config)} if config else {})  # type: ignore[call-overload]
    save_weights(network, told, folder)
    write_graphs(folder)
    return folder


def copied(kind: str, folder: Path) -> Path:
    """A copy of it, to change."""
    return shutil.copytree(written(kind), folder / kind)
