"""Light that smears the ground is found, and no longer drawn with."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

import clevr_demo
from clevr_demo.checkpoints import CONFIG, CheckpointError, read_config, save_weights
from tests.generators.test_acgan import tiny_acgan
from train import light
from train.light import LightError, detail, edge, main

DIRECTION = torch.tensor([0.6, 0.0, -0.8, 0.0, 0.0, 0.0, 0.0, 0.0])


def smeared(noise: torch.Tensor) -> torch.Tensor:
    """Detail that grows from 1.2 standard deviations in `DIRECTION` on."""
    grain = torch.rand(len(noise), generator=torch.Generator().manual_seed(7))
    return 3 + 0.2 * grain + 2 * torch.relu(noise @ DIRECTION - 1.2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint folder of a tiny ACGAN."""
    network = tiny_acgan().network
    save_weights(network, {"kind": "acgan", "model": asdict(network.config)}, tmp_path / "acgan")
    return tmp_path / "acgan"


@pytest.fixture
def noise() -> torch.Tensor:
    return torch.randn(4000, 8, generator=torch.Generator().manual_seed(5))


def test_the_edge_lies_where_detail_ceases_to_be_real(noise: torch.Tensor) -> None:
    found = edge(noise, smeared(noise), most=3.4)
    assert float(found / found.norm() @ DIRECTION) > 0.98
    assert 1.1 <= 1 / float(found.norm()) <= 1.4


def test_ground_that_is_as_real_ones_or_smeared_everywhere_has_no_edge(noise: torch.Tensor) -> None:
    for details in (smeared(-10 * DIRECTION.expand(100, 8)), smeared(noise) + 9):
        with pytest.raises(LightError):
            edge(noise[: len(details)], details, most=3.4)


def test_detail_is_of_the_ground_alone() -> None:
    flat = torch.zeros(1, 3, 64, 64)
    assert float(detail(flat)) == 0
    flat[..., 25:40, 25:40] = torch.randn(15, 15)
    assert float(detail(flat)) == 0, "an object in the middle"
    slope = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    assert float(detail(slope)) < 1e-3, "light that changes evenly"
    checks = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2 / 127.5
    assert float(detail(checks.expand(1, 3, 64, 64))) == pytest.approx(8.0, rel=1e-4), "four neighbours, two levels off"


def test_the_command_writes_the_edge_and_another_name(
    folder: Path, iclevr: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = (folder / CONFIG).read_bytes()
    before, arguments = clevr_demo.load("acgan", folder), ["--data", str(iclevr), "--checkpoint", str(folder)]
    size = read_config(folder)["model"]["picture_noise"]
    noise = torch.randn(4000, size, generator=torch.Generator().manual_seed(5))
    calm = torch.full((len(noise),), -1.0)
    monkeypatch.setattr(light, "drawn", lambda *_: (noise, calm))
    with pytest.raises(SystemExit, match=f"error: {folder}: the ground has no more detail"):
        main(arguments)
    assert (folder / CONFIG).read_bytes() == told
    details = torch.where(noise[:, 0] > 1, 1000.0, 0.0)
    monkeypatch.setattr(light, "drawn", lambda *_: (noise, details))
    main(arguments)
    after = clevr_demo.load("acgan", folder)
    found = read_config(folder)["model"]["light_edge"]
    assert len(found) == size
    assert 1 / found[0] == pytest.approx(1, abs=0.11)
    assert after.name != before.name
    pictures = [[one.generate(["red cube"], seed, 1).image.tobytes() for seed in range(12)] for one in (before, after)]
    assert 0 < sum(one != other for one, other in zip(*pictures, strict=True)) < 12


def test_an_edge_of_another_length_is_named(folder: Path) -> None:
    config = read_config(folder)
    config["model"]["light_edge"] = [0.5]
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"config.json.*light_edge has 1 numbers"):
        clevr_demo.load("acgan", folder)
