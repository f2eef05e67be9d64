"""The i-CLEVR loader: layouts, pictures, splits, the cache, and an error for each thing that can be wrong."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clevr_demo.objects import INDEX, OBJECTS, multi_hot, parse
from tests.anything import mutated
from tests.conftest import OBJECTS_A_SCENE, SCENES, draw, objects_of, write_iclevr
from train.data import iclevr as data
from train.data.iclevr import DataError, Pictures, load_pictures, load_prompts

WriteData = Callable[..., Path]


def first_picture(folder: Path) -> Path:
    return folder / "images" / "CLEVR_train_000000_0.png"


def change_listing(folder: Path, **entries: object) -> None:
    path = folder / "train.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


# reading ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["", "images", "iclevr", "train"])
def test_every_layout(write_data: WriteData, layout: str) -> None:
    pictures = load_pictures(write_data(layout), progress=False)
    expected = [(scene, objects_of(scene, count)) for scene in range(2) for count in (1, 2, 3)]
    assert pictures.scenes.tolist() == [scene for scene, _ in expected]
    assert torch.equal(pictures.labels, multi_hot(parse(names) for _, names in expected))
    assert pictures.pixels.dtype == torch.uint8
    for pixels, (_, names) in zip(pictures.pixels, expected, strict=True):
        assert np.array_equal(pixels.permute(1, 2, 0).numpy(), np.asarray(draw(names)))


@pytest.mark.parametrize("named", ["lab", "lab/file"])
def test_the_courses_archive_is_read_as_it_is_unpacked(
    write_data: WriteData, tmp_path: Path, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = write_data()
    (tmp_path / "lab" / "file").mkdir(parents=True)
    (made / "images").rename(tmp_path / "lab" / "iclevr")
    for name in ("train.json", "objects.json", "test.json"):
        (made / name).rename(tmp_path / "lab" / "file" / name)
    pictures = data.load_pictures(tmp_path / named, progress=False)
    assert len(pictures) == 6
    assert data.load_prompts(data.find_prompts("test.json", tmp_path / named)) == [(1,), (10, 16)]
    told = capsys.readouterr().err
    assert str(tmp_path / "lab" / "iclevr") in told, "which folder was found is said"


def test_a_byte_order_mark_is_no_fault(write_data: WriteData) -> None:
    folder = write_data()
    for name in ("train.json", "objects.json", "test.json"):
        (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())
    assert len(data.load_pictures(folder, progress=False)) == 6
    assert data.load_prompts(folder / "test.json")


@pytest.mark.parametrize("size", [(320, 240), (64, 64), (33, 97), (1, 1)])
def test_any_size_is_resized_straight(write_data: WriteData, size: tuple[int, int]) -> None:
    folder = write_data()
    picture = draw(objects_of(0, 1), (96, 64)).resize(size)
    picture.save(first_picture(folder))
    expected = np.asarray(picture.resize((64, 64), Image.Resampling.BICUBIC))
    assert np.array_equal(load_pictures(folder, progress=False).pixels[0].permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA", "1", "I;16"])
def test_any_mode_is_read(write_data: WriteData, mode: str) -> None:
    folder = write_data()
    original = draw(objects_of(0, 1))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(original.convert("L")).astype(np.uint16) * 257)
    else:
        picture = (original.convert("L") if mode == "LA" else original).convert(mode)
    picture.save(first_picture(folder))
    wanted = np.asarray(original.convert("L" if mode == "I;16" else mode).convert("RGB"))
    assert np.array_equal(load_pictures(folder, progress=False).pixels[0].permute(1, 2, 0).numpy(), wanted)


def test_range_is_minus_one_to_one() -> None:
    assert data.to_unit(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_split_is_by_scene(iclevr: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    training, held_out = pictures.split()
    assert len(pictures) == SCENES * OBJECTS_A_SCENE
    assert set(held_out.scenes.tolist()) == {0, 20}
    assert set(training.scenes.tolist()) == set(range(SCENES)) - {0, 20}
    assert len(held_out) + len(training) == len(pictures)
    where = (pictures.scenes == 20).nonzero().flatten()
    assert torch.equal(held_out.pixels[-3:], pictures.pixels[where])
    assert torch.equal(held_out.labels[-3:], pictures.labels[where])


def test_prompts(iclevr: Path) -> None:
    assert load_prompts(iclevr / "test.json") == [(1,), (10, 16)]
    assert data.find_prompts("test.json", iclevr) == iclevr / "test.json"
    assert data.find_prompts(str(iclevr / "test.json"), "/nowhere") == iclevr / "test.json"


def test_the_background_is_the_empty_scene() -> None:
    pixels = torch.full((9, 3, 64, 64), 70, dtype=torch.uint8)
    for place in range(9):
        pixels[place, :, 5 * place : 5 * place + 20, 10:30] = 200  # never the same place in most of them
    empty = data.background(Pictures(pixels, torch.zeros(9, 24), torch.arange(9)))
    assert torch.equal(empty, data.to_unit(pixels.new_full((3, 64, 64), 70)))


def test_predecessors_are_the_scenes_pictures_with_one_object_less(iclevr: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    before = data.predecessors(pictures)
    assert before.tolist() == [index - 1 if index % 3 else -1 for index in range(len(pictures))]


def test_label_sets_are_each_rows_objects() -> None:
    assert data.label_sets(multi_hot([(3, 1), (2,), (1, 3)])) == [(1, 3), (2,), (1, 3)]


@pytest.fixture(scope="module")
def damaged_iclevr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for one damaged file at a time."""
    return write_iclevr(tmp_path_factory.mktemp("damaged"), scenes=2)


