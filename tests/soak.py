"""Many draws by many visitors: python -m tests.soak --draws 2000 --sessions 500

Presses Generate on the page as a browser does, with as many sessions, and prints the server's resident memory and its
temporary folder on the way. Exits with 1 if memory grew by more than 100 MB since the first hundred draws. Fakes draw
in place of the models (--real: the real ones), since what is looked for is what piles up around them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.serving import OBJECTS, get, post, resident, running, running_app

GROWTH = 100
"""MB, at most, after the first hundred draws."""
AT_ONCE = 8
"""Visitors at a time."""
SERVE = [sys.executable, "-m", "tests.soak", "--serve"]


class Browser:
    """What the page's JavaScript does when Generate is pressed, read off the page's own description."""

    def __init__(self, address: str) -> None:
        self.address = address
        with urllib.request.urlopen(f"{address}/config", timeout=60) as answer:
            config = json.load(answer)
        self.components = {one["id"]: one["props"] for one in config["components"]}
        button = next(number for number, props in self.components.items() if props.get("elem_id") == "generate")
        events = config["dependencies"]
        self.press = next(one for one in events if [button, "click"] in one["targets"])
        self.run = next(one for one in events if one["trigger_after"] == self.press["id"])
        self.moments = itertools.count(1)

    def values(self, event: dict[str, Any], **changed: Any) -> list[Any]:
        """The values of an event's inputs: as the page has them, but for the changed ones."""
        props = [self.components[number] for number in event["inputs"]]
        return [changed.get(one.get("elem_id"), one.get("value")) for one in props]

    def send(self, event: dict[str, Any], session: str, values: list[Any]) -> bytes:
        """Sends an event and waits for its end; everything that came of it."""
        body = {"fn_index": event["id"], "session_hash": session, "data": values, "trigger_id": None}
        body["event_data"] = None
        route = "queue/join" if event["queue"] is not False else "run/predict"
        told = post(self.address, route, body)
        return told if route == "run/predict" else get(self.address, f"queue/data?session_hash={session}")

    def generate(self, session: str, seed: int, steps: int) -> None:
        """Presses Generate and waits for the drawn pictures."""
        changed = {"picker": OBJECTS, "seed": seed, "steps": steps, "moment": next(self.moments)}
        self.send(self.press, session, self.values(self.press, **changed))
        told = self.send(self.run, session, self.values(self.run, **changed))
        assert b'"process_completed"' in told and b'"done"' in told, told[-2000:]  # noqa: PT018


def size(folder: Path) -> float:
    """MB in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def soak(address: str, pid: int, folder: Path, chosen: argparse.Namespace) -> list[dict[str, float]]:
    """The levels on the way."""
    browser, levels = Browser(address), []
    sessions = [uuid.uuid4().hex for _ in range(chosen.sessions)]
    started = time.monotonic()

    def one(number: int) -> None:
        browser.generate(sessions[number % len(sessions)], number, chosen.steps)

    with ThreadPoolExecutor(AT_ONCE) as visitors:  # the end of a run takes seconds, for which the server only waits
        for end in range(chosen.every, chosen.draws + 1, chosen.every):
            list(visitors.map(one, range(end - chosen.every, end)))
            level = {"draws": end, "MB": round(resident(pid), 1), "folder MB": round(size(folder), 1)}
            levels.append(level | {"seconds": round(time.monotonic() - started)})
            print(levels[-1], flush=True)
    return levels


def serve_fakes() -> None:
    """The page with fakes behind it."""
    from clevr_demo.ui import build_demo, server
    from tests.fakes import fake_studio

    studio = fake_studio()
    server.serve(build_demo(studio), studio, int(os.environ["GRADIO_SERVER_PORT"]))
    os._exit(0)


def main(arguments: list[str] | None = None) -> list[dict[str, float]]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--every", type=int, default=100, help="draws between two looks")
    parser.add_argument("--real", action="store_true", help="the real models, which take longer")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.serve:
        serve_fakes()
    with tempfile.TemporaryDirectory(prefix="clevr-soak-") as folder:
        settings = {"GRADIO_TEMP_DIR": folder, "TMPDIR": folder, "GRADIO_ANALYTICS_ENABLED": "False"}
        with running_app(**settings) if chosen.real else running(SERVE, **settings) as (address, process):
            return soak(address, process.pid, Path(folder), chosen)


if __name__ == "__main__":
    found = main()
    grown = found[-1]["MB"] - found[0]["MB"]
    print(f"{grown:+.1f} MB since {found[0]['draws']} draws")
    sys.exit(grown > GROWTH)
