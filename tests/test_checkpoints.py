"""Checkpoint folders: what is written, what is read back, and an error for each thing that can be wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import clevr_demo
from clevr_demo import checkpoints
from clevr_demo.checkpoints import CheckpointError, fingerprint, load_weights, read_config, save_weights, write_text
from tests.conftest import TINY, tiny_ddpm


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


@pytest.fixture
def ddpm_folder(tmp_path: Path) -> Path:
    """A checkpoint folder of a tiny DDPM."""
    from dataclasses import asdict

    save_weights(tiny_ddpm().network, {"kind": "ddpm", "model": asdict(TINY)}, tmp_path / "ddpm")
    return tmp_path / "ddpm"


def test_weights_come_back_rounded_to_half_precision(tmp_path: Path) -> None:
    saved, loaded = network(), network()
    saved.get_buffer("1.num_batches_tracked").fill_(70000)
    save_weights(saved, {"kind": "any"}, tmp_path)
    load_weights(loaded, tmp_path)
    assert read_config(tmp_path) == {"kind": "any"}
    for name, value in saved.state_dict().items():
        expected = value.half().float() if value.is_floating_point() else value
        assert torch.equal(loaded.state_dict()[name], expected), name
        assert loaded.state_dict()[name].dtype == value.dtype
    stored = load_file(tmp_path / checkpoints.WEIGHTS)
    assert {v.dtype for name, v in stored.items() if "num_batches" not in name} == {torch.float16}


def test_the_fingerprint_is_that_of_the_weights_and_their_revision(tmp_path: Path) -> None:
    original = network()
    save_weights(original, {}, tmp_path / "one")
    save_weights(original, {"other": "settings"}, tmp_path / "two")
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")
    assert len(bytes.fromhex(fingerprint(tmp_path / "one"))) == 4
    with torch.no_grad():
        original.get_parameter("0.bias")[0] += 0.01
    save_weights(original, {}, tmp_path / "two")
    first = fingerprint(tmp_path / "one")
    assert first != fingerprint(tmp_path / "two")
    named = {first}
    for revision in (2, 3):
        write_text(tmp_path / "one" / "config.json", json.dumps({"revision": revision}))
        named.add(fingerprint(tmp_path / "one"))
    assert len(named) == 3


def test_a_loaded_model_draws_and_carries_its_fingerprint(ddpm_folder: Path) -> None:
    model = clevr_demo.load("ddpm", ddpm_folder, device="cpu")
    assert model.name == f"ddpm@{fingerprint(ddpm_folder)}"
    result = model.generate(["red cube"], seed=1, steps=2)
    assert result.model == model.name
    assert result.image.size == (64, 64)
    again = clevr_demo.load("ddpm", ddpm_folder, device="cpu").generate(["red cube"], seed=1, steps=2)
    assert again.image.tobytes() == result.image.tobytes()


@pytest.mark.parametrize("missing", [checkpoints.WEIGHTS, checkpoints.CONFIG])
def test_a_missing_file_is_named(ddpm_folder: Path, missing: str) -> None:
    (ddpm_folder / missing).unlink()
    with pytest.raises(CheckpointError, match=str(ddpm_folder / missing)):
        clevr_demo.load("ddpm", ddpm_folder)


@pytest.mark.parametrize("config", ["{", "[]", "{}", '{"model": {"unet": {}, "unheard_of": 1}}', '{"model": 3}'])
def test_a_bad_config_is_named(ddpm_folder: Path, config: str) -> None:
    (ddpm_folder / checkpoints.CONFIG).write_text(config)
    with pytest.raises(CheckpointError, match=str(ddpm_folder / checkpoints.CONFIG)):
        clevr_demo.load("ddpm", ddpm_folder)


def test_weights_that_do_not_fit_are_named(ddpm_folder: Path) -> None:
    config = read_config(ddpm_folder)
    config["model"]["unet"]["block_out_channels"] = [16, 16]
    (ddpm_folder / checkpoints.CONFIG).write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=f"{ddpm_folder / checkpoints.WEIGHTS}: does not fit"):
        clevr_demo.load("ddpm", ddpm_folder)


def test_cut_off_weights_are_named(ddpm_folder: Path) -> None:
    path = ddpm_folder / checkpoints.WEIGHTS
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=str(path)):
        clevr_demo.load("ddpm", ddpm_folder)


def test_a_pickle_under_the_weights_name_is_refused(ddpm_folder: Path) -> None:
    torch.save({"weights": torch.zeros(1)}, ddpm_folder / checkpoints.WEIGHTS)
    with pytest.raises(CheckpointError, match=str(ddpm_folder / checkpoints.WEIGHTS)):
        clevr_demo.load("ddpm", ddpm_folder)


def test_an_absent_folder_is_named(tmp_path: Path) -> None:
    for name in ("ddpm", "acgan"):
        with pytest.raises(CheckpointError, match=f"{tmp_path / 'nowhere'}.*{name}"):
            clevr_demo.load(name, tmp_path / "nowhere")


def test_unknown_models_and_devices(ddpm_folder: Path) -> None:
    with pytest.raises(ValueError, match="'gan'.*ddpm, acgan"):
        clevr_demo.load("gan")
    with pytest.raises(ValueError, match="unknown device 'tpu'"):
        clevr_demo.load("ddpm", ddpm_folder, device="tpu")


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    checkpoints.write_text(path, "old")

    def write_half() -> None:
        with checkpoints.replacing(path) as file:
            file.write(b"ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_shipped_weights_stay_small() -> None:
    if not checkpoints.ROOT.is_dir() or not list(checkpoints.ROOT.glob("*/model.safetensors")):
        pytest.skip("checkpoints/ holds no weights")
    sizes = {path: path.stat().st_size for path in checkpoints.ROOT.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 70e6
    assert max(sizes.values()) < 30e6
    assert {path.suffix for path in sizes} <= {".safetensors", ".json", ".csv", ".md", ".png"}


def test_the_copy_of_a_folder_is_the_same_model(ddpm_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(ddpm_folder, tmp_path / "elsewhere")
    assert clevr_demo.load("ddpm", copy).name == clevr_demo.load("ddpm", ddpm_folder).name
