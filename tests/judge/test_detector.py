"""The detector: what it makes of its heat maps, what it learns from, and how well the shipped one counts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from clevr_demo.checkpoints import WEIGHTS, CheckpointError
from clevr_demo.judge.detector import Detector, DetectorConfig, DetectorNetwork, Found, load_detector, peaks
from clevr_demo.objects import OBJECTS
from tests.conftest import shipped
from tests.train.data.test_layout import scenes
from train.data.blobs import KINDS, spoiled
from train.data.composing import SLOTS, Composer, Mixture, Scene
from train.data.iclevr import Pictures, load_pictures, to_unit
from train.data.layout import cut_outs, grown, layout, windows
from train.detector import PRESETS, above, focal_loss, score, target

CONFIG = DetectorConfig(threshold=0.5, apart=3.0)
RED_CUBE, BLUE_CUBE = OBJECTS.index("red cube"), OBJECTS.index("blue cube")
CPU_SECONDS = 0.010  # for a picture


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


def test_a_picture_takes_less_than_ten_milliseconds_of_one_core() -> None:
    detector = Detector(random_network(), CONFIG, torch.device("cpu"), "random")
    for count in (1, 20):
        pixels, spent = torch.randn(count, 3, 64, 64), []
        for _ in range(8):
            started = time.process_time()
            detector.detect(pixels)
            spent.append(time.process_time() - started)
        assert min(spent) < count * CPU_SECONDS, spent


def test_a_fresh_network_finds_nothing_and_takes_less_than_eight_megabytes() -> None:
    network = DetectorNetwork(DetectorConfig())
    assert Detector(network, CONFIG, torch.device("cpu"), "fresh").detect(torch.zeros(1, 3, 64, 64)) == [()]
    assert 2 * sum(p.numel() for p in network.parameters()) < 8e6  # as fp16


def test_a_missing_detector_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=str(tmp_path / "nowhere")):
        load_detector(tmp_path / "nowhere")


# what it learns from ------------------------------------------------------------------------------------------------

MIDDLE = (27, 31)
PLACES = [[MIDDLE, (18 + scene % 3, 10 + scene // 2), (44, 52 - scene // 2)] for scene in range(12)]
NAMES = [[scene, (scene + 7) % 24, (scene + 14) % 24] for scene in range(12)]


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Scenes of up to three squares, every object among them."""
    return scenes(PLACES, NAMES)


@pytest.fixture(scope="module")
def composer(pictures: Pictures) -> Composer:
    return Composer(pictures, layout(pictures))


def test_cut_outs_hold_the_object_that_a_picture_added(pictures: Pictures) -> None:
    cuts = cut_outs(pictures, layout(pictures))
    assert cuts.whole.all()
    for index in range(len(pictures)):
        scene, slot = divmod(index, 3)
        name = NAMES[scene][slot]
        assert cuts.objects[index] == name
        assert abs(int(cuts.masks[index].sum()) - 81) <= 9
        assert (cuts.pixels[index, name % 3][cuts.masks[index]] == 250).float().mean() > 0.9


def test_an_object_behind_another_is_no_whole_one() -> None:
    hidden = scenes([[MIDDLE, (27, 37)], [MIDDLE, (27, 50)]], [[0, 1], [2, 3]])
    assert cut_outs(hidden, layout(hidden)).whole.tolist() == [True, False, True, True]


def test_masks_grow_and_shrink() -> None:
    mask = torch.zeros(1, 12, 12, dtype=torch.bool)
    mask[0, 4:8, 4:8] = True
    assert int(grown(mask, 1).sum()) == 36
    assert int(grown(mask, -1).sum()) == 4
    assert torch.equal(grown(mask[0], 1), grown(mask, 1)[0])


def test_windows_come_each_from_its_own_corner() -> None:
    plane = torch.arange(2 * 8 * 8.0).view(2, 1, 8, 8)
    found = windows(plane, torch.tensor([[0, 3], [5, 1]]), side=2)
    assert found[:, 0].tolist() == [[[3, 4], [11, 12]], [[105, 106], [113, 114]]]


