"""ACGAN: the networks of all presets, and the generator that draws with them.

`report` is the course report's pair, a DCGAN whose discriminator sees the labels as a fourth plane. The project's own
discriminator is spectrally normalised, with a projection (Miyato & Koyama 2018, arXiv:1802.05637) and an auxiliary head
(Odena et al. 2017, arXiv:1610.09585), and has two generators to it: `residual`, which turns noise and labels into
a picture by conditional normalisation alone, and `layout`, which takes the objects' places out of the noise first and
then draws the objects there. All of them work on space-to-depth pictures, as the DDPM does. With `maps` the
discriminator sees attribute maps too, where each colour and each shape stands, to compare the pixels with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from clevr_demo.checkpoints import configured, fingerprint, folder_of, load_network, pick_device
from clevr_demo.generator import Frame, Generation, Stopwatch, check_batch, noise
from clevr_demo.objects import ATTRIBUTES, ENCODINGS, OBJECTS, multi_hot
from clevr_demo.places import attribute_maps
from clevr_demo.request import DEFAULT_STEPS, GenerationRequest
from clevr_demo.tables import Places

SIZE = 64
CLASSES = len(OBJECTS)


@dataclass(frozen=True)
class ACGANConfig:
    """Everything that loading an ACGAN takes; stored as config.json beside the weights.

    `noise_mean` is -1 for the report, which draws its noise as randn - 1. `widths` are the residual networks'
    channels at 4x4, 8x8, 16x16 and 32x32; the layout generator has the last three. `maps` adds the 11 attribute maps.
    """

    architecture: str = "residual"
    noise: int = 128
    noise_mean: float = 0.0
    label_width: int = 128
    encoding: str = "multi-hot"
    widths: tuple[int, ...] = (256, 192, 96, 48)
    maps: bool = False


def report_weights(module: nn.Module) -> None:
    """DCGAN's initialisation: N(0, 0.02) for convolutions, N(1, 0.02) for batch normalisation."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class ReportGenerator(nn.Module):
    """Label embedding beside the noise, then five transposed convolutions."""

    def __init__(self, config: ACGANConfig) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(CLASSES, config.label_width), nn.LeakyReLU(0.2))
        widths = (config.noise + config.label_width, 512, 256, 128, 64)
        layers: list[nn.Module] = []
        for place, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
            stride, padding = (1, 0) if place == 0 else (2, 1)
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)]
            layers += [nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())
        self.apply(report_weights)

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Noise (N, noise) and labels (N, 24) to pictures (N, 3, 64, 64) in [-1, 1]."""
        return self.body(torch.cat([z, self.embed(labels)], dim=1)[:, :, None, None])


class ReportDiscriminator(nn.Module):
    """The label as a fourth plane, then five convolutions; returns the logit of "real" (the sigmoid is in the loss)."""

    def __init__(self, config: ACGANConfig) -> None:
        super().__init__()
        self.plane = nn.Sequential(nn.Linear(CLASSES, SIZE * SIZE), nn.LeakyReLU(0.2))
        widths = (4, 64, 128, 256, 512)
        layers: list[nn.Module] = []
        for place, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(outputs)] if place else []
            layers += [nn.LeakyReLU(0.2, inplace=True)]
        self.body = nn.Sequential(*layers, nn.Conv2d(512, 1, 4, 1, 0, bias=False))
        self.apply(report_weights)

    def forward(self, pixels: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Pictures (N, 3, 64, 64) and labels (N, 24) to logits (N,)."""
        plane = self.plane(labels).view(-1, 1, SIZE, SIZE)
        return self.body(torch.cat([pixels, plane], dim=1)).flatten()


