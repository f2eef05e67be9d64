"""Intervals hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from clevr_demo.estimates import Difference, clustered, paired, wilson

TRIALS = 100


def coins(generator: np.random.Generator, bias: float, prompts: int, seeds: int, kinship: float) -> np.ndarray:
    """(prompts, seeds) throws; the larger the kinship, the more alike the throws of one prompt."""
    spread = generator.beta(bias * (1 - kinship) / kinship, (1 - bias) * (1 - kinship) / kinship, size=(prompts, 1))
    return generator.random((prompts, seeds)) < spread


@pytest.mark.parametrize("bias", [0.5, 0.9])
def test_a_coin_of_known_bias_lies_in_wilsons_interval_at_the_stated_rate(bias: float) -> None:
    throws = np.random.default_rng(1).random((2000, 100)) < bias
    found = [wilson(int(hits), 100) for hits in throws.sum(axis=1)]
    assert 0.93 < np.mean([one.low <= bias <= one.high for one in found]) < 0.97


@pytest.mark.parametrize("kinship", [0.02, 0.5])
def test_a_coin_of_each_prompt_lies_in_the_clustered_interval_at_the_stated_rate(kinship: float) -> None:
    """Twenty pictures of a prompt that are alike are no twenty pictures: Wilson's interval would be far too narrow."""
    generator, bias, prompts, seeds = np.random.default_rng(2), 0.7, 64, 20
    names = np.repeat(np.arange(prompts), seeds).tolist()
    inside, independent = [], []
    for _ in range(TRIALS):
        throws = coins(generator, bias, prompts, seeds, kinship).flatten().tolist()
        one = clustered(throws, [1] * len(throws), names)
        inside.append(one.low <= bias <= one.high)
        other = wilson(sum(throws), len(throws))
        independent.append(other.low <= bias <= other.high)
    assert 0.91 < np.mean(inside) < 0.98
    assert (np.mean(independent) < 0.6) == (kinship == 0.5)


def test_a_paired_difference_holds_the_truth_at_the_stated_rate_and_says_when_it_shows_none() -> None:
    generator, prompts, seeds = np.random.default_rng(3), 64, 5
    names = np.repeat(np.arange(prompts), seeds).tolist()
    inside, shown = [], []
    for _ in range(TRIALS):
        hard = generator.random((prompts, 1))  # prompts differ far more than the two do
        first, second = ((generator.random((prompts, seeds)) < hard).flatten().tolist() for _ in range(2))
        one = paired(first, second, names)
        inside.append(one.low <= 0 <= one.high)
        shown.append("no difference shown" in one.said)
    assert 0.91 < np.mean(inside) < 0.98
    assert shown == inside
    better = paired([1.0] * 60 + [0.0] * 4, [0.0] * 20 + [1.0] * 40 + [0.0] * 4, list(range(64)))
    assert better.shows
    assert better.said == f"+0.312 ({better.low:+.3f} to {better.high:+.3f})"


@pytest.mark.parametrize("right", [0, 1])
def test_an_interval_stays_within_bounds_and_never_claims_certainty(right: int) -> None:
    one = clustered([right] * 100, [1] * 100, [number // 5 for number in range(100)])
    assert 0 <= one.low <= one.mean == right <= one.high <= 1
    assert one.high - one.low == pytest.approx(wilson(20, 20).high - wilson(20, 20).low)  # of 20 prompts, not 100
    assert one.number == 100


@pytest.mark.parametrize(("number", "shown"), [(2, False), (3, False), (30, True)])
def test_a_difference_that_is_always_the_same_is_no_certainty(number: int, shown: bool) -> None:
    one = paired([0.0] * number, [1.0] * number, list(range(number)))
    assert one.low == one.mean == -1
    assert one.high == pytest.approx(1 - 2 * wilson(number, number).low)
    assert one.shows == shown
    same = paired([1.0] * number, [1.0] * number, list(range(number)))
    assert not same.shows


def test_a_pooled_share_counts_every_object_and_the_same_figures_come_again() -> None:
    hits, tries, prompts = [1, 3, 2, 0], [1, 3, 4, 2], ["a", "b", "c", "c"]
    one = clustered(hits, tries, prompts)
    assert one.mean == pytest.approx(6 / 10)
    assert one == clustered(hits, tries, prompts)
    assert one.low < one.mean < one.high


def test_what_says_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        clustered([], [], [])
    with pytest.raises(ValueError, match="1 prompts in common"):
        paired([1.0, 0.0], [0.0, 0.0], ["a", "a"])
    with pytest.raises(ValueError):
        wilson(3, 2)
    assert not Difference(0.1, 0.0, 0.2, 4).shows
