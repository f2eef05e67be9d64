"""The benchmark: its numbers against direct computation, and what it writes."""

from __future__ import annotations

import json
import shutil
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import clevr_demo
from clevr_demo.acgan import load_acgan
from clevr_demo.checkpoints import read_config, save_weights, write_json
from clevr_demo.classifier import TeacherNetwork
from clevr_demo.diffusion import load_ddpm
from clevr_demo.evaluator import load_evaluator
from clevr_demo.objects import OBJECTS, multi_hot
from clevr_demo.pictures import from_image
from tests.conftest import TINY, tiny_ddpm
from train import benchmark, diversity, sampling, variants
from train.acgan import PRESETS, GeneratorNetwork
from train.data import load_pictures, load_prompts, validation_prompts

SEEDS = 8


@pytest.fixture
def model_folders(tmp_path: Path) -> dict[str, Path]:
    """Checkpoint folders of a tiny DDPM and a tiny ACGAN."""
    torch.manual_seed(0)
    config = PRESETS["tiny"].model
    save_weights(GeneratorNetwork(config), {"model": asdict(config)}, tmp_path / "acgan")
    save_weights(tiny_ddpm().network, {"model": asdict(TINY)}, tmp_path / "ddpm")
    return {name: tmp_path / name for name in ("ddpm", "acgan")}


def run(name: str, folder: Path, judge: Path, data: Path, *extra: str) -> dict[str, Any]:
    """The metrics.json that the command writes."""
    command = ["--model", name, "--checkpoint", str(folder), "--evaluator", str(judge), "--data", str(data)]
    benchmark.main(
        [*command, "--prompts", "test.json", "--seeds", str(SEEDS), "--steps", "2", "--device", "cpu", *extra]
    )
    return json.loads((folder / "metrics.json").read_text())


def direct_scores(name: str, folder: Path, judge_folder: Path, data: Path) -> tuple[list[float], list[float]]:
    """Accuracy and exact match of every seed, a picture at a time through the public interface."""
    model, judge = clevr_demo.load(name, folder, "cpu"), load_evaluator(judge_folder, "cpu")
    prompts = load_prompts(data / "test.json")
    accuracies, exacts = [], []
    for seed in range(SEEDS):
        images = [model.generate(p, seed * 10_000 + n, steps=2).image for n, p in enumerate(prompts)]
        verdicts = [judge(image, prompt) for image, prompt in zip(images, prompts, strict=True)]
        accuracies.append(sum(v.hits for v in verdicts) / sum(map(len, prompts)))
        seen = [{name for name, p in v.probabilities.items() if p > 0.5} for v in verdicts]
        exacts.append(sum(s == set(v.requested) for s, v in zip(seen, verdicts, strict=True)) / len(prompts))
    return accuracies, exacts


def discerning_judge(folder: Path, name: str, model_folder: Path) -> Path:
    """A judge that sees the prompts' four objects in about half of the model's pictures, and no others."""
    torch.manual_seed(8)
    network = TeacherNetwork().eval()
    drawn = clevr_demo.load(name, model_folder, "cpu").generate_batch([[1], [10, 16]] * 8, range(16), steps=2)
    last = network.head
    with torch.no_grad():
        features = network.features(torch.stack([result.frames[-1].predicted_pixels for result in drawn]))
        last.weight.copy_(torch.randn(24, 256) / features.std(dim=0).clamp(min=1e-4))
        last.bias.copy_(-(last.weight @ features.mean(dim=0)))
        last.weight[:] = last.weight * 0.01
        last.bias[:] = last.bias * 0.01
        last.bias[[n for n in range(24) if n not in (1, 10, 16, 5)]] -= 20
    save_weights(network, {}, folder)
    return folder


