"""How sure a figure is: 95 % intervals of shares and of paired differences.

    wilson(19, 20)                                # Estimate(mean=0.95, low=0.764, high=0.991, number=20)
    clustered(hits, tries, prompts)               # a share of pictures, several of which answer the same prompt
    paired(here, there, prompts).said             # "+0.031 (+0.006 to +0.056)", or "...: no difference shown"

Pictures of one prompt are alike, so a set of prompts is resampled prompt by prompt: the percentile bootstrap (Efron
1979) over clusters (Davison and Hinkley 1997, section 3.8). Intervals of shares lie within [0, 1].
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

RESAMPLES = 999
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over `number` pictures, and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float
    number: int

    @property
    def plain(self) -> dict[str, float]:
        """The figure as metrics.json holds it, to four digits."""
        return {name: round(getattr(self, name), 4) for name in ("mean", "low", "high")}


class Difference(Estimate):
    """The mean of a difference between pairs of pictures."""

    @property
    def shows(self) -> bool:
        """Whether the interval leaves 0 out."""
        return not self.low <= 0 <= self.high

    @property
    def said(self) -> str:
        told = f"{self.mean:+.3f} ({self.low:+.3f} to {self.high:+.3f})"
        return told if self.shows else f"{told}: no difference shown"


def wilson(hits: int, number: int) -> Estimate:
    """The share of `hits` among so many independent trials, and its interval (Wilson 1927), right near 0 and 1, too.

    Raises:
        ValueError: there are no trials, or more hits than trials.
    """
    from scipy import stats  # here: it takes 60 MB of memory, and a page that only draws does without

    found = stats.binomtest(hits, number).proportion_ci(LEVEL, method="wilson")
    return Estimate(hits / number, float(found.low), float(found.high), number)


def summed(values: Sequence[float], clusters: Sequence[Hashable]) -> np.ndarray:
    """(C,) sums of the values of each cluster, in the order in which these first come."""
    places = {cluster: place for place, cluster in enumerate(dict.fromkeys(clusters))}
    return np.bincount([places[cluster] for cluster in clusters], weights=values, minlength=len(places))


def resampled(above: np.ndarray, below: np.ndarray) -> tuple[float, float]:
    """The ends of the bootstrap's interval of sum(above) / sum(below), both (C,) and of the same clusters."""

    from scipy import stats

    def ratio(above: np.ndarray, below: np.ndarray, axis: int = -1) -> Any:
        return above.sum(axis) / below.sum(axis)

    found = stats.bootstrap(
        (above, below), ratio, paired=True, vectorized=True, n_resamples=RESAMPLES, confidence_level=LEVEL,
        method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)


def clustered(hits: Sequence[float], tries: Sequence[float], clusters: Sequence[Hashable]) -> Estimate:
    """The share of all hits among all tries, a number of each a picture, by what the pictures of a cluster share.

    Where every picture is right, or none is, resampling has nothing to vary: the interval is then Wilson's over the
    clusters, which takes no picture for independent of another that answers the same prompt.

    Raises:
        ValueError: there are no pictures.
    """
    above, below = summed(hits, clusters), summed(tries, clusters)
    if len(above) == 0:
        raise ValueError("no pictures, so no share")
    mean = float(above.sum() / below.sum())
    if len(above) == 1 or mean in (0, 1):
        ends = wilson(round(mean * len(above)), len(above))
        return Estimate(mean, min(ends.low, mean), max(ends.high, mean), len(hits))
    return Estimate(mean, *resampled(above, below), len(hits))


def paired(first: Sequence[float], second: Sequence[float], clusters: Sequence[Hashable]) -> Difference:
    """The mean of first - second, a value of each for every pair of pictures of the same prompt and seed.

    Where the difference is the same in all clusters, resampling has nothing to vary: the interval is then that of a
    sign which came out alike in all of them (Wilson 1927).

    Raises:
        ValueError: there are no pairs, or all of them answer one prompt, which says nothing about others.
    """
    apart = np.subtract(first, second, dtype=float)
    above, below = summed(apart.tolist(), clusters), summed([1.0] * len(clusters), clusters)
    if len(above) < 2:
        raise ValueError(f"{len(above)} prompts in common; a paired difference needs two at least")
    mean = float(apart.mean())
    if mean and np.ptp(above / below) == 0:
        ends = sorted((mean, mean * (2 * wilson(len(above), len(above)).low - 1)))
        return Difference(mean, ends[0], ends[1], len(apart))
    return Difference(mean, *resampled(above, below), len(apart))
