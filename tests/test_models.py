"""The registry and the contenders: a third model joins in a dozen lines, here, and everything draws with it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw

from clevr_demo import CheckpointError, GenerationRequest, InputError
from clevr_demo import __main__ as command
from clevr_demo.checkpoints import save_weights
from clevr_demo.generators.protocol import Frame, Generation
from clevr_demo.models import MODELS, Contender, Model, register, usual, usual_pair
from clevr_demo.objects import COLOURS, parse
from clevr_demo.pictures import from_image
from clevr_demo.places import Places
from clevr_demo.request import from_query, query_of
from clevr_demo.serve.drawing import draw
from clevr_demo.serve.gate import Gate
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.ui import build_demo, server
from tests.conftest import TINY, shipped, tiny_ddpm
from tests.fakes import FakeJudge, fake_gate
from tests.serving import call, pixels
from train.measure import __main__ as measure


class Discs:
    """Pastes a disc of each object's colour, wherever the seed says."""

    kind, name, device = "discs", "discs@0d15c500", torch.device("cpu")

    def stream(self, labels: Any, seed: int = 0, steps: int = 20) -> Iterator[Frame]:
        image, random = Image.new("RGB", (64, 64), "#707070"), torch.Generator().manual_seed(seed)
        for index in parse(labels):
            x, y = torch.randint(8, 44, (2,), generator=random).tolist()
            ImageDraw.Draw(image).ellipse((x, y, x + 12, y + 12), fill=COLOURS[index % len(COLOURS)])
        yield from (Frame(step, steps - 1 - step, from_image(image), from_image(image)) for step in range(steps))

    def generate(self, labels: Any, seed: int = 0, steps: int = 20, timeline: bool = True) -> Generation:
        frames, request = tuple(self.stream(labels, seed, steps)), GenerationRequest.of(labels, seed, steps)
        return Generation(frames if timeline else frames[-1:], request, self.name, 0.001, 1)

    def generate_batch(self, labels_list: Any, seeds: Any, steps: int = 20, timeline: bool = True) -> list[Generation]:
        return [self.generate(one, seed, steps, timeline) for one, seed in zip(labels_list, seeds, strict=True)]

    def places(self, labels_list: Sequence[Any], seeds: Sequence[int]) -> list[Places]:
        return [Places() for _ in seeds]


@pytest.fixture(scope="module")
def discs() -> Iterator[Model]:
    """The third model, registered for as long as these tests run."""
    yield register(Model("discs", "Discs", "Pastes coloured discs.", lambda path, device: Discs()))
    del MODELS["discs"]


def studio_of(*names: str) -> Studio:
    """Contenders that draw at once, and the discs."""
    one = Contender("discs", "discs")
    gates = {name: fake_gate(name) for name in names} | {"discs": Gate(one, one.load)}
    return Studio(gates, FakeJudge())  # type: ignore[arg-type]


def test_a_model_without_sources_of_noise_takes_no_places(discs: Model) -> None:
    one, request = Contender("discs", "discs"), GenerationRequest.of([1], seeds={"pixels": 3, "looks": 4})
    assert one.fixed(request) == {}
    assert Contender("quick", "ddpm").fixed(request) == {"seeds": {"pixels": 3}}
    with pytest.raises(InputError, match="the Discs places nothing"):
        one.fixed(GenerationRequest.of([1], places={1: (30, 12)}))
    with pytest.raises(InputError, match="a contender is NAME=FOLDER"):
        Contender.of("seed-pixels=checkpoints/ddpm")


