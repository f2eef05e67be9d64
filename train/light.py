"""Finds the noise from which the ACGAN smears the ground, and keeps it from being drawn with.

    python -m train.light --data DIR                               # of the ACGAN that ships
    python -m train.light --data DIR --checkpoint runs/acgan       # of another checkpoint folder

The farther a picture's noise ("light") lies in one direction, the more detail is drawn on the ground, where real
pictures have grain alone. The direction leads from the mean of all noise to the mean of what gives the most detail. The
edge lies as far out in it as detail stays real: where half of the pictures drawn there have no more of it than 99 of
100 real ones. Noise beyond it is mirrored at it (`clevr_demo.generators.acgan.mirrored`).

config.json then has the edge, and a revision more, as what is drawn is no longer the same; graphs are written anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from clevr_demo.checkpoints import CONFIG, ROOT, load_network, read_config, write_json
from clevr_demo.generators.acgan import ACGANConfig, ACGANNetwork
from clevr_demo.objects import OBJECTS
from clevr_demo.places import SIZE
from train.data.iclevr import load_pictures, to_unit
from train.graphs import write_graphs
from train.learning.options import between, clear_errors

DRAWN = 3000  # pictures
AROUND = 13.0  # pixels from the middle, where the object stands, within which detail is its own
MOST = 0.06  # of the drawn pictures, those with the most detail, that give the direction
STEP = 0.1  # of the edge's distance, in standard deviations
REAL, INSIDE = 0.99, 0.5  # shares of the pictures, see above


class LightError(Exception):
    """Noise in which no edge can be found."""


def detail(pixels: torch.Tensor) -> torch.Tensor:
    """(N,) mean absolute Laplacian, in levels of 255, of pixels (N, 3, 64, 64) in [-1, 1] away from the middle."""
    inner = pixels[..., 1:-1, 1:-1]
    beside = pixels[..., :-2, 1:-1] + pixels[..., 2:, 1:-1] + pixels[..., 1:-1, :-2] + pixels[..., 1:-1, 2:]
    line = torch.arange(1.0, SIZE - 1) - SIZE / 2
    away = torch.maximum(line.abs()[:, None], line.abs()) > AROUND
    return (4 * inner - beside)[..., away].abs().mean(dim=(1, 2)) * 127.5


@torch.inference_mode()
def drawn(network: ACGANNetwork, number: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """(noise (N, p), detail (N,)) of pictures of one object in the middle, with noise as in training."""
    network.edge.zero_()
    generator = torch.Generator().manual_seed(seed)
    centres = torch.full((1, len(OBJECTS), 2), SIZE / 2)
    noises, details = [], []
    for index in range(number):
        labels = torch.eye(len(OBJECTS))[index % len(OBJECTS)][None]
        noise = {name: torch.randn(1, *shape, generator=generator) for name, shape in network.noise_shapes.items()}
        del noise["places"]
        noises.append(noise["light"])
        details.append(detail(network.paint(centres, labels, **noise)))
    return torch.cat(noises), torch.cat(details)


def edge(noise: torch.Tensor, details: torch.Tensor, most: float) -> torch.Tensor:
    """(p,) the edge of noise (N, p) that gave so much detail (N,), where up to `most` is real.

    Raises:
        LightError: there is no detail beyond `most`, or there is everywhere.
    """
    direction = noise[details >= details.quantile(1 - MOST)].mean(dim=0) - noise.mean(dim=0)
    direction = direction / direction.norm().clamp(min=1e-9)
    along = noise @ direction
    for distance in torch.arange(0.0, float(along.max()), STEP).tolist():
        here = details[(along >= distance) & (along < distance + STEP)]
        if len(here) and float(here.quantile(INSIDE)) > most:
            if distance:
                return direction / distance
            raise LightError("the ground has more detail than real ones whatever the noise")
    raise LightError("the ground has no more detail than real ones")


@clear_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.json")
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "acgan", help="checkpoint folder to change")
    parser.add_argument("--pictures", type=between(int, 100), default=DRAWN, help=f"to draw (default: {DRAWN})")
    options = parser.parse_args(argv)
    network = load_network(ACGANNetwork, ACGANConfig, options.checkpoint).eval()
    pictures = load_pictures(options.data)
    real = detail(to_unit(pictures.pixels[(pictures.labels.sum(dim=1) == 1) & ~pictures.held_out]))
    most = float(real.quantile(REAL))
    noise, details = drawn(network, options.pictures)
    try:
        found = edge(noise, details, most)
    except LightError as error:
        raise SystemExit(f"error: {options.checkpoint}: {error}") from None
    config = read_config(options.checkpoint)
    config["model"]["light_edge"] = [round(number, 4) for number in found.tolist()]
    write_json(options.checkpoint / CONFIG, config | {"revision": config.get("revision", 0) + 1})
    beyond = float((noise @ found > 1).float().mean())
    print(f"real ground: up to {most:.2f} levels; drawn: {float((details > most).float().mean()):.1%} with more; "
          f"the edge lies {1 / float(found.norm()):.1f} standard deviations out, {beyond:.1%} beyond it")  # fmt: skip
    write_graphs(options.checkpoint)


if __name__ == "__main__":
    main()