# errors -------------------------------------------------------------------------------------------------------------


def broken_pictures(whole: bytes) -> dict[str, bytes]:
    return {
        "empty": b"",
        "text": b"not a picture",
        "truncated": whole[: len(whole) // 2],
        "header alone": whole[:33],
        "bad header": whole[:8] + bytes(25) + whole[33:],
        "bad pixels": whole[:60] + bytes(40) + whole[100:],
    }


@pytest.mark.parametrize("kind", list(broken_pictures(b"")))
def test_a_broken_picture_is_named(write_data: WriteData, kind: str) -> None:
    folder = write_data()
    path = first_picture(folder)
    path.write_bytes(broken_pictures(path.read_bytes())[kind])
    with pytest.raises(DataError, match=rf"{path}: not a readable picture"):
        load_pictures(folder, progress=False)
    assert not list(folder.glob(".cache/*"))


@pytest.mark.parametrize("missing", ["CLEVR_train_000000_0.png", "CLEVR_train_000001_1.png"])
def test_a_missing_picture_is_named(write_data: WriteData, missing: str) -> None:
    folder = write_data()
    (folder / "images" / missing).unlink()
    with pytest.raises(DataError, match=missing):
        load_pictures(folder, progress=False)


@pytest.mark.parametrize(
    ("labels", "culprit"),
    [(["red cone"], "red cone.*red cube"), ([], "no object"), ("red cube", "list"), ([None], "None"), ([99], "99")],
)
def test_a_bad_label_is_named_with_its_entry(write_data: WriteData, labels: object, culprit: str) -> None:
    folder = write_data()
    change_listing(folder, **{"CLEVR_train_000001_0.png": labels})
    with pytest.raises(DataError, match=rf"{folder / 'train.json'}, CLEVR_train_000001_0.png: .*{culprit}"):
        load_pictures(folder, progress=False)


def test_a_file_name_without_scene_is_named(write_data: WriteData) -> None:
    folder = write_data()
    change_listing(folder, **{"picture.png": ["red cube"]})
    with pytest.raises(DataError, match="picture.png: no scene number"):
        load_pictures(folder, progress=False)


@pytest.mark.parametrize(
    "name",
    [
        "../secret_000001_0.png",
        "a/../../secret_000001_0.png",
        "/etc/picture_000001_0.png",
        "x" * 300 + "_000001_0.png",
    ],
)
def test_a_name_that_leads_out_of_the_folder_is_refused(write_data: WriteData, name: str) -> None:
    folder = write_data()
    draw(["red cube"]).save(folder / "secret_000001_0.png")
    change_listing(folder, **{name: ["red cube"]})
    with pytest.raises(DataError, match=rf"{folder / 'train.json'}, .*not the name of a picture inside the folder"):
        load_pictures(folder, progress=False)


@pytest.mark.parametrize("digits", [13, 30, 5000])
def test_a_giant_scene_number_is_named(write_data: WriteData, digits: int) -> None:
    folder = write_data()
    change_listing(folder, **{"a_" + "9" * digits + "_0.png": ["red cube"]})
    with pytest.raises(DataError, match=r"train.json, .*(at most 12 digits|inside the folder)"):
        load_pictures(folder, progress=False)


def test_a_missing_an_empty_and_a_pictureless_folder_are_named(tmp_path: Path, write_data: WriteData) -> None:
    with pytest.raises(DataError, match=rf"{tmp_path / 'nowhere'}: no such folder"):
        load_pictures(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=rf"{tmp_path / 'empty'}: the folder is empty"):
        load_pictures(tmp_path / "empty")
    folder = write_data()
    (folder / "images").rename(folder / "pictures")
    with pytest.raises(DataError, match=rf"{folder}: no picture CLEVR_train_000000_0.png in any of"):
        load_pictures(folder)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b"3", b"\xff\xfe", b'{"a.png": '])
