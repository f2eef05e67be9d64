"""The command line: files that know their request, a line a model or JSON, and errors in one line."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from clevr_demo import __main__ as command
from clevr_demo import checkpoints
from clevr_demo.pictures import query_in
from clevr_demo.request import GenerationRequest, from_query, query_of
from tests.conftest import TINY, shipped, tiny_ddpm


@pytest.fixture(scope="module")
def ddpm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ddpm")
    checkpoints.save_weights(tiny_ddpm().network, {"kind": "ddpm", "model": asdict(TINY)}, folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """What is drawn is judged by the weights that ship with the project."""
    shipped("detector")
    shipped("classifier")


def test_a_picture_and_a_film_that_know_their_request(
    ddpm_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, film = tmp_path / "one.png", tmp_path / "film.gif"
    options = ["--model", "ddpm", "--checkpoint", str(ddpm_folder), "--seed", "7", "--steps", "3", "--sampler", "ddim"]
    command.main(["red cube, Blue-Sphere", *options, "--out", str(out), "--gif", str(film), "--scale", "2"])
    asked = GenerationRequest.of(["red cube", "blue sphere"], 7, 3, "ddim")
    for path in (out, film):
        query = query_in(path)
        assert query is not None
        request, notes, weights = from_query(query_of(query))
        assert (request, notes) == (asked, [])
        assert weights == {"ddpm": checkpoints.fingerprint(ddpm_folder)}
    with Image.open(out) as picture:
        assert picture.size == (2 * 68, 2 * 68)
    with Image.open(film) as frames:
        assert getattr(frames, "n_frames", 1) >= 3
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("DDPM: ")
    assert "3 evaluations" in said[0]
    assert said[-1] == f"Written: {out}, {film}"


def test_json_says_everything(ddpm_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", "ddpm", "--checkpoint", str(ddpm_folder), "--steps", "2", "--out", str(tmp_path / "a.png")]
    command.main(["red cube", *options, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["objects"] == ["red cube"]
    assert found["picture"] == str(tmp_path / "a.png")
    one = found["ddpm"]
    assert one["model"] == f"ddpm@{checkpoints.fingerprint(ddpm_folder)}"
    assert one["evaluations"] == 2
    assert [place["name"] for place in one["places"]] == ["red cube"]
    assert len(one["verdict"]["probabilities"]) == 24
    assert {"sentence", "exact", "counts", "found", "missing", "extra", "doubled"} <= set(one["verdict"])


@pytest.mark.parametrize("option", [("--at", "red cube=30,12"), ("--seed-of", "pixels=3")])
def test_a_name_that_is_there_twice_is_one_line(option: tuple[str, str]) -> None:
    with pytest.raises(SystemExit, match="is there twice"):
        command.main(["red cube", *option, *option])


def test_a_picture_that_cannot_be_written_whole_leaves_the_one_before(
    ddpm_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.png"
    out.write_bytes(b"before")
    full = OSError(28, "No space left on device")

    def fail(*_: object) -> None:
        raise full

    monkeypatch.setattr("clevr_demo.checkpoints.os.fsync", fail)
    options = ["--model", "ddpm", "--checkpoint", str(ddpm_folder), "--steps", "1", "--out", str(out)]
    with pytest.raises(SystemExit, match=r"a\.png: No space left on device"):
        command.main(["red cube", *options])
    assert out.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_gpu_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SystemExit, match="there is no GPU here that torch can use"):
        command.main(["red cube", "--device", "cuda"])


def test_places_are_said_object_by_object(
    ddpm_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.png"
    options = ["--model", "ddpm", "--checkpoint", str(ddpm_folder), "--steps", "1", "--out", str(out)]
    at = ["--at", "red cube=30.4,12", "--at", "Blue-Sphere=2, 2"]
    command.main(["red cube, blue sphere, gray cube", *options, *at, "--json"])
    found = json.loads(capsys.readouterr().out)
    placed = {place["name"]: (place["row"], place["column"], place["given"]) for place in found["ddpm"]["places"]}
    assert (placed["red cube"], placed["blue sphere"]) == ((30.5, 12.0, True), (2.0, 2.0, True))
    assert placed["gray cube"][2] is False
    assert found["notice"] == "Training pictures show nothing where the blue sphere is to stand."
    assert "at=red-cube:30.5:12,blue-sphere:2:2" in found["query"]
    asked = from_query(query_of(query_in(out) or ""))
    assert asked[0].given == {1: (30.5, 12.0), 10: (2.0, 2.0)}
    assert asked[1] == []
    command.main(["red cube, blue sphere", *options, "--at", "red cube=30,12", "--at", "blue sphere=30,13"])
    assert "Places given to the red cube and the blue sphere are nearer" in capsys.readouterr().out


def test_a_source_of_noise_has_a_seed_of_its_own(ddpm_folder: Path, tmp_path: Path) -> None:
    pixels = {}
    for source in ("pixels", "places"):
        out = tmp_path / f"{source}.png"
        options = ["--model", "ddpm", "--checkpoint", str(ddpm_folder), "--steps", "1", "--out", str(out)]
        command.main(["red cube, blue sphere", *options, "--seed-of", f"{source}=3"])
        assert from_query(query_of(query_in(out) or ""))[0].seeds == ((source, 3),)
        pixels[source] = Image.open(out).tobytes()
    assert pixels["pixels"] != pixels["places"]


def test_both_models_by_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped("ddpm")
    shipped("acgan")
    monkeypatch.chdir(tmp_path)
    command.main(["red cube", "--steps", "2", "--seed", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["DDPM", "ACGAN", "Written"]
    with Image.open(tmp_path / "red-cube_seed3.png") as picture:
        assert picture.size == (4 * 134, 4 * 68)


WRONG = [
    (["red cone"], "unknown object 'red cone'; did you mean"),
    ([""], "no object was asked for"),
    (["red cube", "--seed", "-1"], "seed must be between 0 and"),
    (["red cube", "--seed", "x"], "argument --seed: invalid int value"),
    (["red cube", "--steps", "0"], "steps must be between 1 and 1200"),
    (["red cube", "--sampler", "euler"], "argument --sampler: invalid choice"),
    (["red cube", "--model", "gan"], "argument --model: invalid choice"),
    (["red cube", "--out", "picture.jpg"], "--out is a .png"),
    (["red cube", "--gif", "film.mp4"], "--gif is a .gif or a .webp"),
    (["red cube", "--scale", "99"], "--scale must be between 1 and 16"),
    (["red cube", "--checkpoint", "x"], "--checkpoint needs one --model"),
    (["red cube", "--model", "ddpm", "--checkpoint", "nowhere"], "nowhere/model.safetensors: missing"),
    (["red cube", "--at", "red cube"], "--at is OBJECT=ROW,COLUMN, as in \"red cube=30,12\", not 'red cube'"),
    (["red cube", "--at", "red cube=1"], "the place of the red cube must be two numbers"),
    (["red cube", "--at", "gray cube=1,2"], "the gray cube has a place but is not among the objects"),
    (["red cube", "--seed-of", "pixels=x"], "--seed-of is SOURCE=SEED, as in places=3, not 'pixels=x'"),
    (["red cube", "--seed-of", "hue=3"], "unknown source of noise 'hue'; choose from places, looks, light, grain, pix"),
    ([], "the following arguments are required: objects"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_an_error_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    line = str(caught.value) if isinstance(caught.value.code, str) else capsys.readouterr().err.strip()
    assert line.startswith("clevr-duel: error: ")
    assert message in line
    assert "\n" not in line


def test_two_requests_of_one_seed_are_two_files(
    ddpm_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--model", "ddpm", "--checkpoint", str(ddpm_folder), "--seed", "7"]
    five = "red cube, blue cube, gray cube, green cube, "
    asked = [(f"{five}cyan sphere", "1"), (f"{five}cyan cylinder", "1"), (f"{five}cyan sphere", "2")]
    for objects, steps in asked:
        command.main([objects, *options, "--steps", steps])
    files = sorted(tmp_path.glob("*.png"))
    assert len(files) == 3
    queries = [query_in(path) for path in files]
    wanted = {GenerationRequest.of(objects, 7, int(steps)) for objects, steps in asked}
    assert {from_query(query_of(query or ""))[0] for query in queries} == wanted


@pytest.mark.parametrize("option", ["--out", "--gif"])
def test_a_file_that_cannot_be_written_is_one_line_before_anything_is_drawn(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "drawn", lambda *arguments: pytest.fail("it was drawn"))
    for name in ("absent/one", "folder"):
        path = tmp_path / (name + (".png" if option == "--out" else ".gif"))
        if name == "folder":
            path.mkdir()
        with pytest.raises(SystemExit, match=rf"{path.name}: (No such file|Is a directory)"):
            command.main(["red cube", "--model", "acgan", option, str(path)])
    assert not list(tmp_path.glob("*.png.*"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name]


def test_weights_that_do_not_fit_are_one_line(ddpm_folder: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(ddpm_folder, tmp_path / "broken")
    (broken / "config.json").write_text("{")
    with pytest.raises(SystemExit, match=r"clevr-duel: error: the weights could not be loaded: .*Invalid JSON"):
        command.main(["red cube", "--model", "ddpm", "--checkpoint", str(broken)])
