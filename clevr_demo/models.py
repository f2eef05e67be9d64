"""The registry of models, and the contenders that are made of them.

    MODELS["ddpm"].title                          # "DDPM"
    register(Model("discs", "Discs", "Pastes coloured discs.", load_discs))
    Contender("ddpm-4", "ddpm", settings={"steps": 4})

Page, endpoint, command line, measures and cards read a model's facts here and nowhere else: adding a model touches this
table and the model's own module. What stands side by side are contenders, so the same model may stand there twice, with
other weights or other settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clevr_demo.generators.acgan import load_acgan
from clevr_demo.generators.ddpm import load_ddpm
from clevr_demo.generators.protocol import Generator
from clevr_demo.objects import shown
from clevr_demo.request import GenerationRequest


@dataclass(frozen=True)
class Model:
    """A kind of generator.

    `load(path, device)` makes one of a checkpoint folder, or of the weights that ship with the project for None.
    `settings` names the request's fields that are this model's alone: `stream` and `generate_batch` take them by
    keyword. `has_steps` says whether the picture depends on the request's steps, which then are its passes of the pixel
    network; else a picture takes one. `costs` says that in words. `on_gpu`: whether it is worth a shared GPU.
    """

    kind: str
    title: str
    sentence: str
    load: Callable[[str | Path | None, str], Generator]
    settings: tuple[str, ...] = ()
    has_steps: bool = False
    costs: str = "one pass of the network a picture"
    on_gpu: bool = False


MODELS: dict[str, Model] = {}


def register(model: Model) -> Model:
    """Puts a model into the registry, in place of one of the same kind."""
    MODELS[model.kind] = model
    return model


DDPM = register(
    Model(
        "ddpm", "DDPM", "A diffusion model: it denoises the places first and the pixels then, step by step.", load_ddpm,
        settings=("sampler",), has_steps=True, costs="a pass of the network a step", on_gpu=True,
    )
)  # fmt: skip
ACGAN = register(
    Model("acgan", "ACGAN", "A GAN: one pass turns noise into places, one more turns them into pixels.", load_acgan)
)


def model_of(kind: str) -> Model:
    """The registered model; a ValueError names an unknown one."""
    if kind not in MODELS:
        raise ValueError(f"unknown model {shown(kind)}; choose one of {', '.join(MODELS)}")
    return MODELS[kind]


NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")
"""What a contender may be called, as the name stands in links."""


@dataclass(frozen=True)
class Contender:
    """One of those that draw: a model's kind, its weights, and fields of the request that it always draws with.

    `path` is the checkpoint folder, None for the weights that ship with the project.
    """

    name: str
    kind: str
    path: str | Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        return model_of(self.kind)

    @property
    def title(self) -> str:
        """What people read: the model's title, or the contender's own name where it has another."""
        return self.model.title if self.name == self.kind else self.name

    def request(self, request: GenerationRequest) -> GenerationRequest:
        """The request as this contender draws it."""
        return replace(request, **self.settings)

    def keywords(self, request: GenerationRequest) -> dict[str, Any]:
        """The model's own settings, as its methods take them."""
        return {name: getattr(self.request(request), name) for name in self.model.settings}

    def passes(self, request: GenerationRequest) -> int:
        """Passes of the pixel network that one picture takes."""
        return self.request(request).steps if self.model.has_steps else 1
