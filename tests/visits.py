"""Visitors whose browsers draw by themselves: what each fetches of the page and the engine, and tells the server then.

    rows = measure(address, pid, visitors=50)    # a row for first visits, for second ones, and for drawing

A browser is played by one connection and a cache that obeys the server: what is immutable is never asked for again,
what has a mark is asked for with it. Drawing is pressing Generate, of which the server is told, neither objects nor
places. `python -m tests.load --own` prints this as a table.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.client
import json
import re
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import brotli

from clevr_demo.serve.supply import HOME, MANIFEST
from clevr_demo.ui.events import TAKEN
from tests.serving import ANSWER, cpu_seconds
from tests.soak import Browser

IMPORTED = re.compile(r"^import [^;]*'\./([\w.]+)';", re.MULTILINE)
"""A module of the engine's, named by another one."""
ACCEPTED = "gzip, deflate, br, zstd"
"""What Chromium takes from https and from this machine."""
UNPACKERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, "br": brotli.decompress, "gzip": gzip.decompress}


@functools.cache
def unpacked(content: bytes, by: str) -> bytes:
    """All visitors get the same: it is unpacked once."""
    return UNPACKERS[by](content)


@functools.cache
def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def files(manifest: Any) -> Iterator[dict[str, str]]:
    """Whatever a manifest has an address and a digest of: the runtime, and the graphs of who draws and who judges."""
    if not isinstance(manifest, dict):
        return
    if "sha256" in manifest:
        yield manifest
    for value in manifest.values():
        yield from files(value)


class Visitor:
    """`kept` are answers by path: their mark, "" where they are good for ever, and what they hold."""

    def __init__(self, address: str) -> None:
        self.address, self.session, self.kept = address, uuid.uuid4().hex, dict[str, tuple[str, bytes]]()
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=ANSWER)
        self.forget()

    def forget(self) -> None:
        """Begins to count anew."""
        self.requests = self.unchanged = self.page_bytes = self.engine_bytes = self.wrong = 0
        self.seconds, self.error = 0.0, ""

    def get(self, path: str) -> bytes:
        mark, known = self.kept.get(path, (None, b""))
        if mark == "":
            return known
        headers = {"accept-encoding": ACCEPTED} | ({"if-none-match": mark} if mark else {})
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        content = answer.read()
        self.requests += 1
        if answer.status == 304:
            self.unchanged += 1
            return known
        if answer.status != 200:
            raise OSError(f"{path}: {answer.status}")
        if path.startswith(HOME):
            self.engine_bytes += len(content)
        else:
            self.page_bytes += len(content)
        found = unpacked(content, answer.headers.get("content-encoding", ""))
        for_good = "immutable" in answer.headers.get("cache-control", "")
        if for_good or answer.headers.get("etag"):
            self.kept[path] = ("" if for_good else answer.headers["etag"], found)
        return found

    def modules(self, path: str, seen: set[str]) -> None:
        """Gets a script and all that it imports."""
        seen.add(path)
        for name in IMPORTED.findall(self.get(path).decode()):
            beside = f"{path.rpartition('/')[0]}/{name}"
            if beside not in seen:
                self.modules(beside, seen)

    def visit(self) -> None:
        """Opens the page and gets the whole engine."""
        self.get("/")
        manifest = json.loads(self.get(f"{HOME}{MANIFEST}"))
        if "missing" in manifest:
            raise OSError(manifest["missing"])
        self.modules(f"{HOME}{manifest['worker']}", set())
        for file in files(manifest):
            self.wrong += digest(self.get(f"{HOME}{file['url']}")) != file["sha256"]

    def press(self, page: Browser) -> None:
        """Generate, drawn by the browser: both events of the page's, told nothing of what is drawn."""
        for event in (page.press, page.run):
            page.send(event, self.session, page.values(event, moment=TAKEN, picker=[]))
            self.requests += 1 if event["queue"] is False else 2


def played(visitors: list[Visitor], act: Callable[[Visitor], None]) -> None:
    """All of them at once."""

    def one(visitor: Visitor) -> None:
        visitor.forget()
        started = time.monotonic()
        try:
            act(visitor)
        except (OSError, http.client.HTTPException) as error:
            visitor.error = str(error)
        visitor.seconds = time.monotonic() - started

    threads = [threading.Thread(target=one, args=[visitor], daemon=True) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def row(what: str, visitors: list[Visitor], pid: int, act: Callable[[Visitor], None]) -> dict[str, Any]:
    """A line of the table: sums over all visitors, and seconds a visitor."""
    before = cpu_seconds(pid) if pid else 0.0
    played(visitors, act)
    spent = cpu_seconds(pid) - before if pid else None
    seconds, errors = [one.seconds for one in visitors], [one.error for one in visitors if one.error]
    return {
        "what": what,
        "visitors": len(visitors),
        "requests": sum(one.requests for one in visitors),
        "not changed": sum(one.unchanged for one in visitors),
        "page, MB": round(sum(one.page_bytes for one in visitors) / 1e6, 1),
        "engine, MB": round(sum(one.engine_bytes for one in visitors) / 1e6, 1),
        "CPU s": None if spent is None else round(spent, 2),
        "CPU ms a visitor": None if spent is None else round(1000 * spent / len(visitors)),
        "median": round(statistics.median(seconds), 2),
        "worst": round(max(seconds), 2),
        "errors": len(errors),
        "first error": errors[0] if errors else "",
        "wrong files": sum(one.wrong for one in visitors),
    }


def measure(address: str, pid: int, count: int, draws: int) -> list[dict[str, Any]]:
    """The first visitor of all, for whom files are hashed and packed; then the others' visits and draws."""
    visitors, page = [Visitor(address) for _ in range(count)], Browser(address)

    def draw(visitor: Visitor) -> None:
        for _ in range(draws):
            visitor.press(page)

    return [
        row("the first visitor of all", [Visitor(address)], pid, Visitor.visit),
        row("first visit", visitors, pid, Visitor.visit),
        row("second visit", visitors, pid, Visitor.visit),
        row(f"{draws} draws by the browser", visitors, pid, draw),
    ]
