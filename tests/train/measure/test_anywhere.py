"""The measure of given places must see ghosts, shifts, gaps and restless ground, and nothing where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from clevr_demo.checkpoints import read_metrics, write_metrics
from clevr_demo.generators.protocol import Frame
from clevr_demo.judge.evaluator import Evaluator
from clevr_demo.objects import OBJECTS
from clevr_demo.places import Given, on_ground
from tests.train.measure.made import Teacher
from train.measure import anywhere, records
from train.measure.__main__ import job_of, main
from train.measure.prompts import NUMBERS, scenes

SCENES = 20  # of each number of objects
GHOST = 23
MIDDLE = (28, 31)


class Plotter:
    """A model that marks every object by one pixel whose level says which, as `spoiled` says where; beside it stands
    the judge that reads them, the surest of each first."""

    name, kind, device = "ddpm@plotted1", "ddpm", torch.device("cpu")

    def __init__(self, spoiled: Callable[[Given], list[tuple[int, float, float]]], restless: float = 0.0) -> None:
        self.spoiled, self.restless = spoiled, restless
        self.seeds: list[int] = []

    def stream(self, labels: tuple[int, ...], seed: int, steps: int, *, places: Given, **_: Any) -> Iterator[Frame]:
        assert tuple(places) == labels
        self.seeds.append(seed)
        pixels = self.drawn(places)
        return (Frame(step, 0, pixels, pixels) for step in range(steps))

    def drawn(self, given: Given) -> torch.Tensor:
        pixels = torch.full((3, 64, 64), -1.0)
        pixels[2] = self.restless * sum(column for _, column in given.values()) / 127.5
        for index, row, column in self.spoiled(given):
            pixels[0, round(row), round(column)] = (5 * index + 5) / 127.5
        return pixels


class Reader:
    name = "judge@read1"
    judge = Evaluator.judge

    def detect(self, pixels: torch.Tensor) -> list[tuple[Any, ...]]:
        return [tuple(map(self.found, (plane > -1).nonzero().tolist(), plane[plane > -1])) for plane in pixels[:, 0]]

    def probabilities(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(pixels), len(OBJECTS))

    @staticmethod
    def found(place: list[int], level: torch.Tensor) -> Any:
        return SimpleNamespace(name=OBJECTS[round(float(level) * 127.5 / 5) - 1], row=place[0], column=place[1])


def right(given: Given) -> list[tuple[int, float, float]]:
    return [(index, *centre) for index, centre in given.items()]


def with_ghost(given: Given) -> list[tuple[int, float, float]]:
    """As a painter does that has never seen an empty middle."""
    near = any(math.dist(centre, MIDDLE) < 8 for centre in given.values())
    return right(given) + ([] if near else [(GHOST, *MIDDLE)])


def shifted(given: Given) -> list[tuple[int, float, float]]:
    return [(index, row + 3, column) for index, row, column in right(given)]


def lost_on_the_right(given: Given) -> list[tuple[int, float, float]]:
    return [place for place in right(given) if place[2] <= 31]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "SCENES", SCENES)


def measured(model: Plotter, folder: Path, *words: str) -> dict[str, Any]:
    job = job_of(["anywhere", "--model", "ddpm", "--checkpoint", str(folder), *words])[1]
    job.model, job.judge, job.teacher = model, Reader(), Teacher()  # type: ignore[assignment]
    anywhere.MEASURE.run(job)
    return read_metrics(folder)


@pytest.mark.parametrize("objects", [1, 6, 8])
def test_scenes_are_of_different_objects_apart_and_on_the_ground(objects: int) -> None:
    found = scenes(objects, 40)
    assert found == scenes(objects, 40)
    assert {len(scene) for scene in found} == {objects}
    centres = torch.tensor([list(scene.values()) for scene in found])
    assert on_ground(centres).all()
    apart = torch.cdist(centres, centres) + 100 * torch.eye(objects)
    assert apart.min() >= 9
    assert len({index for scene in found for index in scene}) > 18
    assert centres.flatten(0, 1).std(dim=0).min() > 7


def test_what_is_drawn_right_is_counted_exact(tmp_path: Path) -> None:
    found = measured(Plotter(right), tmp_path)["anywhere"]
    assert set(found["rows"]) == {anywhere.ALL, *NUMBERS}
    assert found["rows"]["one to six"] == {
        "scenes": 120, "exact": 1.0, "interval": [0.969, 1.0], "unasked": 0.0, "near": 1.0, "off": 0.0
    }  # fmt: skip
    assert found["rows"]["eight"]["scenes"] == 20
    assert (found["steps"], found["model"], found["judge"]) == (20, Plotter.name, Reader.name)


def test_a_ghost_is_something_unasked_and_no_object_is_off(tmp_path: Path) -> None:
    rows = measured(Plotter(with_ghost), tmp_path)["anywhere"]["rows"]
    assert rows["one"]["exact"] == pytest.approx(1 - rows["one"]["unasked"])
    assert rows["one"]["exact"] < 0.3 < rows["eight"]["exact"]
    given = [scene for count in range(1, 7) for scene in scenes(count, SCENES)]
    spoiled = sum(len(with_ghost(scene)) > len(scene) for scene in given)
    assert rows["one to six"]["unasked"] == pytest.approx(spoiled / 120, abs=1e-4)
    assert rows["one to six"]["off"] < 1  # but where the ghost's name was asked for, too, it may be the surer one


def test_a_shift_is_counted_exact_but_not_near(tmp_path: Path) -> None:
    found = measured(Plotter(shifted), tmp_path, "--steps", "4")
    row = found["anywhere, 4 steps"]["rows"]["one to six"]
    assert (row["exact"], row["near"], row["off"]) == (1.0, 0.0, 3.0)


def test_a_moved_objects_gaps_are_counted_and_shown(tmp_path: Path) -> None:
    model = Plotter(lost_on_the_right)
    found = measured(model, tmp_path, "--move", "Red-Cube", "gray sphere")["anywhere, moved"]
    places = anywhere.ground()
    assert set(found["rows"]) == {"red cube", "gray sphere"}
    assert found["rows"]["red cube"]["places"] == len(places) > 100
    assert found["rows"]["red cube"]["exact"] == pytest.approx(float((places[:, 1] <= 31).float().mean()), abs=1e-4)
    assert set(model.seeds) == {0}
    shown = Image.open(tmp_path / "moved.png").convert("RGB")
    assert shown.size == (640, 320)
    colours = {column: shown.getpixel((5 * column + 2, 5 * 28 + 2)) for column in (19, 49)}
    assert colours == {19: (0x30, 0x70, 0xFF), 49: (0xD0, 0, 0)}


@pytest.mark.parametrize("restless", [0.0, 0.5])
def test_what_changes_far_from_a_moved_object_is_measured(tmp_path: Path, restless: float) -> None:
    """Of three channels one follows the object's column; between rows nothing changes."""
    row = measured(Plotter(right, restless), tmp_path, "--move", "red cube")["anywhere, moved"]["rows"]["red cube"]
    places = anywhere.ground()
    sideways, up = ((torch.cdist(places, places + torch.tensor(step)) == 0).sum() for step in ([0.0, 3.0], [3.0, 0.0]))
    expected = 3 * restless / 3 * float(sideways / (sideways + up))
    assert row["change"] == pytest.approx(expected, abs=0.35 if restless else 0)  # levels are whole ones
    assert (row["change"] > 0) == (restless > 0)


def test_the_card_shows_scenes_first_and_the_maps_of_each_number_of_steps(tmp_path: Path) -> None:
    for words in (["--move", "red cube"], [], ["--move", "red cube", "--steps", "4"]):
        metrics = measured(Plotter(right), tmp_path, *words)
    assert anywhere.REAL not in anywhere.card(tmp_path, metrics)
    (tmp_path.parent / "detector").mkdir()
    write_metrics(tmp_path.parent / "detector", {"bounds": {"anywhere": metrics["anywhere"]["rows"]}})
    text = anywhere.card(tmp_path, metrics)
    assert text.index("(<moved, 4 steps.png>)") < text.index(anywhere.REAL) < text.rindex("| eight |")
    assert "| one to six | 120 | 1.000 | 0.969 to 1.000 | 0.000 | 1.000 | 0.000 |" in text
    assert text.index("| eight |") < text.index("| red cube |") < text.index("4 steps")
    assert "(<moved.png>)" in text
    assert "(<moved, 4 steps.png>)" in text


def test_an_unknown_object_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["anywhere", "--model", "ddpm", "--move", "red cub"])
    assert "did you mean 'red cube'?" in capsys.readouterr().err
