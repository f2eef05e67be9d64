"""How near drawn pictures are to real ones, by nobody's classifier.

**Sliced Wasserstein distance** of 7x7 patches, 128 a picture, on the levels 64, 32 and 16 of the Laplacian pyramid
(Karras et al. 2017, arXiv:1710.10196, section 5), both sets normalised by the reference's statistics: on whole
pictures, and on crops of 24x24 pixels around the objects, which cover 3 % of a picture and hide in it. **Density and
coverage** (Naeem et al. 2020, arXiv:2002.09797) on the features of a network with random weights of a fixed seed.

The reference is the held-out pictures. Beside the drawn pictures of the same label sets stand real training pictures
of those label sets, the floor, and the floor slightly blurred and slightly noisy. What is told is the ratio to the
floor: 1 is as near as real pictures come.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms.functional import gaussian_blur

from train.data.iclevr import HELD_OUT_EVERY, Pictures, to_unit
from train.measure.drawing import Spot, crops, draw, quantised, real_spots, seeds_of, seen_spots
from train.measure.job import Job, Measure
from train.measure.tables import markdown, spread

LEVELS = (64, 32, 16)  # of the whole picture, by their side in pixels; crops have the two finest
PATCH, PATCHES = 7, 128  # side in pixels, patches a picture
DIRECTIONS, BLOCK = 128, 64  # random projections; so many at a time, to save memory
NEAREST = 5  # neighbours that make a picture's ball, of density and coverage
BLUR, NOISE = 0.35, 1.0  # the spoiled floors: standard deviations in pixels and in levels of 255
SETS = {"drawn": "drawn", "floor": "real, the floor", "blurred": "real, blurred", "noisy": "real, noisy"}


def smooth(pixels: torch.Tensor, gain: float = 1.0) -> torch.Tensor:
    """The binomial 5x5 filter of the pyramid, mirrored at the edges."""
    line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = (gain * line.outer(line)).expand(pixels.shape[1], 1, 5, 5)
    return F.conv2d(F.pad(pixels, [2] * 4, mode="reflect"), kernel, groups=pixels.shape[1])


def pyramid(pixels: torch.Tensor, levels: int) -> list[torch.Tensor]:
    """The Laplacian pyramid of pictures (N, 3, H, W), finest level first; the last holds what is left, blurred."""
    found = [pixels]
    for _ in range(levels - 1):
        below = smooth(found[-1])[:, :, ::2, ::2]
        wide = torch.zeros_like(found[-1])
        wide[:, :, ::2, ::2] = below
        found[-1] = found[-1] - smooth(wide, gain=4.0)
        found.append(below)
    return found


def patches(level: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(N * 128, 3, 7, 7): patches at random places of one level (N, 3, S, S)."""
    number, _, side, _ = level.shape
    rows, columns = torch.randint(0, side - PATCH + 1, (2, number, PATCHES, 1, 1), generator=generator)
    steps = torch.arange(PATCH)
    picture = torch.arange(number).view(-1, 1, 1, 1)
    found = level[picture, :, rows + steps.view(-1, 1), columns + steps]  # (N, 128, 7, 7, 3)
    return found.movedim(-1, 2).flatten(0, 1)


def seeded(*words: Any) -> torch.Generator:
    """Randomness that only depends on the words."""
    return torch.Generator().manual_seed(
        sum(ord(letter) * 31**place for place, letter in enumerate(str(words))) % 2**31
    )


