"""Writes the page as a folder that any host of plain files serves, a static Space or GitHub Pages: it draws by itself.

    npm ci --ignore-scripts             # what runs the networks in a browser
    python -m clevr_demo.static OUT
    python -m http.server -d OUT        # to look at it here

Picker, duel, drags, lessons, timelines, verdicts, links and pictures to keep are the app's own components; what needs a
server is left out. Its links open on the app's page, and the app's there.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import CheckpointError
from clevr_demo.objects import InputError
from clevr_demo.request import PAIR
from clevr_demo.serve import showcase
from clevr_demo.serve.kit import Kit
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.supply import MANIFEST
from clevr_demo.ui.page import STYLES
from clevr_demo.ui.widgets import ASSETS, Duel, Hands, Html, Lessons, Picker, asset

USUAL = [[], 7, 20, "dpm", 1, "", ""]
"""What stands in the controls when the page opens, in the order of the app's."""
PACKED = (".wasm", ".onnx")
"""Files that a browser unpacks itself: hosts of plain files pack nothing that they do not know."""


def file_of(value: dict[str, Any]) -> dict[str, Any]:
    """A manifest's file by the address at which it lies packed."""
    return value | {"url": f"{value['url']}.gz"} if value["url"].endswith(PACKED) else value


def with_packed(value: Any) -> Any:
    """A manifest whose large files lie packed."""
    if not isinstance(value, dict):
        return value
    inside = {name: with_packed(one) for name, one in value.items()}
    return file_of(inside) if "sha256" in inside else inside


def write_engine(kit: Kit, folder: Path) -> dict[str, Any]:
    """Writes what the browser draws with; the manifest."""
    manifest: dict[str, Any] = with_packed(kit.manifest())
    for address, part in kit.parts().items():
        packed = address.endswith(PACKED)
        path = folder / (f"{address}.gz" if packed else address)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(part.content(), 9, mtime=0) if packed else part.content())
    (folder / MANIFEST).write_text(json.dumps(manifest, separators=(",", ":")), encoding="utf-8")
    return manifest


def parts(studio: Studio) -> dict[str, Html]:
    """The app's components that the page has, by their ids."""
    greets = tuple(one.name for one in studio.pair) == PAIR
    duel = Duel(studio.contenders.values(), address=True, value=showcase.payload() if greets else None)
    hands = Hands(USUAL, lambda asked: {}, alone=True)
    return {"lessons": Lessons(), "picker": Picker(), "hands": hands, "duel": duel}


def markup_of(name: str, part: Html) -> str:
    return f'<div id="{name}"><div class="html-container">{part.html_template}</div></div>'


def script_of(name: str, part: Html) -> str:
    """A component's call of the shim."""
    props = json.dumps(dict(part.props) | {"value": part.value})
    return f"component('{name}', {props}, (element, props, watch, trigger, server) => {{\n{part.js_on_load}\n}});"


def filled(text: str, **words: str) -> str:
    """A text with words in place of @their-names."""
    for name, word in words.items():
        text = text.replace(f"@{name}", word)
    return text


def functions() -> dict[str, str]:
    """The app's own small scripts that the page's script calls, by what they are called there."""
    names = {
        "kept": "given/kept.js",
        "asked": "page/asked.js",
        "sheet": "page/sheet.js",
        "surprise": "picker/surprise.js",
    }
    copy = asset("address/copy.js").replace("@home", "").replace("@shown", "#duel .duel")
    return {"copy": copy.strip()} | {name: asset(file).strip() for name, file in names.items()}


def write_page(studio: Studio, manifest: dict[str, Any], folder: Path) -> None:
    """Writes everything but the engine."""
    shown = parts(studio)
    graphs = manifest["models"][studio.pair[0].name]["graphs"]
    most = max(int(steps) for graph in graphs.values() for steps in graph.get("steps", {"1": []}))
    markup = {name: markup_of(name, one) for name, one in shown.items()}
    scripts = [asset("static/shim.js"), *(script_of(name, one) for name, one in shown.items())]
    static = (ASSETS / "static/static.js").read_text(encoding="utf-8")
    files = {
        "index.html": filled(asset("static/static.html"), most=str(most), **markup),
        "page.css": "\n".join([*(path.read_text(encoding="utf-8") for path in STYLES), asset("static/static.css")]),
        "components.js": "\n".join(scripts),
        "static.js": filled(static, scripts=manifest["worker"].partition("/")[0], **functions()),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(ASSETS / "page/icon.svg", folder / "icon.svg")


def write(studio: Studio, folder: Path, kit: Kit | None = None) -> None:
    """Writes the whole folder.

    Raises:
        CheckpointError: says what a browser would lack.
    """
    kit = kit or Kit(studio, ASSETS / "engine")
    if missing := kit.manifest().get("missing"):
        raise CheckpointError(missing)
    folder.mkdir(parents=True, exist_ok=True)
    write_page(studio, write_engine(kit, folder / "engine"), folder)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to write; files in it are overwritten")
    out: Path = parser.parse_args(argv).out
    try:
        write(Studio.load(), out)
    except (CheckpointError, InputError, OSError) as error:
        sys.exit(f"error: {error}")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{out}: {size / 1e6:.1f} MB. Look at it: python -m http.server -d {out}")


if __name__ == "__main__":
    main()