class ConditionalNorm(nn.Module):
    """Group normalisation whose scale and shift come from the condition. Unlike batch normalisation it treats every
    picture alone, so training and drawing do the same and no picture depends on its batch."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(16, channels, affine=False)
        self.affine = nn.Linear(condition, 2 * channels)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        scale, shift = self.affine(condition)[:, :, None, None].chunk(2, dim=1)
        return self.norm(x) * (1 + scale) + shift


RESIZES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "up": lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest"),
    "keep": lambda x: x,
    "down": lambda x: F.avg_pool2d(x, 2),
}


class GeneratorBlock(nn.Module):
    """Residual block that doubles the resolution, keeps it, or halves it."""

    def __init__(self, inputs: int, outputs: int, condition: int, resize: str = "up") -> None:
        super().__init__()
        self.first_norm, self.second_norm = ConditionalNorm(inputs, condition), ConditionalNorm(outputs, condition)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)
        self.resize = RESIZES[resize]

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        h = self.resize(F.relu(self.first_norm(x, condition)))
        h = self.second(F.relu(self.second_norm(self.first(h), condition)))
        return h + self.resize(self.skip(x))


class ResidualGenerator(nn.Module):
    """Noise and labels set every normalisation's scale and shift; 32x32x12 becomes 64x64x3 at the end, and the maps
    are stretched from 32x32."""

    def __init__(self, config: ACGANConfig) -> None:
        super().__init__()
        self.widths = config.widths
        self.embed = nn.Linear(CLASSES, config.label_width)
        nn.init.normal_(self.embed.weight)
        condition = config.noise + config.label_width
        self.start = nn.Linear(condition, 16 * config.widths[0])
        pairs = zip(config.widths, config.widths[1:], strict=False)
        self.blocks = nn.ModuleList(GeneratorBlock(inputs, outputs, condition) for inputs, outputs in pairs)
        self.norm = nn.GroupNorm(16, config.widths[-1])
        self.out = nn.Conv2d(config.widths[-1], 12 + (ATTRIBUTES if config.maps else 0), 3, padding=1)

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Noise (N, noise) and labels (N, 24) to pictures (N, 3, 64, 64) in [-1, 1], or (N, 14, 64, 64) with maps."""
        condition = torch.cat([z, self.embed(labels)], dim=1)
        x = self.start(condition).view(-1, self.widths[0], 4, 4).contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x, condition)
        drawn = self.out(F.relu(self.norm(x))).tanh()
        return torch.cat([F.pixel_shuffle(drawn[:, :12], 2), stretched(drawn[:, 12:])], dim=1)


class LayoutGenerator(nn.Module):
    """Draws the objects at places that the noise decides: attribute maps in, a small U-Net, a picture out.

    The first numbers of the noise are the places' (see `clevr_demo.places`), the others and the labels set every
    normalisation's scale and shift. The maps come with the picture's coordinates, for light and perspective.
    """

    def __init__(self, config: ACGANConfig) -> None:
        super().__init__()
        self.places = Places()
        self.embed = nn.Linear(CLASSES, config.label_width)
        nn.init.normal_(self.embed.weight)
        condition = config.noise - Places.noise + config.label_width
        coarse, middle, fine = config.widths[1:]
        self.side = SIZE // 2
        self.first = nn.Conv2d(ATTRIBUTES + 2, fine, 3, padding=1)
        self.down = nn.ModuleList(
            GeneratorBlock(*sizes, condition, "down") for sizes in ((fine, middle), (middle, coarse))
        )
        self.bottom = GeneratorBlock(coarse, coarse, condition, "keep")
        self.up = nn.ModuleList(GeneratorBlock(*sizes, condition) for sizes in ((coarse, middle), (middle, fine)))
        self.last = GeneratorBlock(fine, fine, condition, "keep")
        self.norm = nn.GroupNorm(16, fine)
        self.out = nn.Conv2d(fine, 12, 3, padding=1)

    def forward(self, z: torch.Tensor, labels: torch.Tensor, centres: torch.Tensor | None = None) -> torch.Tensor:
        """Noise (N, noise) and labels (N, 24) to pictures (N, 14, 64, 64) in [-1, 1], the maps last; `centres`
        (N, 24, 2) puts the objects elsewhere than the noise does."""
        if centres is None:
            centres = self.places(z[:, : Places.noise].unflatten(1, (CLASSES, 3)), labels)
        condition = torch.cat([z[:, Places.noise :], self.embed(labels)], dim=1)
        maps = attribute_maps(centres, labels, self.side)
        line = torch.linspace(-1, 1, self.side, device=z.device).expand(len(z), 1, self.side, self.side)
        x = self.first(torch.cat([maps, line, line.mT], dim=1).contiguous(memory_format=torch.channels_last))
        skips = []
        for block in self.down:
            skips.append(x)
            x = block(x, condition)
        x = self.bottom(x, condition)
        for block in self.up:
            x = block(x, condition) + skips.pop()
        drawn = self.out(F.relu(self.norm(self.last(x, condition)))).tanh()
        return torch.cat([F.pixel_shuffle(drawn, 2), stretched(maps)], dim=1)


