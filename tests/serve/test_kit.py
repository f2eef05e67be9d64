"""What a browser is given to draw by itself, and how it travels."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import brotli
import numpy as np
import pytest

from clevr_demo.checkpoints import fingerprint, write_json
from clevr_demo.engine import RUNTIME_FILES
from clevr_demo.judge.evaluator import load_evaluator
from clevr_demo.models import Contender
from clevr_demo.pictures import to_uint8
from clevr_demo.request import query_of
from clevr_demo.serve.gate import Gate
from clevr_demo.serve.kit import Kit, digest
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.supply import Supply, encoding
from tests.graphs import copied, written
from train.graphs import write_graphs

pytestmark = pytest.mark.timeout(900)  # on a busy machine exporting takes minutes


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Kit]:
    """Makes a kit of tiny networks and a runtime of a few bytes: `made(ddpm=folder)` for another DDPM."""
    for folder in ("scripts", "runtime/dist"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "scripts/worker.js").write_text("import './constants.js';")
    for name in RUNTIME_FILES.values():
        (tmp_path / "runtime" / name).write_bytes(100 * name.encode())

    def kit(**folders: Path) -> Kit:
        places = {name: folders.get(name, written(name)) for name in ("ddpm", "acgan")}
        gates = {name: Gate(one, one.load) for name, at in places.items() for one in [Contender(name, name, at)]}
        judge = load_evaluator(written("classifier"), "cpu", written("detector"))
        return Kit(Studio(gates, judge), tmp_path / "scripts", tmp_path / "runtime", written)

    return kit


def files(manifest: Any) -> list[dict[str, Any]]:
    """Everything in a manifest that is a file."""
    inside = manifest.values() if isinstance(manifest, dict) else []
    return ([manifest] if "sha256" in manifest else []) + [
        one for part in inside if isinstance(part, dict) for one in files(part)
    ]


def test_a_manifest_names_everything_by_its_content(made: Callable[..., Kit]) -> None:
    kit = made()
    manifest, parts = kit.manifest(), kit.parts()
    assert json.loads(json.dumps(manifest)) == json.loads(json.dumps(made().manifest())), "the same whenever it is made"
    found = files(manifest)
    assert len(found) == 2 + 3 + 2 + 2
    for file in found:
        content = parts[file["url"]].content()
        assert (len(content), digest(content)) == (file["size"], file["sha256"])
        assert file["url"].startswith(file["sha256"][:16])
    folder = manifest["worker"].partition("/")[0]
    assert {address for address in parts if address.startswith(folder)} == {
        f"{folder}/worker.js",
        f"{folder}/constants.js",
    }
    assert manifest["models"]["ddpm"]["fingerprint"] == fingerprint(written("ddpm"))
    assert manifest["models"]["ddpm"]["graphs"]["fast"]["steps"].keys() == {"2"}
    assert len(manifest["models"]["ddpm"]["levels"]) == 12
    assert manifest["models"]["acgan"]["settings"]["planner_given"] is True


def test_levels_travel_for_a_planner_alone_that_was_not_taught(made: Callable[..., Kit], tmp_path: Path) -> None:
    folder = copied("ddpm", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["model"]["planner_given"] = True
    write_json(folder / "config.json", config)
    write_graphs(folder)
    assert "levels" not in made(ddpm=folder).manifest()["models"]["ddpm"]


def test_the_stored_request_is_drawn_as_here(made: Callable[..., Kit]) -> None:
    kit = made()
    check = kit.manifest()["check"]
    request, notes = kit.studio.read(query_of(check["query"]))
    assert not notes
    for name in ("ddpm", "acgan"):
        drawn = kit.studio.gates[name].model.generate(
            request.objects, request.seed, request.steps, places=request.given
        )
        stored = np.frombuffer(base64.b64decode(check["pictures"][name]), np.uint8).reshape(64, 64, 3)
        assert np.array_equal(stored, to_uint8(drawn.frames[-1].predicted_pixels))


def test_what_is_missing_is_one_sentence(made: Callable[..., Kit], tmp_path: Path) -> None:
    bare = copied("ddpm", tmp_path)
    for path in bare.glob("*.onnx"):
        path.unlink()
    assert made(ddpm=bare).manifest() == {
        "missing": "There are no graphs of the DDPM here: python -m train.graphs writes them."
    }
    stale = copied("acgan", tmp_path)
    (stale / "painter.onnx").write_bytes(b"onnx")
    assert "painter.onnx: damaged" in made(acgan=stale).manifest()["missing"]
    next((tmp_path / "runtime/dist").iterdir()).unlink()
    kit = made()
    assert kit.manifest() == {"missing": "The runtime for browsers is not installed here: npm ci does that."}
    assert kit.parts() == {}


@pytest.mark.parametrize(
    ("accepted", "by"), [("gzip, deflate, br, zstd", "br"), ("gzip;q=1.0, *;q=0.5", "gzip"), ("identity", ""), ("", "")]
)
def test_the_best_packing_that_a_browser_takes(accepted: str, by: str) -> None:
    assert encoding(accepted) == by


def asked(layer: Supply, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """What the layer answers: status, headers and body."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await anyio.sleep_forever()

    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": told}
    anyio.run(layer, scope, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:])


def test_files_travel_packed_and_are_kept_for_good(made: Callable[..., Kit]) -> None:
    kit = made()
    layer = Supply(None, kit)  # type: ignore[arg-type]
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}
    for address, part in kit.parts().items():
        for by in ("br", "gzip", ""):
            status, headers, body = asked(layer, f"/engine/{address}", accept_encoding=by)
            assert status == 200
            assert headers.get("content-encoding", "") == by
            assert unpack[by](body) == part.content()
            assert "immutable" in headers["cache-control"]
            assert headers["content-type"] == part.kind
    assert asked(layer, "/engine/0123456789abcdef/worker.js")[0] == 404
    assert asked(layer, "/engine/../app.py")[0] == 404


def test_a_manifest_is_sent_again_only_where_it_changed(made: Callable[..., Kit]) -> None:
    layer = Supply(None, made())  # type: ignore[arg-type]
    status, headers, body = asked(layer, "/engine/manifest.json")
    assert (status, headers["cache-control"], headers["content-type"]) == (200, "no-cache", "application/json")
    assert json.loads(body)["pair"] == ["ddpm", "acgan"]
    assert asked(layer, "/engine/manifest.json", if_none_match=headers["etag"])[::2] == (304, b"")
