"""What a browser needs to draw by itself: a runtime, the graphs of who draws and who judges, and the engine's scripts.

    kit = Kit(studio, scripts)  # the folder of the engine's modules, ui/assets/engine
    kit.manifest()              # what there is: addresses, sizes, digests, settings, and one request with its pixels
    kit.parts()                 # the files themselves, by their addresses beside the manifest

Every address but the manifest's holds the digest of what lies there, so that a browser may keep it for good. The
runtime is ONNX Runtime Web, which `npm ci` installs; no file of it is part of this project. Where it or a graph is
missing, the manifest says so in one sentence, and the server draws.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import ROOT, CheckpointError, configured, fingerprint, folder_of
from clevr_demo.engine import RUNTIME, RUNTIME_FILES, checked_graph, graph_file
from clevr_demo.generators.acgan import ACGANConfig
from clevr_demo.generators.ddpm import DDPMConfig, planner_scheduler
from clevr_demo.models import Contender
from clevr_demo.request import FAST_STEPS, GenerationRequest
from clevr_demo.serve import twins
from clevr_demo.serve.payload import png_base64
from clevr_demo.serve.studio import Studio

KINDS = {".js": "text/javascript; charset=utf-8", ".wasm": "application/wasm", ".onnx": "application/octet-stream"}
"""Media types by a name's end."""
GRAPHS = {"ddpm": ("planner", "fast", "painter"), "acgan": ("planner", "painter")}
"""The graphs of the kinds of models that a browser draws with; not every DDPM has a distilled painter."""
CHECK = GenerationRequest.of(
    ["red cube", "cyan sphere", "yellow cylinder"], seed=7, steps=FAST_STEPS,
    places={"red cube": (36, 22), "cyan sphere": (24, 44), "yellow cylinder": (44, 40)},
)  # fmt: skip
"""The request that the engine draws first: where its pixels are not these, it leaves the drawing to the server."""


def ddpm_settings(folder: Path) -> dict[str, Any]:
    """A DDPM's settings, and for a planner that was not taught given places the cumulative alphas at its steps: RePaint
    needs them, no table of a solver's tells them, and to make them takes diffusers, which is large."""
    config = configured(DDPMConfig, folder)
    if config.planner_given:
        return {"settings": asdict(config)}
    scheduler = planner_scheduler(config)
    return {"settings": asdict(config), "levels": scheduler.alphas_cumprod[scheduler.timesteps].tolist()}


SETTINGS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "ddpm": ddpm_settings,
    "acgan": lambda folder: {"settings": asdict(configured(ACGANConfig, folder))},
}
"""What a kind's checkpoint folder says of how it draws."""


class Missing(Exception):
    """What a browser cannot draw without."""


@dataclass(frozen=True)
class Part:
    """A file to serve: where it lies, or its content."""

    name: str
    source: Path | bytes

    def content(self) -> bytes:
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    @property
    def kind(self) -> str:
        return KINDS[Path(self.name).suffix]


def digest(*contents: bytes) -> str:
    whole = hashlib.sha256()
    for content in contents:
        whole.update(content)
    return whole.hexdigest()


