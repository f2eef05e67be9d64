"""The detector: what it makes of its heat maps, and what that costs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch

from clevr_demo.checkpoints import CheckpointError
from clevr_demo.judge.detector import Detector, DetectorConfig, DetectorNetwork, load_detector, peaks
from clevr_demo.objects import OBJECTS
from tests.conftest import billion_operations, seconds_of

CONFIG = DetectorConfig(threshold=0.5, apart=3.0)
RED_CUBE, BLUE_CUBE = OBJECTS.index("red cube"), OBJECTS.index("blue cube")


def outputs(*spots: tuple[int, int, int, float]) -> torch.Tensor:
    """A network's outputs with peaks at (class, row, column, logit), in cells; elsewhere it is sure of nothing."""
    maps = torch.full((1, 26, 32, 32), -6.0)
    maps[:, 24:] = 0
    for index, row, column, logit in spots:
        maps[0, index, row, column] = logit
    return maps


def seen(*spots: tuple[int, int, int, float]) -> list[str]:
    return [found.name for found in peaks(outputs(*spots), CONFIG)[0]]


# peaks --------------------------------------------------------------------------------------------------------------


def test_a_double_is_two_entries_the_surest_first() -> None:
    first, second = peaks(outputs((RED_CUBE, 10, 10, 2.0), (RED_CUBE, 20, 24, 3.0)), CONFIG)[0]
    assert first.name == second.name == "red cube"
    assert (first.row, first.column) == (40.5, 48.5)  # of 64 pixels, between the two that the cell covers
    assert (second.row, second.column) == (20.5, 20.5)
    assert first.confidence == pytest.approx(torch.tensor(3.0).sigmoid().item())
    assert first.confidence > second.confidence


def test_colours_and_shapes_compete_at_a_place() -> None:
    assert seen((RED_CUBE, 10, 10, 2.0), (BLUE_CUBE, 10, 10, 3.0)) == ["blue cube"]
    assert seen((RED_CUBE, 10, 10, 2.0), (BLUE_CUBE, 11, 10, 3.0)) == ["blue cube"]
    assert seen((RED_CUBE, 10, 10, 2.0), (BLUE_CUBE, 13, 10, 3.0)) == ["blue cube", "red cube"]


def test_a_plateau_is_one_object_and_a_low_peak_none() -> None:
    assert seen(*[(RED_CUBE, 10, column, 2.0) for column in (10, 11)]) == ["red cube"]
    assert seen((RED_CUBE, 10, 10, -0.01)) == []
    assert seen((RED_CUBE, 10, 10, 0.01)) == ["red cube"]


def test_offsets_move_the_centre_and_may_bring_two_peaks_together() -> None:
    maps = outputs((RED_CUBE, 10, 10, 2.0), (RED_CUBE, 10, 13, 1.0))
    assert len(peaks(maps, CONFIG)[0]) == 2
    maps[0, 24:, 10, 13] = torch.tensor([1.0, -4.0])
    (found,) = peaks(maps, CONFIG)[0]
    assert (found.row, found.column) == (20.5, 20.5)
    maps[0, 24:, 10, 10] = torch.tensor([-0.5, 0.25])
    assert (peaks(maps, CONFIG)[0][0].row, peaks(maps, CONFIG)[0][0].column) == (20.0, 20.75)


def test_pictures_are_judged_each_by_itself() -> None:
    both = torch.cat([outputs((RED_CUBE, 5, 5, 2.0)), outputs()])
    assert [len(found) for found in peaks(both, CONFIG)] == [1, 0]


# the network --------------------------------------------------------------------------------------------------------


def random_network() -> DetectorNetwork:
    torch.manual_seed(0)
    network = DetectorNetwork(DetectorConfig())
    network(torch.randn(8, 3, 64, 64))  # so that the normalisations have something to fold
    return network.eval()


def test_folding_the_normalisations_changes_nothing() -> None:
    pixels = torch.randn(2, 3, 64, 64)
    network = random_network()
    with torch.inference_mode():
        plain = network(pixels)
        folded = Detector(network, CONFIG, torch.device("cpu"), "random").network(pixels)
    assert plain.shape == (2, 26, 32, 32)
    assert torch.allclose(plain, folded, atol=1e-3)
    assert not any("norm" in name for name in network.state_dict())


def test_a_picture_takes_less_than_a_billion_operations_of_one_core() -> None:
    detector = Detector(random_network(), CONFIG, torch.device("cpu"), "random")
    for count in (1, 20):
        pixels, most = torch.randn(count, 3, 64, 64), count * billion_operations()
        assert seconds_of(partial(detector.detect, pixels), most) < most


def test_a_fresh_network_finds_nothing_and_takes_less_than_eight_megabytes() -> None:
    network = DetectorNetwork(DetectorConfig())
    assert Detector(network, CONFIG, torch.device("cpu"), "fresh").detect(torch.zeros(1, 3, 64, 64)) == [()]
    assert 2 * sum(p.numel() for p in network.parameters()) < 8e6  # as fp16


def test_a_missing_detector_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=str(tmp_path / "nowhere")):
        load_detector(tmp_path / "nowhere")