def stretched(maps: torch.Tensor) -> torch.Tensor:
    """Attribute maps (N, 0 or 11, 32, 32) at the picture's size, (N, 0 or 11, 64, 64)."""
    return maps.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


class DownBlock(nn.Module):
    """Residual block that halves the resolution, spectrally normalised."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = spectral_norm(nn.Conv2d(inputs, outputs, 3, padding=1))
        self.second = spectral_norm(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.skip = spectral_norm(nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.second(F.leaky_relu(self.first(F.leaky_relu(x, 0.1)), 0.1))
        return F.avg_pool2d(h, 2) + self.skip(F.avg_pool2d(x, 2))


class ResidualDiscriminator(nn.Module):
    """Returns the projected logit of "real" and the auxiliary head's 24 logits."""

    def __init__(self, config: ACGANConfig) -> None:
        super().__init__()
        widths = config.widths[::-1]
        channels = 12 + (ATTRIBUTES if config.maps else 0)
        self.first = spectral_norm(nn.Conv2d(channels, widths[0], 3, padding=1))
        self.blocks = nn.Sequential(
            *(DownBlock(inputs, outputs) for inputs, outputs in zip(widths, widths[1:], strict=False))
        )
        last = widths[-1]
        self.last = spectral_norm(nn.Conv2d(last, last, 3, padding=1))
        self.real = spectral_norm(nn.Linear(last, 1))
        self.project = spectral_norm(nn.Linear(CLASSES, last, bias=False))
        self.auxiliary = nn.Linear(last, CLASSES)

    def forward(self, pixels: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures (N, 3 or 14, 64, 64) and labels (N, 24) to logits (N,) and (N, 24)."""
        packed = [F.pixel_unshuffle(pixels[:, :3], 2)]
        packed += [F.avg_pool2d(pixels[:, 3:], 2)] if pixels.shape[1] > 3 else []
        x = torch.cat(packed, dim=1).contiguous(memory_format=torch.channels_last)
        h = F.leaky_relu(self.last(self.blocks(self.first(x))), 0.1).sum(dim=(2, 3))
        return self.real(h).flatten() + (h * self.project(labels)).sum(dim=1), self.auxiliary(h)


GENERATORS = {"report": ReportGenerator, "residual": ResidualGenerator, "layout": LayoutGenerator}
DISCRIMINATORS = {
    "report": ReportDiscriminator,
    "residual": ResidualDiscriminator,
    "layout": ResidualDiscriminator,
}


class GeneratorNetwork(nn.Module):
    """The generator network of either architecture, fed in its own label encoding."""

    def __init__(self, config: ACGANConfig) -> None:
        super().__init__()
        self.config = config
        self.body = GENERATORS[config.architecture](config)

    def forward(self, z: torch.Tensor, labels: torch.Tensor, *places: torch.Tensor) -> torch.Tensor:
        """Standard normal noise (N, noise) and multi-hot labels (N, 24) to pictures (N, 3, 64, 64) in [-1, 1]; with
        maps (N, 14, 64, 64), pixels first. The layout architecture takes the objects' places too."""
        return self.body(z + self.config.noise_mean, ENCODINGS[self.config.encoding](labels), *places)


def latent_path(start: torch.Tensor, end: torch.Tensor, steps: int) -> torch.Tensor:
    """(steps, n) points from `start` to `end` along the arc between them; the last one is `end` itself.

    Noise of many dimensions lies near a sphere, which a straight line would leave for its middle, where the
    generator never trained; hence the spherical interpolation (White 2016, arXiv:1609.04468).
    """
    if steps == 1:
        return end.unsqueeze(0)
    cosine = torch.dot(start, end) / (start.norm() * end.norm())
    angle = math.acos(max(-1.0, min(1.0, float(cosine))))
    places = torch.linspace(0, 1, steps)[:-1].unsqueeze(1)
    if math.sin(angle) < 1e-4:
        path = (1 - places) * start + places * end
    else:
        path = (torch.sin((1 - places) * angle) * start + torch.sin(places * angle) * end) / math.sin(angle)
    return torch.cat([path, end.unsqueeze(0)])


class ACGANGenerator:
    """Draws with an ACGAN, in one pass. Make it with `clevr_demo.load("acgan")`.

    A GAN has no denoising timeline, so its `steps` frames are a walk through its latent space that ends in the
    seed's own noise: they show how the same request looks from other noise, at one evaluation a frame. As the layout
    generator's places come from the noise, the objects move along on that walk.
    """

    kind = "acgan"

    def __init__(self, network: GeneratorNetwork, name: str, device: torch.device) -> None:
        self.network = network.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]
        self.config, self.name, self.device = network.config, name, device

    def generate(self, labels: Any, seed: int = 0, steps: int = DEFAULT_STEPS) -> Generation:
        """Draws one picture, and `steps` frames on the way to it.

        Args:
            labels: what `clevr_demo.objects.parse` takes: names, indices or a multi-hot vector.
            seed: 0 to 2^31 - 1.
            steps: 1 to 1,200 frames; the picture is the last one, whatever their number.

        Raises:
            InputError: a ValueError that names the culprit.
        """
        return self.generate_batch([labels], [seed], steps)[0]

    def stream(self, labels: Any, seed: int = 0, steps: int = DEFAULT_STEPS) -> Iterator[Frame]:
        """The frames of `generate`, each as soon as it is made; closing the iterator cancels the rest."""
        request = GenerationRequest.of(labels, seed, steps)
        return self._frames(request, range(request.steps))

    def generate_batch(
        self, labels_list: Sequence[Any], seeds: Sequence[int], steps: int = DEFAULT_STEPS, *, timeline: bool = True
    ) -> list[Generation]:
        """Draws one picture per pair of labels and seed; `timeline=False` draws only the last frame of each."""
        check_batch(labels_list, seeds)
        requests = [GenerationRequest.of(labels, seed, steps) for labels, seed in zip(labels_list, seeds, strict=True)]
        drawn = []
        for request in requests:
            watch = Stopwatch()
            wanted = range(request.steps) if timeline else range(request.steps - 1, request.steps)
            frames = tuple(self._frames(request, wanted))
            drawn.append(Generation(frames, request, self.name, watch.seconds, len(frames)))
        return drawn

    def _frames(self, request: GenerationRequest, wanted: range) -> Iterator[Frame]:
        end, generators = noise([request.seed], (self.config.noise,))
        start = torch.randn(self.config.noise, generator=generators[0])
        path = latent_path(start, end[0], request.steps).to(self.device)
        labels = multi_hot([request.objects]).to(self.device)
        for index in wanted:
            with torch.inference_mode():
                picture = self.network(path[index : index + 1], labels)[0, :3].cpu()
            yield Frame(index, request.steps - 1 - index, picture, picture)


def load_acgan(path: str | Path | None = None, device: str = "auto") -> ACGANGenerator:
    """Loads an ACGAN checkpoint folder, by default the one that ships with the project."""
    folder = folder_of("acgan", path)
    config = configured(ACGANConfig, folder)
    network = load_network(lambda: GeneratorNetwork(config), folder)
    return ACGANGenerator(network, f"acgan@{fingerprint(folder)}", pick_device(device))