@pytest.mark.parametrize("name", ["ddpm", "acgan"])
def test_metrics_are_what_direct_computation_gives(
    name: str, model_folders: dict[str, Path], tmp_path: Path, iclevr: Path
) -> None:
    judge = discerning_judge(tmp_path / "judge", name, model_folders[name])
    found = run(name, model_folders[name], judge, iclevr)["test"]
    direct = direct_scores(name, model_folders[name], judge, iclevr)
    assert all(0 < statistics.fmean(values) < 1 for values in direct)
    for column, values in zip(("accuracy", "exact_match"), direct, strict=True):
        assert found[column]["mean"] == pytest.approx(statistics.fmean(values), abs=1e-4)
        assert found[column]["std"] == pytest.approx(statistics.stdev(values), abs=1e-4)
    assert (found["prompts"], found["seeds"], found["steps"]) == (2, SEEDS, 2)
    assert found["network_evaluations"] == (4 if name == "ddpm" else 1)
    assert found["model"] == clevr_demo.load(name, model_folders[name], "cpu").name
    assert found["judge"].startswith("detector@")
    assert f"--model {name} --prompts test.json --seeds {SEEDS} --steps 2" in found["command"]
    assert str(judge) in found["command"]


def test_the_grid_shows_the_first_seeds_pictures(
    model_folders: dict[str, Path], judge_folder: Path, iclevr: Path
) -> None:
    run("acgan", model_folders["acgan"], judge_folder, iclevr)
    model = clevr_demo.load("acgan", model_folders["acgan"], "cpu")
    grid = np.asarray(Image.open(model_folders["acgan"] / "test.png"))
    for number, prompt in enumerate(load_prompts(iclevr / "test.json")):
        left = 2 + number * 66
        assert np.array_equal(grid[2:66, left : left + 64], np.asarray(model.generate(prompt, number, steps=1).image))


def test_other_entries_of_the_metrics_stay(model_folders: dict[str, Path], judge_folder: Path, iclevr: Path) -> None:
    (model_folders["ddpm"] / "metrics.json").write_text('{"new_test": {"kept": 1}, "test": {"old": 1}}')
    found = run("ddpm", model_folders["ddpm"], judge_folder, iclevr, "--sampler", "ddim", "--guidance", "1")
    assert found["new_test"] == {"kept": 1}
    assert "old" not in found["test"]
    assert (found["test"]["sampler"], found["test"]["guidance"]) == ("ddim", 1.0)
    assert found["test"]["network_evaluations"] == 2
    assert "--sampler ddim --guidance 1" in found["test"]["command"]


def test_no_two_pictures_of_a_benchmark_share_their_seed() -> None:
    asked: list[int] = []

    class Spy:
        def generate_batch(self, prompts: Any, seeds: list[int], **_: Any) -> list[Any]:
            asked.extend(seeds)
            return tiny_ddpm().generate_batch([[0]], [0], steps=1) * len(seeds)

    for seed in range(3):
        benchmark.draw(Spy(), [[0]] * 40, seed)
    assert len(set(asked)) == 120
    assert asked[40] == 10_000


def test_what_is_judged_is_what_a_picture_file_holds() -> None:
    frame = tiny_ddpm().generate([1], 0, steps=2).frames[-1]
    assert torch.allclose(benchmark.quantised(frame.predicted_pixels), from_image(frame.predicted), atol=1e-6)


def test_spread_is_the_samples() -> None:
    assert benchmark.spread([0.5, 0.7, 0.9]) == {"mean": 0.7, "std": 0.2}
    assert benchmark.spread([0.5]) == {"mean": 0.5, "std": 0.0}


