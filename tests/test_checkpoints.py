"""Checkpoint folders: what is written, what is read back, and an error for each thing that can be wrong."""

from __future__ import annotations

import copy
import json
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import snapshot_download
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

import clevr_demo
from clevr_demo import checkpoints
from clevr_demo.checkpoints import CheckpointError, fingerprint, load_weights, read_config, save_weights, write_text
from clevr_demo.generators.acgan import ACGANConfig, ACGANNetwork
from clevr_demo.generators.course import ReportDDPM
from tests.anything import mutated
from tests.conftest import TINY, shaken, shipped, tiny_ddpm
from train.learning.course import DDPM_PRESETS


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


@pytest.fixture
def ddpm_folder(tmp_path: Path) -> Path:
    """A checkpoint folder of a tiny DDPM."""
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
    config["model"]["widths"] = [16, 32]
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
    assert sum(sizes.values()) < 80e6
    assert max(sizes.values()) < 30e6
    pictures = {".png", ".svg", ".webp"}
    assert {path.suffix for path in sizes} <= {".safetensors", ".onnx", ".json", ".csv", ".gz", ".md"} | pictures


def test_the_copy_of_a_folder_is_the_same_model(ddpm_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(ddpm_folder, tmp_path / "elsewhere")
    assert clevr_demo.load("ddpm", copy).name == clevr_demo.load("ddpm", ddpm_folder).name


# on the Hub ---------------------------------------------------------------------------------------------------------


def test_a_name_on_the_hub_is_fetched_at_its_revision(ddpm_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def download(name: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((name, revision))
        assert {checkpoints.WEIGHTS, checkpoints.CONFIG} <= set(allow_patterns)
        return str(ddpm_folder)

    monkeypatch.setattr(checkpoints, "snapshot_download", download)
    named = clevr_demo.load("ddpm", "someone/clevr-ddpm", "cpu").name
    assert clevr_demo.load("ddpm", "someone/clevr-ddpm", "cpu", revision="0123abc").name == named
    assert named == clevr_demo.load("ddpm", ddpm_folder, "cpu").name
    assert asked == [("someone/clevr-ddpm", None), ("someone/clevr-ddpm", "0123abc")]


def test_the_judge_is_fetched_by_name_too(
    judge_folder: Path, ddpm_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped("detector")
    folders = {"someone/clevr-classifier": judge_folder, "someone/clevr-ddpm": ddpm_folder}
    monkeypatch.setattr(checkpoints, "snapshot_download", lambda name, **_: str(folders[name]))
    judge = clevr_demo.load_evaluator("someone/clevr-classifier", "cpu", revision="main")
    assert judge.name.endswith(f"classifier@{fingerprint(judge_folder)}")
    with pytest.raises(CheckpointError, match="config.json"):
        clevr_demo.load_evaluator(detector="someone/clevr-ddpm")


def test_a_folder_is_never_sought_on_the_hub(
    ddpm_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "snapshot_download", lambda *_, **__: pytest.fail("the Hub was asked"))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ddpm_folder, tmp_path / "runs" / "mine")
    assert clevr_demo.load("ddpm", "runs/mine", "cpu").kind == "ddpm"
    for absent in (Path("runs/other"), "./runs/other", "../x", "no such/name/at all", "x" * 300, "a\0b", "/abs/olute"):
        with pytest.raises(CheckpointError, match="missing"):
            clevr_demo.load("ddpm", absent, "cpu")


def test_what_the_hub_does_not_have_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "snapshot_download", partial(snapshot_download, local_files_only=True))
    with pytest.raises(CheckpointError, match="someone/absent: no folder here, nor to be had from the Hub") as caught:
        clevr_demo.load("ddpm", "someone/absent", "cpu")
    assert "\n" not in str(caught.value)


# whatever a folder holds --------------------------------------------------------------------------------------------


FOLDERS = ("ddpm", "acgan", "ddpm-report")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint folder of either model and of a report's network, tiny."""
    made = {name: tmp_path_factory.mktemp(name) for name in FOLDERS}
    save_weights(tiny_ddpm().network, {"kind": "ddpm", "model": asdict(TINY)}, made["ddpm"])
    config = ACGANConfig(planner_width=8, planner_layers=1, planner_heads=2, widths=(8, 64), blocks=(1, 1))
    save_weights(shaken(ACGANNetwork(config)), {"kind": "acgan", "model": asdict(config)}, made["acgan"])
    report = DDPM_PRESETS["tiny-report"].model
    save_weights(shaken(ReportDDPM(report)), {"kind": "ddpm", "model": asdict(report)}, made["ddpm-report"])
    return made


WRONG: list[Any] = [
    None, True, 0, -1, 1, 3, 10**9, 10**400, 0.5, -2.5, 1e308, float("nan"), float("inf"), "", "x", "cuda", "x" * 10**5,
    [], [0], [1, 2, 3], [10**9] * 4, [[16]], ["DownBlock2D"] * 3, [16] * 10**5, {}, {"x": 1}, {"unet": {}},
]  # fmt: skip


def places_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON document."""
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places_in(one, (*place, key))


def changed(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    copied = copy.deepcopy(document)
    inner = copied
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return copied


def draws_or_is_refused(name: str, folder: Path) -> bool:
    """Whether a folder was refused with a CheckpointError that names a file of it; else it has to draw a picture."""
    try:
        model = clevr_demo.load(name.partition("-")[0], folder, device="cpu")
    except CheckpointError as error:
        return str(folder) in str(error) and len(str(error)) < 300 + len(str(folder)) and "\n" not in str(error)
    result = model.generate(["red cube"], seed=1, steps=2)
    return bool(result.frames[-1].predicted_pixels.isfinite().all())


@given(st.sampled_from(FOLDERS), st.sampled_from(WRONG), st.randoms(use_true_random=False))
def test_any_wrong_setting_is_refused_or_draws(
    folders: dict[str, Path], name: str, value: Any, pick: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = shutil.copytree(folders[name], Path(place) / name)
        document = read_config(folder) | {"revision": 1}
        wrong = changed(document, pick.choice(list(places_in(document))), value)
        (folder / checkpoints.CONFIG).write_text(json.dumps(wrong))
        assert draws_or_is_refused(name, folder)


@pytest.mark.parametrize("name", ["ddpm", "acgan"])
def test_a_missing_or_unknown_setting_is_refused_or_draws(name: str, folders: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders[name], tmp_path / name)
    document = read_config(folder)
    for setting in document["model"]:
        less = {key: value for key, value in document["model"].items() if key != setting}
        (folder / checkpoints.CONFIG).write_text(json.dumps(document | {"model": less}))
        assert draws_or_is_refused(name, folder), setting
    (folder / checkpoints.CONFIG).write_text(json.dumps(document | {"model": document["model"] | {"colour": "red"}}))
    with pytest.raises(CheckpointError, match="config.json.*model.colour: "):
        clevr_demo.load(name, folder)


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("ddpm", "planner_width", True), ("ddpm", "planner_width", 2.0), ("ddpm", "planner_width", "128"),
        ("ddpm", "planner_width", 2**16 + 1), ("ddpm", "planner_layers", 0), ("ddpm", "widths", [16, -64]),
        ("ddpm", "widths", [16] * 65), ("ddpm", "blocks", 1), ("ddpm", "time_power", float("nan")),
        ("ddpm", "time_power", True), ("ddpm", "fast_steps", 21), ("ddpm", "timesteps", 10), ("ddpm", "unet", {}),
        ("ddpm", "beta_schedule", "cosine"), ("ddpm", "architecture", "pixels"), ("ddpm", "a\nb", 1),
        ("acgan", "light_edge", [0.5, "1"]), ("acgan", "light_edge", [float("inf")]), ("acgan", "layout_noise", 1),
        ("ddpm-report", "unet", {"block_out_channels": [8, 10**9]}), ("ddpm-report", "unet", {"dropout": float("nan")}),
        ("ddpm-report", "unet", None),
    ],
)  # fmt: skip
def test_a_setting_that_no_network_has_is_named(
    name: str, setting: str, value: Any, folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(folders[name], tmp_path / name)
    document = read_config(folder)
    document["model"][setting] = value
    (folder / checkpoints.CONFIG).write_text(json.dumps(document))
    with pytest.raises(CheckpointError) as caught:
        clevr_demo.load(name.partition("-")[0], folder)
    assert str(caught.value).startswith(f"{folder / checkpoints.CONFIG}: model.{setting.replace(chr(10), '')}")
    assert len(str(caught.value)) < 300 + len(str(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b"nul", b"3", b'"x"', b"\0" * 1000])
def test_any_rubbish_for_settings_is_refused(content: bytes, ddpm_folder: Path) -> None:
    (ddpm_folder / checkpoints.CONFIG).write_bytes(content)
    with pytest.raises(CheckpointError, match=str(ddpm_folder / checkpoints.CONFIG)):
        clevr_demo.load("ddpm", ddpm_folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float, ddpm_folder: Path) -> None:
    state = load_file(ddpm_folder / checkpoints.WEIGHTS)
    name = sorted(state)[3]
    state[name].view(-1)[0] = value
    save_file(state, ddpm_folder / checkpoints.WEIGHTS)
    with pytest.raises(CheckpointError, match=f"{name} holds numbers that are not finite"):
        clevr_demo.load("ddpm", ddpm_folder)


def test_weights_of_another_kind_are_refused(ddpm_folder: Path) -> None:
    state = load_file(ddpm_folder / checkpoints.WEIGHTS)
    whole = {name: value.view(torch.int16) for name, value in state.items()}
    save_file(whole, ddpm_folder / checkpoints.WEIGHTS)
    with pytest.raises(CheckpointError, match=r"does not fit its config.json .*torch.int16.*torch.float32"):
        clevr_demo.load("ddpm", ddpm_folder)


def test_settings_of_a_giant_are_refused_before_it_is_made(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders["acgan"], tmp_path / "acgan")
    config = read_config(folder)
    config["model"]["widths"] = [65536] * 4
    (folder / checkpoints.CONFIG).write_text(json.dumps(config))
    started = time.process_time()
    with pytest.raises(CheckpointError, match="does not fit its config.json"):
        clevr_demo.load("acgan", folder)
    assert time.process_time() - started < 5


@given(st.sampled_from(FOLDERS), st.integers(0, 2**32))
def test_any_damaged_weights_are_refused_or_draw(folders: dict[str, Path], name: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = shutil.copytree(folders[name], Path(place) / name)
        path = folder / checkpoints.WEIGHTS
        path.write_bytes(mutated(path.read_bytes(), random.Random(seed)))
        assert draws_or_is_refused(name, folder)


@given(st.sampled_from(FOLDERS), st.integers(0, 2**32))
def test_any_damaged_settings_are_refused_or_draw(folders: dict[str, Path], name: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = shutil.copytree(folders[name], Path(place) / name)
        path = folder / checkpoints.CONFIG
        path.write_bytes(mutated(path.read_bytes(), random.Random(seed)))
        assert draws_or_is_refused(name, folder)
