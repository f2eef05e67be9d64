"""What `train.graphs` writes: a file that draws with nothing but ONNX Runtime and its own metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import clevr_demo
from clevr_demo.engine import ENGINE, graph_file
from clevr_demo.generators.ddpm import DDPMConfig, painter_scheduler, place_noise
from clevr_demo.generators.protocol import seeded_noise
from clevr_demo.generators.sampling import TabledScheduler
from clevr_demo.objects import multi_hot
from tests.graphs import DDPM, written
from train.graphs import main, solver

pytestmark = pytest.mark.timeout(900)  # on a busy machine exporting takes minutes


@pytest.mark.parametrize("sampler", ["dpm", "ddim"])
@pytest.mark.parametrize("count", [1, 2, 4, 20])
def test_the_solvers_table_steps_as_diffusers_does(sampler: str, count: int) -> None:
    config = DDPMConfig()
    rows = solver(painter_scheduler(sampler, count, config))
    scheduler = painter_scheduler(sampler, count, config)
    generator = torch.Generator().manual_seed(0)
    x = wanted = torch.randn(5, generator=generator)
    tabled = TabledScheduler(rows)
    assert torch.equal(tabled.timesteps, scheduler.timesteps)
    for timestep in scheduler.timesteps:
        x_0 = torch.randn(5, generator=generator)
        wanted, x = (one.step(x_0, timestep, state).prev_sample for one, state in ((scheduler, wanted), (tabled, x)))
        assert torch.allclose(x, wanted, atol=1e-5)


def stepped(name: str, x: np.ndarray, steps: int, **told: np.ndarray) -> np.ndarray:
    """What a page does: steps with a graph and the table in its file."""
    session = onnxruntime.InferenceSession(graph_file(written("ddpm"), name).read_bytes())
    table = json.loads(session.get_modelmeta().custom_metadata_map["steps"])[str(steps)]
    last = np.zeros_like(x)
    predicted = x
    for timestep, a, b, c in table:
        fed = {"x": x, "timestep": np.array([timestep]), **told}
        x_0, _, predicted = session.run(["x_0", "noisy", "predicted"], fed)
        x, last = (a * x + b * x_0 + c * last).astype(np.float32), x_0
    return predicted


@pytest.mark.parametrize("steps", [2, 6])
def test_a_picture_needs_the_graphs_alone(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    objects, seed = [1, 9, 14], 5
    given = np.full((1, 3, 2), np.nan, dtype=np.float32)
    noise = place_noise(seed)[objects][None].numpy()
    places = stepped("planner", noise, 12, objects=np.array([objects]), given=given)[0]
    pixels, _ = seeded_noise([seed], (3, 64, 64))
    x = torch.nn.functional.pixel_unshuffle(pixels, 2).numpy()
    centres = np.zeros((1, 24, 2), dtype=np.float32)
    centres[0, objects] = places
    painter = "fast" if steps == DDPM.fast_steps else "painter"
    drawn = stepped(painter, x, steps, centres=centres, labels=multi_hot([objects]).numpy())
    monkeypatch.setenv(ENGINE, "torch")
    wanted = clevr_demo.load("ddpm", written("ddpm"), "cpu").generate(objects, seed, steps)
    assert np.abs(places - np.array(wanted.places.centres)).max() < 1e-3
    assert np.abs(drawn[0] - wanted.frames[-1].predicted_pixels.numpy()).max() < 1 / 255


def test_given_places_stay_within_the_graph() -> None:
    given = np.array([[[30.5, 12.0], [np.nan, np.nan]]], dtype=np.float32)
    places = stepped("planner", np.zeros((1, 2, 2), np.float32), 12, objects=np.array([[1, 9]]), given=given)[0]
    assert np.allclose(places[0], [30.5, 12.0], atol=1e-4)


def test_a_graph_is_small_plain_and_of_no_machine() -> None:
    for kind in ("ddpm", "acgan", "detector", "classifier"):
        for path in written(kind).glob("*.onnx"):
            content = path.read_bytes()
            assert str(Path.cwd()).encode() not in content
            assert b"site-packages" not in content
            model = onnx.load_from_string(content)
            assert {one.domain for one in model.opset_import} <= {"", "ai.onnx"}, "no operators but ONNX's own"
            assert {one.key for one in model.metadata_props} >= {"fingerprint", "graph", "settings", "sha256"}
    halves = [one for one in model.graph.initializer if one.data_type == onnx.TensorProto.FLOAT16]
    assert halves, "weights in half precision, where that loses nothing"


@pytest.mark.parametrize("config", [{"kind": "teacher"}, {"kind": "ddpm", "model": {"architecture": "report"}}])
def test_what_has_no_graphs_is_refused(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(SystemExit, match="of this there are no graphs, only of acgan, classifier, ddpm, detector"):
        main([str(tmp_path)])
