"""The registry of models, and the contenders that are made of them.

    MODELS["ddpm"].title                          # "DDPM"
    register(Model("discs", "Discs", "Pastes coloured discs.", load_discs))
    Contender("quick", "ddpm", settings={"steps": 4})

Page, endpoint, command line, measures and cards read a model's facts here and nowhere else: adding a model touches this
table and the model's own module. What stands side by side are contenders, so the same model may stand there twice, with
other weights or other settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import CheckpointError, folder_of, read_config
from clevr_demo.generators.acgan import ACGANGenerator, load_acgan, noise_told
from clevr_demo.generators.course import or_course
from clevr_demo.generators.ddpm import DiffusionGenerator, load_ddpm
from clevr_demo.generators.protocol import Generator
from clevr_demo.objects import InputError, shown
from clevr_demo.request import FIELDS, NAME, PAIR, GenerationRequest, query_of


@dataclass(frozen=True)
class Model:
    """A kind of generator.

    `load(path, device)` makes one of a checkpoint folder, or of the weights that ship with the project for None.
    `settings` are the keyword arguments of its methods that are this model's alone, with their defaults; those that a
    request has a field for are the request's. `sources` are its sources of noise, of those in `request.SOURCES`: each
    may take a seed of its own, and a model that has "places" can be given places. `has_steps` says whether the picture
    depends on the request's steps, which then are its passes of the pixel network; else it takes one. `costs` says that
    in words. `on_gpu` is for a model whose draws are worth a shared GPU. `noise(path)` says of a checkpoint folder what
    it takes to see the noise of a picture, see `acgan.noise_told`; None for a model whose timeline shows it.
    """

    kind: str
    title: str
    sentence: str
    load: Callable[[str | Path | None, str], Generator]
    settings: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    has_steps: bool = False
    costs: str = "in one pass"
    on_gpu: bool = False
    noise: Callable[[str | Path | None], dict[str, Any]] | None = None


MODELS: dict[str, Model] = {}


def register(model: Model) -> Model:
    """Puts a model into the registry, in place of one of the same kind."""
    MODELS[model.kind] = model
    return model


register(
    Model(
        "ddpm", "DDPM", "A diffusion model: it denoises places first and pixels then, step by step.",
        or_course("ddpm", load_ddpm),
        settings={"sampler": "dpm"}, sources=DiffusionGenerator.sources,
        has_steps=True, costs="step by step", on_gpu=True,
    )
)  # fmt: skip
register(
    Model(
        "acgan", "ACGAN", "A GAN: one pass turns noise into places, one more turns them into pixels.",
        or_course("acgan", load_acgan),
        settings={"walk": "both"}, sources=ACGANGenerator.sources, noise=noise_told,
    )
)  # fmt: skip


def model_of(kind: str) -> Model:
    """The registered model; a ValueError names an unknown one."""
    if kind not in MODELS:
        raise ValueError(f"unknown model {shown(kind)}; choose one of {', '.join(MODELS)}")
    return MODELS[kind]


@dataclass(frozen=True)
class Contender:
    """One of those that draw: a model's kind, its weights, and fields of the request that it always draws with.

    `name` stands in links, beside the request's own fields. `path` is the checkpoint folder, None for the weights that
    ship with the project.
    """

    name: str
    kind: str
    path: str | Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Contender:
        """Reads "NAME=FOLDER" or "NAME=FOLDER?steps=4&sampler=ddim"; the folder's config.json says which model it is.

        Raises:
            InputError: names what cannot be.
            CheckpointError: the folder holds no checkpoint.
        """
        name, _, rest = text.partition("=")
        path, _, query = rest.partition("?")
        taken = {*FIELDS, "grid", "rows", "columns"}
        if not NAME.fullmatch(name) or name in taken or not path:
            raise InputError("contender", f"a contender is NAME=FOLDER, its name small letters, not {shown(text)}")
        kind = read_config(folder_of("model", path)).get("kind", "")
        if kind not in MODELS:
            raise InputError("contender", f"{path} holds no model that draws but {shown(kind)}")
        settings: dict[str, Any] = {}
        for setting, value in query_of(query).items():
            if setting not in ("steps", "sampler"):
                raise InputError("contender", f"{shown(setting)} is no setting of a contender; steps and sampler are")
            settings[setting] = int(value) if setting == "steps" and value.isdecimal() else value
        GenerationRequest.of([0], **settings)  # an InputError where one is beyond its range
        return cls(name, kind, path, settings)

    @property
    def model(self) -> Model:
        return model_of(self.kind)

    @property
    def title(self) -> str:
        """What people read: the model's title, or the contender's own name where it has another."""
        return self.model.title if self.name == self.kind else self.name

    def noise(self) -> dict[str, Any] | None:
        """What it takes to see the noise of its pictures; None where that cannot be seen."""
        try:
            return self.model.noise(self.path) if self.model.noise else None
        except CheckpointError:  # another architecture, or none: loading it says so
            return None

    def load(self, device: str = "auto") -> Generator:
        return self.model.load(self.path, device)

    def request(self, request: GenerationRequest) -> GenerationRequest:
        """The request as this contender draws it."""
        return replace(request, **self.settings)

    def keywords(self, request: GenerationRequest) -> dict[str, Any]:
        """The model's own settings, as its methods take them."""
        asked = self.request(request)
        return {name: getattr(asked, name, default) for name, default in self.model.settings.items()}

    def fixed(self, request: GenerationRequest) -> dict[str, Any]:
        """The places that a request gives, and the seeds of this model's own sources of noise, as its `stream` takes
        them; neither where there are none. An InputError if the model places nothing."""
        if request.places and "places" not in self.model.sources:
            raise InputError("places", f"the {self.title} places nothing, so no places can be given")
        seeds = {source: seed for source, seed in request.seeds if source in self.model.sources}
        return ({"places": request.given} if request.places else {}) | ({"seeds": seeds} if seeds else {})

    def passes(self, request: GenerationRequest) -> int:
        """Passes of the pixel network that one picture takes."""
        return self.request(request).steps if self.model.has_steps else 1


def usual(kind: str, path: str | Path | None = None) -> Contender:
    """The model's own contender: of a folder, of the one that CLEVR_KIND names, or of what ships with the project."""
    return Contender(kind, kind, path or os.environ.get(f"CLEVR_{kind.upper()}"))


def usual_pair() -> tuple[Contender, ...]:
    return tuple(usual(kind) for kind in PAIR)