def test_the_command_line_draws_with_it(discs: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shipped("detector")
    out = tmp_path / "discs.png"
    command.main(["red cube", "--model", "discs", "--seed", "3", "--out", str(out), "--scale", "1", "--json"])
    told = json.loads(capsys.readouterr().out)["discs"]
    assert (told["model"], told["evaluations"], told["places"]) == (Discs.name, 1, [])
    with Image.open(out) as sheet:
        drawn = sheet.convert("RGB").crop((2, 2, 66, 66))
    assert drawn.tobytes() == Discs().generate(["red cube"], 3).image.tobytes()


def test_the_endpoint_draws_with_it_as_one_of_the_two(
    discs: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    studio = studio_of("ddpm")
    demo = build_demo(studio)
    address = server.start(demo).rstrip("/")
    try:
        result = call(address, ["red cube", "blue sphere"], 5, 4, "dpm", 2)
        drawn = pixels(result["discs"][1]["file"])
    finally:
        server.stop(demo, studio)
    assert [one["seed"] for one in result["ddpm"]] == [one["seed"] for one in result["discs"]] == [5, 6]
    assert drawn == Discs().generate(["red cube", "blue sphere"], 6).image.tobytes()
    assert result["query"].endswith("ddpm=00000000&discs=0d15c500")
    assert "acgan" not in result


def test_a_measure_scores_it(discs: Model, tmp_path: Path, iclevr: Path) -> None:
    for judge in ("detector", "classifier", "teacher"):
        shipped(judge)
    options = ["--checkpoint", str(tmp_path), "--data", str(iclevr), "--prompts", "test", "--seeds", "1"]
    measure.main(["scores", "--model", "discs", *options])
    found = json.loads((tmp_path / "metrics.json").read_text())["scores"]["test"]
    assert (found["model"], found["evaluations"], found["prompts"]) == (Discs.name, 1, 2)


def test_the_page_plays_its_duel(discs: Model) -> None:
    run = list(draw(studio_of("ddpm"), GenerationRequest.of(["red cube"], 7, 3), lambda: False))[-1]
    pair = run.payload()["pairs"][0]
    assert set(pair) == {"seed", "ddpm", "discs"}
    assert len(pair["ddpm"]["frames"]) > len(pair["discs"]["frames"]) == 0
    assert pair["discs"]["cost"].startswith("1 pass, ")
    assert run.payload()["status"].startswith("DDPM: Drawn, nothing else. Discs: Drawn, nothing else.")


def test_the_same_model_may_stand_there_twice_with_other_settings() -> None:
    gates = {"ddpm": fake_gate("ddpm"), "acgan": fake_gate("acgan")}
    quick = Contender("quick", "ddpm", settings={"steps": 2})
    studio = Studio(gates | {"quick": Gate(quick, gates["ddpm"]._load)}, FakeJudge())  # type: ignore[arg-type]
    request = GenerationRequest.of(["red cube"], 7, 5, duel=("ddpm", "quick"))
    drawn = [cell for cell, still in studio.draw([Cell("ddpm", request), Cell("quick", request)]) if still.last]
    assert sorted(drawn) == [0, 1]
    run = list(draw(studio, request, lambda: False))[-1]
    assert run.payload()["contenders"] == ["ddpm", "quick"]
    assert [run.payload()["pairs"][0][name]["evaluations"] for name in ("ddpm", "quick")] == [5, 2]
    assert [one.title for one in studio.duel(request)] == ["DDPM", "quick"]


def test_a_link_names_only_contenders_that_the_server_was_started_with() -> None:
    studio = studio_of("ddpm", "acgan")
    asked = GenerationRequest.of(["red cube"], 7, 5, duel=("discs", "acgan"))
    fields = query_of(studio.query(asked))
    assert {"discs", "acgan"} <= set(fields)
    assert from_query(fields, studio.gates)[:2] == (asked, [])
    request, notes, weights = from_query(fields)
    assert request == dataclasses.replace(asked, duel=())
    assert notes == ["The link names 'discs', which does not draw here; the usual two do."]
    assert set(weights) == {"acgan"}
    assert studio.query(GenerationRequest.of(["red cube"], 7, 5, duel=())).endswith("ddpm=00000000&acgan=11111111")


@pytest.mark.parametrize("duel", ["ddpm", "ddpm,ddpm", "ddpm,acgan,discs", "my model,acgan", "../x,y"])
def test_a_duel_that_is_none_falls_back_with_a_note(duel: str) -> None:
    request, notes, _ = from_query({"objects": "red-cube", "seed": "1", "steps": "2", "duel": duel})
    assert request.duel == ()
    assert notes[0].startswith("a duel is two different contenders' names, not ")


def folder_with(kind: str, folder: Path) -> Path:
    save_weights(tiny_ddpm().network, {"kind": kind, "model": dataclasses.asdict(TINY)}, folder)
    return folder


def test_a_contender_is_read_from_the_command_line(tmp_path: Path) -> None:
    folder = folder_with("ddpm", tmp_path / "mine")
    one = Contender.of(f"mine={folder}?steps=4&sampler=ddim")
    assert (one.name, one.kind, one.title) == ("mine", "ddpm", "mine")
    asked = GenerationRequest.of(["red cube"], 3, 20)
    assert one.request(asked) == dataclasses.replace(asked, steps=4, sampler="ddim")
    assert one.passes(asked) == 4
    assert one.load("cpu").generate(["red cube"], 3, 2).frames


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("mine", InputError, "NAME=FOLDER"),
        ("Mine={}", InputError, "NAME=FOLDER"),
        ("seed={}", InputError, "NAME=FOLDER"),
        ("grid={}", InputError, "NAME=FOLDER"),
        ("mine={}?guidance=2", InputError, "'guidance' is no setting of a contender"),
        ("mine={}?steps=0", InputError, "steps must be between 1 and 1200"),
        ("mine={}?steps=x", InputError, "steps must be a whole number"),
        ("mine=nowhere", CheckpointError, "nowhere/model.safetensors: missing"),
        ("mine={}-judge", InputError, "holds no model that draws but 'detector'"),
    ],
)
def test_a_wrong_contender_is_one_sentence(text: str, error: type[Exception], told: str, tmp_path: Path) -> None:
    folder_with("detector", tmp_path / "one-judge")
    with pytest.raises(error, match=told) as caught:
        Contender.of(text.format(folder_with("ddpm", tmp_path / "one")))
    assert "\n" not in str(caught.value)


def test_the_usual_two_are_the_registrys_and_may_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEVR_ACGAN", "elsewhere")
    assert [(one.name, one.title, one.path) for one in usual_pair()] == [
        ("ddpm", "DDPM", None), ("acgan", "ACGAN", "elsewhere"),
    ]  # fmt: skip
    assert usual("acgan", "here").path == "here"
    with pytest.raises(ValueError, match="unknown model 'vae'; choose one of ddpm, acgan"):
        Contender("vae", "vae").load()
