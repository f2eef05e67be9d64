"""Serves a kit to browsers that draw by themselves: compressed once, and for as long as they like to keep it.

Middleware(Supply, kit=kit) answers under /engine/ and hands on everything else. What lies there is packed when it is
first asked for, in a folder that goes with the server.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import anyio.to_thread
import brotli
from starlette.responses import FileResponse, PlainTextResponse, Response

from clevr_demo.serve.kit import Kit, Part, digest

HOME = "/engine/"
MANIFEST = "manifest.json"
PACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda content: brotli.compress(content, quality=5),
    "gzip": lambda content: gzip.compress(content, 6, mtime=0),
}
"""Compressions in the order of preference: the first takes a fifth off the runtime, and needs https or this machine."""
FOREVER = "public, max-age=31536000, immutable"


def encoding(accepted: str) -> str:
    """The first of `PACKERS` that a browser takes, else "": content as it is."""
    taken = {part.partition(";")[0].strip() for part in accepted.split(",")}
    return next((name for name in PACKERS if name in taken), "")


class Shelves:
    """Packed files on disk, each made once."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="clevr-duel-engine-")

    def packed(self, part: Part, called: str, by: str) -> Path:
        """Where a file lies, packed by one of `PACKERS` or as it is."""
        if not by and isinstance(part.source, Path):
            return part.source
        path = Path(self._folder.name) / re.sub(r"[^\w.-]", "-", f"{called}.{by}")
        with self._locks.setdefault(path.name, threading.Lock()):
            if not path.exists():
                content = part.content()
                path.write_bytes(PACKERS[by](content) if by else content)
        return path


class Supply:
    """The layer. `app` is what comes after it."""

    def __init__(self, app: Callable[..., Any], kit: Kit) -> None:
        self.app, self.kit, self.shelves = app, kit, Shelves()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "") if scope["type"] == "http" else ""
        if not path.startswith(HOME) or scope["method"] not in ("GET", "HEAD"):
            return await self.app(scope, receive, send)
        told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        address = path.removeprefix(HOME)
        answer = await anyio.to_thread.run_sync(self.manifest if address == MANIFEST else self.part, address, told)
        await answer(scope, receive, send)

    def manifest(self, address: str, told: Mapping[str, str]) -> Response:
        """Asked for anew at every visit, and sent where it has changed."""
        content = json.dumps(self.kit.manifest(), separators=(",", ":")).encode()
        headers = {"etag": f'"{digest(content)[:16]}"', "cache-control": "no-cache", "vary": "accept-encoding"}
        if told.get("if-none-match", "").removeprefix("W/") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        if by := encoding(told.get("accept-encoding", "")):
            content, headers["content-encoding"] = PACKERS[by](content), by
        return Response(content, headers=headers, media_type="application/json")

    def part(self, address: str, told: Mapping[str, str]) -> Response:
        part = self.kit.parts().get(address)
        if part is None:
            return PlainTextResponse("Not found", 404)
        by = encoding(told.get("accept-encoding", ""))
        headers = {"cache-control": FOREVER, "vary": "accept-encoding"} | ({"content-encoding": by} if by else {})
        return FileResponse(self.shelves.packed(part, address, by), headers=headers, media_type=part.kind)
