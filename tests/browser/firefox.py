"""Drives an installed Firefox over WebDriver BiDi, which every Firefox speaks: no geckodriver, no build of its own.

with firefox(path, folder) as browser:
    browser.open(address)
    browser.click("#generate")
    browser.wait("document.title === 'CLEVR duel'")
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HOME, END = "\ue011", "\ue010"
"""Keys as WebDriver numbers them."""
LISTENING = re.compile(r"BiDi listening on (ws://\S+)")


class Firefox:
    """One window; clicks and keys are the browser's own, as a person's."""

    def __init__(self, socket: Any, patience: float) -> None:
        self._socket, self._numbers, self.patience = socket, itertools.count(1), patience
        self.complaints: list[str] = []
        self._send("session.new", capabilities={})
        self._send("session.subscribe", events=["log.entryAdded"])
        self._window = self._send("browsingContext.getTree")["contexts"][0]["context"]

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(self.patience))
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.complaints.append(str(answer["params"]["text"]))
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, address: str) -> None:
        self._send("browsingContext.navigate", context=self._window, url=address, wait="complete")

    def resize(self, width: int, height: int) -> None:
        self._send("browsingContext.setViewport", context=self._window, viewport={"width": width, "height": height})

    def value(self, expression: str) -> Any:
        """What an expression of the page gives, or promises, as plain values."""
        told = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        target = {"context": self._window}
        answer = self._send("script.evaluate", expression=told, awaitPromise=True, target=target)
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])

    def evaluate(self, function: str, argument: Any) -> Any:
        """What a function of the page gives, as a page of Playwright's has it."""
        return self.value(f"({function})({json.dumps(argument)})")

    def wait(self, expression: str) -> None:
        deadline = time.monotonic() + self.patience
        while not self.value(expression):
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Clicks the middle of an element, once it is in view."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.value(f"{element}.scrollIntoView({{ block: 'nearest' }})")
        box = self.value(f"{element}.getBoundingClientRect().toJSON()")
        move = {
            "type": "pointerMove",
            "x": round(box["x"] + box["width"] / 2),
            "y": round(box["y"] + box["height"] / 2),
        }
        press = [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "actions": press})

    def key(self, value: str) -> None:
        press = [{"type": kind, "value": value} for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": press})

    def _act(self, source: dict[str, Any]) -> None:
        self._send("input.performActions", context=self._window, actions=[source])


def _address(log: Path, process: subprocess.Popen[bytes], patience: float) -> str:
    """Where the browser listens, as it says itself."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        said = LISTENING.search(log.read_text(errors="replace"))
        if said:
            return said[1]
        time.sleep(0.1)
    raise OSError(f"Firefox does not listen:\n{log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def firefox(path: str, folder: Path, patience: float = 60) -> Iterator[Firefox]:
    """A Firefox of its own with a new profile in `folder`."""
    from websockets.sync.client import connect

    log, profile = folder / "firefox.log", folder / "profile"
    profile.mkdir()
    command = [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            with connect(_address(log, process, patience) + "/session", max_size=None) as socket:
                yield Firefox(socket, patience)
        finally:
            process.terminate()
            process.wait(30)
