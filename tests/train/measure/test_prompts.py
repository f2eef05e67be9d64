"""Prompt sets by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from clevr_demo.objects import OBJECTS, multi_hot
from train.data.iclevr import Pictures, label_sets, load_pictures
from train.measure import prompts


def test_prompt_sets_are_read_by_name(iclevr: Path) -> None:
    def pictures() -> Any:
        return load_pictures(iclevr, progress=False)

    assert prompts.read_prompts("test", iclevr, pictures) == prompts.read_prompts("test.json", iclevr, pictures)
    for name, count in prompts.BEYOND.items():
        found = prompts.read_prompts(name, iclevr, pictures)
        assert len(found) == prompts.RANDOM_SETS
        assert all(len(set(prompt)) == count and prompt == tuple(sorted(prompt)) for prompt in found)
        assert found == prompts.read_prompts(name, iclevr, pictures)
        assert len({index for prompt in found for index in prompt}) == len(OBJECTS)
    with pytest.raises(Exception, match=r"nothing.json.*unseen-triples"):
        prompts.read_prompts("nothing.json", iclevr, pictures)


def test_validation_prompts_are_of_held_out_or_unseen_sets(iclevr: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    found = {name: prompts.read_prompts(name, iclevr, lambda: pictures) for name in prompts.VALIDATION}
    assert all(found.values())
    training, held_out = pictures.split()
    shown = {name: set(label_sets(part.labels)) for name, part in (("training", training), ("held-out", held_out))}
    assert set(found["held-out"]) <= shown["held-out"]
    assert all(len(triple) == 3 and triple not in label_sets(pictures.labels) for triple in found["unseen-triples"])
    seen = found["seen-triples"]
    assert len(set(seen)) == len(seen) <= len(found["unseen-triples"])
    assert all(len(triple) == 3 and triple in shown["training"] for triple in seen)


def test_unseen_triples_are_those_no_picture_shows() -> None:
    labels = multi_hot([(0, 1, 2), (0, 1), (3, 4, 5)])
    triples = prompts.unseen_triples(Pictures(torch.zeros(3, 3, 64, 64), labels, torch.arange(3)))
    assert len(triples) == 2024 - 2
    assert (0, 1, 2) not in triples
    assert (0, 1, 3) in triples


def test_held_out_pictures_are_spread_evenly_with_what_they_show(iclevr: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    chosen, found = prompts.held_out_prompts(pictures)
    assert chosen.tolist() == pictures.held_out.nonzero().flatten().tolist()
    assert found == label_sets(pictures.labels[pictures.held_out])
    few, _ = prompts.held_out_prompts(pictures, 2)
    assert few.tolist() == [chosen[0], chosen[-1]]