def test_a_bad_listing_is_named(write_data: WriteData, content: bytes | None) -> None:
    folder = write_data()
    listing = folder / "train.json"
    listing.unlink()
    if content is not None:
        listing.write_bytes(content)
    with pytest.raises(DataError, match=str(listing)):
        load_pictures(folder, progress=False)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        dict(list(INDEX.items())[1:]),
        INDEX | {"red cube": 2, "blue cube": 1},
        INDEX | {"red cone": 24},
        INDEX | {"red cube": "1"},
        INDEX | {"red cube": [1]},
        {name: index + 1 for name, index in INDEX.items()},
    ],
)
def test_a_wrong_objects_json_is_named(write_data: WriteData, content: object) -> None:
    folder = write_data()
    (folder / "objects.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=str(folder / "objects.json")):
        load_pictures(folder, progress=False)


def test_objects_json_may_be_absent_and_in_any_order(write_data: WriteData) -> None:
    folder = write_data()
    (folder / "objects.json").write_text(json.dumps({name: INDEX[name] for name in reversed(OBJECTS)}))
    assert len(load_pictures(folder, progress=False)) == 6
    (folder / "objects.json").unlink()
    assert len(load_pictures(folder, progress=False)) == 6


@pytest.mark.parametrize(
    "content", ["[]", "{}", '["red cube"]', "[[]]", '[["red cube"], ["red cone"]]', "[[1.5]]", "["]
)
def test_bad_prompts_are_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "prompts.json"
    path.write_text(content)
    with pytest.raises(DataError, match=str(path)):
        load_prompts(path)


def test_missing_prompts_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere.json"):
        load_prompts(tmp_path / "nowhere.json")
    with pytest.raises(DataError, match="nowhere.json"):
        data.find_prompts("nowhere.json", tmp_path)


@given(st.sampled_from(["train.json", "objects.json", "images/CLEVR_train_000000_0.png"]), st.integers(0, 2**32))
def test_any_damaged_file_is_named_or_read(damaged_iclevr: Path, name: str, seed: int) -> None:
    path = damaged_iclevr / name
    whole = path.read_bytes()
    path.write_bytes(mutated(whole, random.Random(seed)))
    try:
        load_pictures(damaged_iclevr, progress=False)
    except DataError as error:
        assert Path(name).name in str(error) or str(damaged_iclevr) in str(error)  # noqa: PT017
    finally:
        path.write_bytes(whole)


# the cache ----------------------------------------------------------------------------------------------------------


def test_the_second_start_opens_no_picture(write_data: WriteData, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_data()
    first = load_pictures(folder, progress=False)

    def refuse(path: Path) -> np.ndarray:
        raise AssertionError(f"{path} was opened")

    monkeypatch.setattr(data, "read_picture", refuse)
    second = load_pictures(folder, progress=False)
    assert torch.equal(first.pixels, second.pixels)
    assert torch.equal(first.labels, second.labels)


def test_a_changed_picture_is_read_again(write_data: WriteData) -> None:
    folder = write_data()
    before = load_pictures(folder, progress=False).pixels[0]
    draw(["yellow sphere", "red cube"]).save(first_picture(folder))
    after = load_pictures(folder, progress=False).pixels[0]
    assert not torch.equal(before, after)


def test_changed_labels_are_read_again(write_data: WriteData) -> None:
    folder = write_data()
    load_pictures(folder, progress=False)
    change_listing(folder, **{"CLEVR_train_000000_0.png": ["yellow cylinder"]})
    assert load_pictures(folder, progress=False).labels[0].nonzero().tolist() == [[23]]


@pytest.mark.parametrize("way", ["cut", "empty", "rubbish", "other shape", "pickle"])
def test_a_broken_cache_is_made_again(write_data: WriteData, way: str) -> None:
    folder = write_data()
    first = load_pictures(folder, progress=False)
    (cache,) = (folder / ".cache").iterdir()
    whole = cache.read_bytes()
    if way in ("other shape", "pickle"):
        np.save(cache, first.pixels.numpy()[:2] if way == "other shape" else np.array([{}], dtype=object))
    else:
        cache.write_bytes({"cut": whole[:1000], "empty": b"", "rubbish": b"x" * 2000}[way])
    assert torch.equal(load_pictures(folder, progress=False).pixels, first.pixels)
    assert cache.read_bytes() == whole


def test_a_full_disk_costs_the_cache_alone(
    write_data: WriteData, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(file: object, pixels: np.ndarray) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "save", full)
    assert len(load_pictures(write_data(), progress=False)) == 6
    assert "No space left on device" in capsys.readouterr().err


def test_a_failed_write_leaves_nothing(write_data: WriteData, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_data()

    def half(file: object, pixels: np.ndarray) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "save", half)
    with pytest.raises(KeyboardInterrupt):
        load_pictures(folder, progress=False)
    assert list((folder / ".cache").iterdir()) == []


WRITER = """
import sys, numpy as np
from pathlib import Path
from train.data import iclevr as data
folder = Path(sys.argv[1])
pixels = np.full((4000, 3, 64, 64), 7, np.uint8)
while True:
    with data.replacing(folder / "cache.npy") as file:
        np.save(file, pixels)
"""


def test_a_reader_beside_a_killed_writer_never_sees_half_a_cache(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=Path(__file__).parents[3])
    cache = tmp_path / "cache.npy"
    try:
        limit = time.monotonic() + 120
        while not cache.exists() and time.monotonic() < limit:
            time.sleep(0.02)
        for _ in range(15):
            assert (np.load(cache) == 7).all()
    finally:
        writer.kill()
    assert writer.wait() == -signal.SIGKILL
    assert np.load(cache).shape == (4000, 3, 64, 64)


def test_a_read_only_folder_is_cached_elsewhere(write_data: WriteData, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_data()
    elsewhere = folder.parent / "elsewhere"
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr("train.data.iclevr.tempfile.gettempdir", lambda: str(elsewhere))
    load_pictures(folder, progress=False)
    assert not (folder / ".cache").exists()
    assert len(list(elsewhere.glob("clevr-duel/*.npy"))) == 1


# the real pictures --------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_the_real_data_is_what_the_course_hands_out(real_data: Path) -> None:
    pictures = load_pictures(real_data, progress=False)
    training, held_out = pictures.split()
    assert (len(pictures), len(training), len(held_out)) == (18009, 17106, 903)
    assert torch.bincount(pictures.labels.sum(1).long()).tolist() == [0, 6003, 6003, 6003]
    assert not set(training.scenes.tolist()) & set(held_out.scenes.tolist())
    assert pictures.pixels.float().std(dim=0).mean() > 5
    triples = {labels for labels in data.label_sets(pictures.labels) if len(labels) == 3}
    assert len(triples) == 2024 - 136


@pytest.mark.data
def test_the_real_prompts(real_data: Path) -> None:
    for name, labels in (("test.json", 72), ("new_test.json", 84)):
        prompts = load_prompts(real_data / name)
        assert (len(prompts), sum(map(len, prompts))) == (32, labels)
