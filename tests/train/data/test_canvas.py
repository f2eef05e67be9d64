"""Objects cut out of pictures."""

from __future__ import annotations

from tests.train.made import MIDDLE, NAMES, scenes, squares
from train.data.canvas import cut_outs
from train.data.iclevr import background
from train.data.layout import find_layout


def test_cut_outs_hold_the_object_that_a_picture_added() -> None:
    pictures = squares()
    cuts = cut_outs(pictures, find_layout(pictures), background(pictures))
    assert cuts.whole.all()
    for index in range(len(pictures)):
        scene, slot = divmod(index, 3)
        name = NAMES[scene][slot]
        assert cuts.objects[index] == name
        assert abs(int(cuts.masks[index].sum()) - 81) <= 9
        assert (cuts.pixels[index, name % 3][cuts.masks[index]] == 250).float().mean() > 0.9


def test_an_object_behind_another_is_no_whole_one() -> None:
    hidden = scenes([[MIDDLE, (27, 37)], [MIDDLE, (27, 50)]], [[0, 1], [2, 3]])
    assert cut_outs(hidden, find_layout(hidden), background(hidden)).whole.tolist() == [True, False, True, True]
