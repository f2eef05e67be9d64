"""Whether pictures are copied: how near what is drawn is to its nearest training picture.

The distance of every drawn picture to its nearest training picture, and of every object cut out of it (24x24 pixels) to
its nearest training object, in pixels (root mean square, levels of 255) and in the teacher's features (the maxima of
its last maps, Euclidean). Beside it stand held-out pictures of the same label sets, which are nobody's copies, and
training pictures with a little noise, which are copies: so far, and so near, a distance may be. **Near** is the share
of drawn ones that are nearer than all but one in a hundred held-out ones; 1 % would be chance. Distances to the nearest
neighbour against held-out ones' own are those of Meehan et al. 2020 (arXiv:2004.05675), without their test. Figures
alone are kept, no picture of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm.auto import tqdm

from clevr_demo.checkpoints import pick_device, read_metrics, write_text
from clevr_demo.estimates import wilson
from clevr_demo.models import MODELS
from clevr_demo.serve.scoreboard.copies import COPIES, KINDS, SPACES, said
from train.data.iclevr import to_unit
from train.data.layout import Layout
from train.learning.options import not_negative
from train.measure.drawing import crops, quantised
from train.measure.job import Job, Measure
from train.measure.prompts import held_out_prompts
from train.measure.tables import markdown

PARTS = ("1", "5", "25", "50", "75", "95", "99")  # percentiles that are kept
BLOCK = 512  # training pictures or objects at a time
NOISE = 2.0  # levels of 255, of the copies
FIGURE = "copies.svg"
COLOURS = {"drawn": "#2563eb", "held-out": "#64748b", "copies": "#b45309"}
Points = Callable[[torch.Tensor], torch.Tensor]


def nearest(sets: Mapping[str, torch.Tensor], others: torch.Tensor, points_of: Points) -> dict[str, torch.Tensor]:
    """(N,) distances of each set's pictures (N, 3, S, S) to the nearest of `others`, as `points_of` sees them; the
    others are looked at once for all sets."""
    points = torch.cat([points_of(pixels) for pixels in sets.values()])
    middle = points.mean(dim=0)  # about which small distances keep their digits
    points = points - middle
    squares, best = (points**2).sum(dim=1), torch.full((len(points),), torch.inf, device=points.device)
    for part in tqdm(others.split(BLOCK), desc="training", unit="block", leave=False):
        there = points_of(part) - middle
        found = squares[:, None] + (there**2).sum(dim=1) - 2 * points @ there.T
        best = torch.minimum(best, found.min(dim=1).values)
    distances = best.clamp(min=0).sqrt().cpu().split([len(pixels) for pixels in sets.values()])
    return dict(zip(sets, distances, strict=True))


def unit_of(pixels: torch.Tensor) -> torch.Tensor:
    """Pictures in [-1, 1], of uint8 ones, too."""
    return to_unit(pixels) if pixels.dtype == torch.uint8 else pixels


def pixels_on(device: torch.device) -> Points:
    """Pixels (N, d), so that a Euclidean distance is the root mean square in levels of 255."""
    return lambda pixels: unit_of(pixels.to(device)).flatten(1) * (127.5 / pixels[0].numel() ** 0.5)


def features_on(device: torch.device, teacher: nn.Module) -> Points:
    """The teacher's features (N, 256) of square pictures (N, 3, S, S), by which it tells objects."""
    body = teacher.to(device).body
    return lambda pixels: body(unit_of(pixels.to(device))).amax(dim=(2, 3))  # type: ignore[operator]


def quantiles(distances: torch.Tensor) -> dict[str, float]:
    at = torch.tensor([float(part) / 100 for part in PARTS])
    return {part: float(f"{value:.4g}") for part, value in zip(PARTS, distances.quantile(at).tolist(), strict=True)}


def compared(sets: Mapping[str, torch.Tensor], training: torch.Tensor, points_of: Points) -> dict[str, Any]:
    """A space's row: the percentiles of each set's distances, and how many drawn ones are near."""
    found = nearest(sets, training, points_of)
    bound = found["held-out"].quantile(0.01)
    near, number = int((found["drawn"] < bound).sum()), len(found["drawn"])
    rows: dict[str, Any] = {name: quantiles(distances) for name, distances in found.items()}
    return rows | {"near": wilson(near, number).plain, "number": number}


def noisy(pixels: torch.Tensor) -> torch.Tensor:
    """Copies with a little noise."""
    grain = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(0))
    return quantised(pixels + grain * NOISE / 127.5)