def directions() -> Iterator[torch.Tensor]:
    """Blocks (64, 147) of random unit vectors, the same ones every time."""
    generator = seeded("directions")
    for _ in range(DIRECTIONS // BLOCK):
        yield F.normalize(torch.randn(BLOCK, 3 * PATCH * PATCH, generator=generator), dim=1)


def sorted_projections(block: torch.Tensor, points: torch.Tensor) -> np.ndarray:
    """(64, M): the points (M, 147) on every direction, in order."""
    return np.sort((block @ points.T).numpy(), axis=1)


def apart(reference: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of two sorted sets; of two sizes, at the smaller one's quantiles."""
    number = min(reference.shape[1], other.shape[1])

    def quantiles(values: np.ndarray) -> np.ndarray:
        if values.shape[1] == number:
            return values
        return values[:, ((np.arange(number) + 0.5) * values.shape[1] / number).astype(int)]

    return float(np.abs(quantiles(reference) - quantiles(other)).mean())


@torch.inference_mode()
def sliced_wasserstein(
    reference: torch.Tensor, others: Mapping[Any, torch.Tensor], levels: Sequence[int] = LEVELS
) -> dict[int, dict[Any, float]]:
    """Distances x 1,000, by level and set, of sets of pixels (M, 3, S, S) from the reference (N, 3, S, S).

    A set's patches lie where its name in `others` says, so they are other ones than the reference's.
    """
    blocks = list(directions())
    found: dict[int, dict[Any, float]] = {}
    for place, level in enumerate(levels):

        def points(pixels: torch.Tensor, name: Any, place: int = place, level: int = level) -> torch.Tensor:
            return patches(pyramid(pixels, len(levels))[place], seeded(name, level))

        base = points(reference, None)
        mean, deviation = base.mean(dim=(0, 2, 3), keepdim=True), base.std(dim=(0, 2, 3), keepdim=True)
        real = [sorted_projections(block, ((base - mean) / deviation).flatten(1)) for block in blocks]
        found[level] = {}
        for name, pixels in others.items():  # one set at a time: all sets' patches would fill the memory
            flat = ((points(pixels, name) - mean) / deviation).flatten(1)
            pairs = zip(real, blocks, strict=True)
            distances = [apart(known, sorted_projections(block, flat)) for known, block in pairs]
            found[level][name] = 1000 * float(np.mean(distances))
    return found


class RandomFeatures(nn.Module):
    """Convolutions with random weights of a fixed seed: pixels (N, 3, S, S) to (N, 256) features.

    Naeem et al. 2020 (section 4) measure so where an ImageNet network would look at the wrong things.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 128)
        layers: list[nn.Module] = []
        for inputs, outputs in zip(widths, widths[1:], strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2)]
        self.body = nn.Sequential(*layers)
        self.head = nn.LazyLinear(256, bias=False)

    @classmethod
    def of(cls, side: int) -> RandomFeatures:
        """The network for pictures of this side."""
        network, generator = cls(), seeded("features")
        network(torch.zeros(1, 3, side, side))
        with torch.no_grad():
            for weight in network.parameters():
                scale = (2 / weight[0].numel()) ** 0.5 if weight.dim() > 1 else 0.0
                weight.copy_(scale * torch.randn(weight.shape, generator=generator))
        return network.eval().requires_grad_(False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(pixels).flatten(1))


@torch.inference_mode()
def features_of(pixels: torch.Tensor, empty: torch.Tensor | None = None) -> torch.Tensor:
    """(N, 256) random features, of what differs from the mean picture where one is given."""
    network = RandomFeatures.of(pixels.shape[-1])
    return torch.cat([network(part if empty is None else part - empty) for part in pixels.split(256)])


def density_coverage(real: torch.Tensor, fake: torch.Tensor) -> tuple[float, float]:
    """Density and coverage of features `fake` (M, d) by the balls of `real` (N, d), equations 3 and 4 of the paper."""
    rank = min(NEAREST + 1, len(real))  # a picture is its own nearest
    radius = torch.cdist(real, real).kthvalue(rank, dim=1).values
    inside = torch.cdist(real, fake) < radius.unsqueeze(1)
    return float(inside.sum() / (NEAREST * fake.shape[0])), float(inside.any(dim=1).float().mean())


def twins(training: Pictures, wanted: torch.Tensor, draw_number: int) -> torch.Tensor:
    """(N,) indices of training pictures with the label sets `wanted` (N, 24), drawn at random.

    A set that no training picture shows is stood for by the sets that share most objects with it.
    """
    generator = torch.Generator().manual_seed(draw_number)
    shared = wanted @ training.labels.T - 0.5 * training.labels.sum(dim=1)  # largest for the very same set
    chance = torch.rand(shared.shape, generator=generator)
    return (shared + 0.1 * chance).argmax(dim=1)


def spoiled(pixels: torch.Tensor, number: int, blur: float = BLUR, noise: float = NOISE) -> dict[str, torch.Tensor]:
    """The floor's two slightly worse versions of pixels (N, 3, H, W), so slightly that hardly anybody sees it."""
    grain = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(number))
    blurred = torch.cat([gaussian_blur(part, [5, 5], [blur, blur]) for part in pixels.split(256)])
    return {"blurred": quantised(blurred), "noisy": quantised(pixels + grain * noise / 127.5)}


Set = tuple[torch.Tensor, list[list[Spot]]]  # pixels, and where their objects stand


def compared(reference: Set, sets: Mapping[tuple[str, int], Set]) -> dict[str, dict[str, Any]]:
    """Rows of the table, by set: distances by level, whole and on crops, with ratio to the floor; density, coverage.

    `sets` holds one set a name and draw; means and standard deviations are over the draws.
    """
    found: dict[str, dict[str, list[float]]] = {}

    def keep(key: tuple[str, int], column: str, value: float) -> None:
        found.setdefault(key[0], {}).setdefault(column, []).append(value)

    cut = {key: crops(*pair) for key, pair in sets.items()}
    parts = {
        "whole": (reference[0], {key: pair[0] for key, pair in sets.items()}, LEVELS),
        "crops": (crops(*reference), cut, LEVELS[:2]),
    }
    for part, (real, others, levels) in parts.items():
        for level, distances in sliced_wasserstein(real, others, levels).items():
            for key, value in distances.items():
                keep(key, f"{part} {level}", value)
        mean = real.mean(dim=0)
        features = features_of(real, mean)
        for key, pixels in others.items():
            density, coverage = density_coverage(features, features_of(pixels, mean))
            keep(key, f"{part} density", density)
            keep(key, f"{part} coverage", coverage)
    rows: dict[str, dict[str, Any]] = {}
    for name, columns in found.items():
        rows[name] = {column: spread(values) for column, values in columns.items()}
        for column, values in columns.items():
            if floor := float(np.mean(found["floor"][column])):
                rows[name][f"{column} ratio"] = spread([value / floor for value in values])
    return rows


def drawn_sets(job: Job, prompts: Sequence[tuple[int, ...]], draws: int) -> dict[tuple[str, int], Set]:
    """Pictures that the model draws of the prompts, `draws` times; cut out where it means the objects to stand, or,
    if it does not say, where the detector sees them."""
    found = {}
    for number in range(draws):
        pictures = draw(job.model, prompts, seeds_of(number, len(prompts)), f"draw {number + 1}", **job.settings)
        found["drawn", number] = pictures.pixels, pictures.spots or seen_spots(job.judge, pictures.pixels)
    return found


def real_sets(job: Job, reference: torch.Tensor, draws: int) -> tuple[Set, dict[tuple[str, int], Set]]:
    """(the held-out pictures at the indices `reference`, the floor and its spoiled versions for every draw)."""
    spots, outside = real_spots(job.layout), job.pictures.scenes % HELD_OUT_EVERY != 0
    found = {}
    training_spots = [spots[index] for index in outside.nonzero().flatten().tolist()]
    training = job.pictures.take(outside)
    for number in range(draws):
        chosen = twins(training, job.pictures.labels[reference], number)
        pixels, places = to_unit(training.pixels[chosen]), [training_spots[index] for index in chosen.tolist()]
        for name, version in {"floor": pixels, **spoiled(pixels, number)}.items():
            found[name, number] = version, places
    return (to_unit(job.pictures.pixels[reference]), [spots[index] for index in reference.tolist()]), found


def held_out_indices(pictures: Pictures, number: int) -> torch.Tensor:
    """Indices of at most `number` held-out pictures, evenly spread; of all of them for 0."""
    found = (pictures.scenes % HELD_OUT_EVERY == 0).nonzero().flatten()
    if not number or number >= len(found):
        return found
    return found[torch.linspace(0, len(found) - 1, number).long()]


COLUMNS = [f"whole {level}" for level in LEVELS] + [f"crops {level}" for level in LEVELS[:2]]
OTHERS = ["whole density", "whole coverage", "crops density", "crops coverage"]


def table(found: Mapping[str, Any]) -> str:
    """The Markdown table of an entry of the metrics: ratios to the floor, which is 1."""
    header = ["pictures", *COLUMNS, *OTHERS]
    names = [f"{column} ratio" for column in COLUMNS] + OTHERS
    return markdown(
        header, [[SETS[name], *(row[column] for column in names)] for name, row in found["rows"].items()], 2
    )


def card(_: Path, entries: Mapping[str, Any]) -> str:
    """The tables, and what stands in them."""
    parts = [f"{name.partition(', ')[2]}\n\n{table(found)}".strip() for name, found in entries.items()]
    found = next(iter(entries.values()))
    words = (
        f"Ratios to the floor of the sliced Wasserstein distance to {found['pictures']} held-out pictures, by level of "
        f"the Laplacian pyramid, whole and on crops around the objects; density and coverage as they are. Mean and "
        f"standard deviation of {found['draws']} draws."
    )
    return "\n\n".join([*parts, words])


def run(job: Job) -> None:
    chosen = held_out_indices(job.pictures, job.options.pictures)
    prompts = [tuple(row.nonzero().flatten().tolist()) for row in job.pictures.labels[chosen]]
    reference, sets = real_sets(job, chosen, job.options.draws)
    found: dict[str, Any] = {"rows": compared(reference, drawn_sets(job, prompts, job.options.draws) | sets)}
    found |= {"pictures": len(chosen), "draws": job.options.draws, **job.settings}
    found |= {"model": job.model.name, "command": job.command}
    job.record(f"realism{job.variant}", found)
    print(table(found))


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pictures", type=int, default=0, help="held-out pictures to compare with (0: all 903)")
    parser.add_argument("--draws", type=int, default=3, help="how often each label set is drawn")


MEASURE = Measure(
    name="realism",
    what="How near drawn pictures are to real ones, whole and cut out around the objects",
    needs=("data", "model", "judge"),
    how="Sliced Wasserstein distance as a ratio to the floor, real training pictures of the same label sets; density "
    "and coverage on a random network. The detector only cuts out where a model does not say where its objects stand.",
    source="Karras et al. 2017, arXiv:1710.10196; Naeem et al. 2020, arXiv:2002.09797.",
    options=options,
    run=run,
    card=card,
)