class Kit:
    """Made without reading anything; the first who asks waits a second for files to be hashed and a request drawn."""

    def __init__(
        self, studio: Studio, scripts: Path, runtime: Path = ROOT.parent / RUNTIME,
        judge: Callable[[str], Path] = folder_of,
    ) -> None:  # fmt: skip
        """`runtime` is the runtime's package, `judge` gives the folders of "detector" and "classifier"."""
        self.studio, self.scripts, self.runtime, self.judge = studio, scripts, runtime, judge
        self._lock = threading.Lock()

    def manifest(self) -> dict[str, Any]:
        """What there is; `missing` alone where a browser cannot draw."""
        return self._whole[0]

    def parts(self) -> Mapping[str, Part]:
        """What is served beside the manifest, by address."""
        return self._whole[1]

    @property
    def _whole(self) -> tuple[dict[str, Any], dict[str, Part]]:
        with self._lock:
            return self._made

    @functools.cached_property
    def _made(self) -> tuple[dict[str, Any], dict[str, Part]]:
        parts: dict[str, Part] = {}
        try:
            return self._described(parts), parts
        except (Missing, CheckpointError) as error:
            return {"missing": str(error)}, {}

    def _described(self, parts: dict[str, Part]) -> dict[str, Any]:
        runtime = {name: self._added(parts, Part(name, self.runtime / file)) for name, file in RUNTIME_FILES.items()}
        models = {
            name: described for name, one in self.studio.contenders.items() if (described := self._model(parts, one))
        }
        if lacking := [one.title for one in self.studio.pair if one.name not in models]:
            raise Missing(
                f"There are no graphs of the {' and the '.join(lacking)} here: python -m train.graphs writes them."
            )
        return {
            "worker": self._added_scripts(parts),
            "runtime": runtime,
            "few": FAST_STEPS,
            "pair": [one.name for one in self.studio.pair],
            "models": models,
            "judge": {"detector": self._detector(parts), "classifier": self._classifier(parts)},
            "check": self._check(),
        }

    def _added(self, parts: dict[str, Part], part: Part) -> dict[str, Any]:
        """A file's address, its size, about how many bytes of that travel, and its digest."""
        try:
            content = part.content()
        except OSError:
            raise Missing("The runtime for browsers is not installed here: npm ci does that.") from None
        whole = digest(content)
        address = f"{whole[:16]}/{part.name}"
        parts[address] = part
        packed = len(zlib.compress(content, 1))
        return {"url": address, "size": len(content), "packed": packed, "sha256": whole}

    def _added_scripts(self, parts: dict[str, Part]) -> str:
        """The address of the worker's script, beside which the modules that it imports stand."""
        modules = [Part(path.name, path) for path in sorted(self.scripts.glob("*.js"))]
        modules.append(Part(twins.NAME, twins.module().encode()))
        folder = digest(*(part.content() for part in modules))[:16]
        parts |= {f"{folder}/{part.name}": part for part in modules}
        return f"{folder}/worker.js"

    def _graph(self, parts: dict[str, Part], folder: Path, name: str, called: str) -> dict[str, Any]:
        """A graph's file, with its solver's steps where it has some."""
        path = graph_file(folder, name)
        told = checked_graph(folder, name, fingerprint(folder))
        steps = {"steps": json.loads(told["steps"])} if "steps" in told else {}
        return self._added(parts, Part(f"{called}-{name}.onnx", path)) | steps

    def _model(self, parts: dict[str, Part], one: Contender) -> dict[str, Any] | None:
        """What a contender draws with; None, if it needs more than graphs."""
        if one.kind not in GRAPHS or one.settings:
            return None
        folder = folder_of(one.kind, one.path)
        names = [name for name in GRAPHS[one.kind] if graph_file(folder, name).is_file()]
        if not names:
            return None
        return {
            "kind": one.kind,
            "title": one.title,
            "fingerprint": self.studio.fingerprint(one.name),
            "graphs": {name: self._graph(parts, folder, name, one.name) for name in names},
            **SETTINGS[one.kind](folder),
        }

    def _detector(self, parts: dict[str, Part]) -> dict[str, Any]:
        eye = self.studio.judge.detector
        settings = {"threshold": eye.config.threshold, "apart": eye.config.apart}
        return self._graph(parts, self.judge("detector"), "detector", "judge") | settings

    def _classifier(self, parts: dict[str, Part]) -> dict[str, Any] | None:
        """None, where the judge's classifier is another one than ships with the project."""
        folder = self.judge("classifier")
        if not self.studio.judge.name.endswith(f"classifier@{fingerprint(folder)}"):
            return None
        found = self._graph(parts, folder, "classifier", "judge")
        return found | {"temperature": self.studio.judge.temperature}

    def _check(self) -> dict[str, Any]:
        """What a CPU of this server draws of `CHECK`: levels of (64, 64, 3) in base64; and the scene without objects,
        which stands there while places are chosen."""
        pictures, empty = {}, ""
        for one in self.studio.pair:
            for still in self.studio.gates[one.name].on_cpu(CHECK):
                if still.stage == "where" and not empty:
                    empty = png_base64(still.predicted)
                if still.last:
                    pictures[one.name] = base64.b64encode(still.predicted.tobytes()).decode()
        return {"query": self.studio.query(CHECK), "pictures": pictures, "empty": empty}