@torch.inference_mode()
def measured(job: Job, pictures: int) -> dict[str, Any]:
    """The rows of all spaces."""
    chosen, prompts = held_out_prompts(job.pictures, pictures)
    outside = (~job.pictures.held_out).nonzero().flatten()
    training, layout = job.pictures.pixels[outside], job.layout.take(outside)
    few = torch.linspace(0, len(outside) - 1, len(chosen)).long()
    drawn = job.draw(prompts, what="drawn")
    real, copied = to_unit(job.pictures.pixels[chosen]), noisy(to_unit(training[few]))
    whole = {"drawn": drawn.pixels, "held-out": real, "copies": copied}
    places = {"drawn": job.located(drawn), "held-out": job.layout.take(chosen), "copies": layout.take(few)}
    cut = {name: crops(pixels, places[name]) for name, pixels in whole.items()}
    objects = cut_out(training, layout)
    device = pick_device(job.options.device)
    spaces = {"pixels": pixels_on(device), "features": features_on(device, job.teacher)}
    rows = {f"whole {name}": compared(whole, training, points_of) for name, points_of in spaces.items()}
    rows |= {f"crops {name}": compared(cut, objects, points_of) for name, points_of in spaces.items()}
    return {"rows": rows, "pictures": len(chosen), "training": len(outside)}


def cut_out(training: torch.Tensor, layout: Layout) -> torch.Tensor:
    """(M, 3, 24, 24) uint8: the objects of all training pictures."""
    parts = torch.arange(len(training)).split(BLOCK)
    return torch.cat(
        [((crops(to_unit(training[part]), layout.take(part)) + 1) * 127.5).round().byte() for part in parts]
    )


def table(found: Mapping[str, Any]) -> str:
    """Medians and the share that is near, a line a space."""
    lines = []
    for space, told in SPACES.items():
        row = found["rows"][space]
        medians = [f"{row[kind]['50']:.3g} ({row[kind]['1']:.3g} to {row[kind]['99']:.3g})" for kind in KINDS]
        lines.append([told, *medians, row["near"]])
    return markdown(["to the nearest of training", *KINDS.values(), "near"], lines)


def figure(found: Mapping[str, Any]) -> str:
    """An SVG of the spaces' distances: from the 5th to the 95th percentile, with the median."""
    lines, top = [], 0
    for space, told in SPACES.items():
        row = found["rows"][space]
        scale = 400 / max(row[kind]["95"] for kind in KINDS)
        lines.append(f'<text x="8" y="{top + 20}" font-weight="600">{told}</text>')
        for place, (kind, name) in enumerate(KINDS.items()):
            y, (low, middle, high) = top + 38 + 18 * place, (scale * row[kind][part] for part in ("5", "50", "95"))
            lines.append(f'<text x="8" y="{y + 4}">{name}</text>')
            lines.append(f'<rect x="{150 + low:.1f}" y="{y - 3}" width="{max(1, high - low):.1f}" height="6" rx="3" '
                         f'fill="{COLOURS[kind]}" opacity="0.45"/>')  # fmt: skip
            lines.append(f'<circle cx="{150 + middle:.1f}" cy="{y}" r="5" fill="{COLOURS[kind]}"/>')
        top += 100
    style = 'font-family="system-ui, sans-serif" font-size="12" fill="#64748b"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 580 {top}" {style}>{"".join(lines)}</svg>\n'


def run(job: Job) -> None:
    found = measured(job, job.options.pictures) | job.settings
    job.record(f"{COPIES}{job.variant}", found)
    if not job.variant:
        write_text(job.folder / FIGURE, figure(found))
    print(f"{table(found)}\n\n{said(job.kind.title, found)}")


def card(folder: Path, entries: Mapping[str, Any]) -> str:
    """The figure, the tables and the sentence."""
    kind = str(read_metrics(folder).get(COPIES, {}).get("model", "")).partition("@")[0]
    title = MODELS[kind].title if kind in MODELS else "model"
    parts = [f"![Distances to the nearest of training]({FIGURE})"] if (folder / FIGURE).exists() else []
    for name, found in entries.items():
        text = said(title, found)
        parts += [name.partition(", ")[2], table(found), f"{text[:1].upper()}{text[1:]}."]
    return "\n\n".join(filter(None, parts))


MEASURE = Measure(
    name=COPIES,
    about=__doc__ or "",
    needs=("data", "model", "judge", "teacher"),
    run=run,
    options={"--pictures": {"type": not_negative, "default": 0, "help": "held-out label sets to draw (0: all 903)"}},
    card=card,
)