def test_untouched_pictures_tell_their_labels_and_places(pictures: Pictures) -> None:
    still = Mixture(0, 0, 0, 0, 0, 0, 0, shift=0, contrast=0, brightness=0, mirror=0)
    scene = Composer(pictures, layout(pictures), still)(torch.arange(len(pictures)))
    assert torch.allclose(scene.pixels, to_unit(pictures.pixels), atol=1e-6)
    assert [sorted(row.elements()) for row in scene.names()] == [
        sorted(OBJECTS[i] for i in NAMES[index // 3][: index % 3 + 1]) for index in range(len(pictures))
    ]
    assert scene.clear().all()


def test_composed_pictures_tell_what_is_seen_where(composer: Composer) -> None:
    torch.manual_seed(0)
    scene = composer(torch.randint(0, 36, (256,)))
    counts = torch.tensor([row.total() for row in scene.names()])
    assert 0 in counts
    assert counts.max() >= 5
    assert any(max(row.values(), default=0) > 1 for row in scene.names())
    assert 0.02 < (~scene.clear()).float().mean() < 0.5
    for picture, slot in scene.told.nonzero()[::7].tolist():  # the objects' own colour stands at their centres
        row, column = scene.centres[picture, slot].round().long().tolist()
        around = scene.pixels[picture, :, max(0, row - 2) : row + 3, max(0, column - 2) : column + 3].flatten(1)
        dominant = int(scene.objects[picture, slot]) % 3
        if float(scene.shown[picture, slot]) == 1:
            assert around.amax(dim=1)[dominant] > 0.5, (picture, slot)


def test_doubles_are_pasted_and_counted(composer: Composer) -> None:
    torch.manual_seed(0)
    scene = composer.with_double(torch.arange(36))
    twice = [max(row.values()) == 2 for row in scene.names()]
    assert sum(twice) > 25
    changed = (scene.pixels - to_unit(composer.pictures.pixels)).abs().flatten(1).amax(dim=1) > 0.3
    assert changed[torch.tensor(twice)].all()


@pytest.mark.parametrize("kind", KINDS)
def test_blobs_take_the_objects_places_and_have_no_label(composer: Composer, kind: str) -> None:
    torch.manual_seed(0)
    scene = composer.with_blobs(torch.arange(36), kind)
    assert not any(scene.names())
    assert (scene.objects == -1).all()
    changed = (scene.pixels - to_unit(composer.pictures.pixels)).abs().amax(dim=1)
    assert (
        changed.flatten(1).amax(dim=1) > 0.05
    ).float().mean() > 0.9  # squares of one colour hardly change when filled
    assert (changed[:, :6, 12:] < 0.05).all()  # far from the objects all is as it was


@pytest.mark.parametrize("kind", KINDS)
def test_blobs_are_opaque_at_most_and_about_as_large_as_the_object(kind: str) -> None:
    torch.manual_seed(0)
    mask = torch.zeros(16, 24, 24, dtype=torch.bool)
    mask[:, 8:17, 8:17] = True
    pixels, opacity = spoiled(torch.rand(16, 3, 24, 24), mask, kind, torch.rand(16, 3, 24, 24), mask)
    assert pixels.shape == (16, 3, 24, 24)
    assert opacity.min() >= 0
    assert opacity.max() <= 1
    assert opacity.sum(dim=(1, 2)).min() > 0.25 * 81
    assert opacity.sum(dim=(1, 2)).max() < 1.9 * 81


def example() -> Scene:
    """A picture with a red cube, a blue one half hidden, and three empty places."""
    objects = torch.tensor([[RED_CUBE, BLUE_CUBE, -1, -1, -1, -1]])
    centres = torch.zeros(1, SLOTS, 2)
    centres[0, 0], centres[0, 1] = torch.tensor([21.0, 31.0]), torch.tensor([40.0, 12.0])
    told = torch.tensor([[True, False, False, False, False, False]])
    return Scene(torch.zeros(1, 3, 64, 64), objects, centres, torch.ones(1, SLOTS), told)


def test_the_target_is_read_back_as_the_scene() -> None:
    wanted = target(example())
    perfect = torch.cat([wanted.heat.clamp(0.001, 0.999).logit(), wanted.offsets], dim=1)
    (found,) = peaks(perfect, CONFIG)[0]
    assert (found.name, round(found.row), round(found.column)) == ("red cube", 21, 31)
    assert int((wanted.heat == 1).sum()) == 1


def test_nothing_is_asked_of_a_half_hidden_object() -> None:
    wanted = target(example())
    assert wanted.asked[0, BLUE_CUBE, 20, 6] == 0
    assert wanted.asked[0, RED_CUBE].all()
    logits = torch.full((1, 24, 32, 32), -5.0)
    there = logits.clone()
    there[0, BLUE_CUBE, 20, 6] = 5.0
    assert torch.equal(focal_loss(there, wanted), focal_loss(logits, wanted))
    there[0, BLUE_CUBE, 4, 26] = 5.0
    assert focal_loss(there, wanted) > focal_loss(logits, wanted) + 1


def test_the_loss_falls_when_the_object_is_seen() -> None:
    wanted = target(example())
    logits = torch.full((1, 24, 32, 32), -5.0)
    right = logits.clone()
    right[0, RED_CUBE, 10, 15] = 5.0
    assert focal_loss(right, wanted) < 0.2 * focal_loss(logits, wanted)


def test_a_higher_threshold_leaves_the_surer_ones() -> None:
    found = tuple(Found("red cube", 1.0, 1.0, level) for level in (0.9, 0.5, 0.2))
    assert above(found, 0.5) == found[:2]


def test_the_preset_names_no_blur_and_no_noise() -> None:
    assert not {"blur", "noise"} & set(vars(PRESETS["default"].mixture))


@pytest.mark.data
@pytest.mark.timeout(900)
def test_the_shipped_detector_counts_held_out_pictures_and_is_not_fooled(real_data: Path) -> None:
    folder = shipped("detector")
    assert (folder / WEIGHTS).stat().st_size < 8e6
    found = score(load_detector(device="cpu"), load_pictures(real_data, progress=False).split()[1])
    assert found["pictures"] == 903
    assert found["counted_exact"] >= 0.97
    assert found["number_right"] >= 0.995
    assert found["centre_pixels"] <= 1.5
    assert found["doubles_caught"] >= 0.97
    assert found["doubles_told"] >= 0.94
    assert max(found["blobs_counted_exact"].values()) < 0.3, found["blobs_counted_exact"]