def test_validation_prompts_are_of_held_out_or_unseen_sets(iclevr: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    held_out = pictures.split()[1]
    found = validation_prompts("held-out", pictures)
    assert found
    rows = [row.tolist() for row in held_out.labels]
    assert all(multi_hot([prompt])[0].tolist() in rows for prompt in found)
    triples = validation_prompts("unseen-triples", pictures)
    seen = {tuple(row.nonzero().flatten().tolist()) for row in pictures.labels}
    assert all(len(triple) == 3 and triple not in seen for triple in triples)
    trained = {tuple(row.nonzero().flatten().tolist()) for row in pictures.split()[0].labels}
    others = validation_prompts("seen-triples", pictures)
    assert others
    assert len(set(others)) == len(others) <= len(triples)
    assert all(len(triple) == 3 and triple in trained for triple in others)


def test_a_sweep_scores_each_setting_by_the_teacher(model_folders: dict[str, Path]) -> None:
    model = load_ddpm(model_folders["ddpm"], "cpu")
    prompts = [(1,), (2, 3)]

    class Knowing(torch.nn.Module):
        """Sees the first object only, in every picture."""

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return torch.full((len(pixels), 24), -5.0).index_fill(1, torch.tensor([1]), 5.0)

    row = sampling.measure(model, Knowing(), prompts, 2, "ddim", 4, sampling.Guidance.parse("2:0.5-1"))
    assert (row["evaluations"], row["seeds"], row["prompts"], row["interval"]) == (6, 2, 2, "0.5-1")
    assert (float(row["accuracy"]), float(row["exact_match"])) == (pytest.approx(1 / 3, abs=1e-4), 0.5)


def test_guidance_is_written_as_a_scale_and_an_interval() -> None:
    assert sampling.Guidance.parse("3") == sampling.Guidance(3.0, 0.0, 1.0)
    assert sampling.Guidance.parse("2.5:0.25-0.75") == sampling.Guidance(2.5, 0.25, 0.75)
    for wrong in ("x", "3:1", "3:0.8-0.2", "3:0-2"):
        with pytest.raises(ValueError):
            sampling.Guidance.parse(wrong)


# diversity ----------------------------------------------------------------------------------------------------------


class FirstPixels:
    """Stands in for the judge: its features are some of the pixels."""

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        features = torch.zeros(len(pixels), 512)
        features[:, :6] = pixels[:, 0, 0, :6]
        return features


def test_frechet_distance_is_the_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    real, drawn = (torch.rand(400, 3, 64, 64, generator=generator) * scale for scale in (1.0, 0.5))
    a, b = (pixels[:, 0, 0, :6].double().numpy() for pixels in (real, drawn))
    product = np.linalg.eigvals(np.cov(a.T) @ np.cov(b.T))
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T))
    expected -= 2 * np.sqrt(product.real.clip(0)).sum()
    assert diversity.frechet(FirstPixels(), real, drawn) == pytest.approx(expected, abs=2e-3)
    assert diversity.frechet(FirstPixels(), real, real) == pytest.approx(0, abs=2e-3)


def test_pairwise_distance_is_the_mean_over_all_pairs() -> None:
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 8.0]])
    assert diversity.pairwise(points) == pytest.approx((5 + 8 + 5) / 3)


def test_variants_are_compared_by_the_teacher_and_replace_their_own_row_only(
    model_folders: dict[str, Path], iclevr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, "PATH", tmp_path / "variants.csv")
    monkeypatch.setattr(diversity, "SEEDS", 2)
    teacher = TeacherNetwork()
    monkeypatch.setattr(variants, "load_teacher", lambda: teacher)
    folder = tmp_path / "acgan-one"
    shutil.copytree(model_folders["acgan"], folder)
    write_json(folder / "config.json", read_config(folder) | {"training": {"pictures_seen": 64, "seed": 3}})
    sampling_row = dict.fromkeys(variants.COLUMNS, "7") | {"variant": "older"}
    variants.write([sampling_row])
    for _ in range(2):
        variants.main(["--data", str(iclevr), str(folder)])
    rows = {row["variant"]: row for row in sampling.rows_of(variants.PATH)}
    assert list(rows) == ["older", variants.REAL, "one"]
    assert rows["older"] == sampling_row
    held_out = load_pictures(iclevr).split()[1]
    labels = variants.labels_of(held_out)
    drawn = [load_acgan(folder, "cpu").generate(label, seed).image for seed, label in enumerate(labels)]
    with torch.inference_mode():
        probabilities = teacher.eval()(torch.stack([from_image(image) for image in drawn])).sigmoid()
    assert float(rows["one"]["accuracy"]) == pytest.approx(benchmark.score(probabilities, labels)[0], abs=1e-3)
    assert (rows["one"]["pictures"], rows["one"]["seed"]) == ("64", "3")
    assert float(rows["one"]["pairwise"]) > 0


def test_names_and_order_of_the_probabilities_fit_the_labels(judge_folder: Path) -> None:
    judge = load_evaluator(judge_folder, "cpu")
    image = Image.new("RGB", (64, 64), "red")
    verdict = judge(image, ["red cube"])
    row = judge.probabilities(from_image(image).unsqueeze(0))[0]
    assert verdict.probabilities == pytest.approx(dict(zip(OBJECTS, row.tolist(), strict=True)), abs=1e-6)
