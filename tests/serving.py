"""A server in a process of its own, on the loopback, for tests and measures: starting it, calling it, weighing it.

with running_app() as (address, process):
    result = call(address, ["red cube"], 7)
    resident(process.pid)
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
OBJECTS = ["red cube", "blue sphere", "green cylinder"]
"""What the measures draw."""
START, ANSWER = 600, 900
"""Seconds to wait for a server and for an answer, at most: a loaded machine is slow, not broken."""
Server = tuple[str, "subprocess.Popen[bytes]"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(command: list[str], **environment: str) -> Iterator[Server]:
    """(address, process) of a server that heeds GRADIO_SERVER_PORT, a free one unless it is named. Ctrl-C ends it; if
    it does not come up, its last words are in the error."""
    port = environment.setdefault("GRADIO_SERVER_PORT", str(free_port()))
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        settings = dict(os.environ, **environment)
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START
            while True:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(address, timeout=5).close()
                    break
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit(f"the app did not come up:\n{log.read().decode()[-2000:]}")
                time.sleep(0.1)
            yield address, process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def running_app(python: str = sys.executable, **environment: str) -> contextlib.AbstractContextManager[Server]:
    """The app as it ships."""
    return running([python, "app.py"], **environment)


def resident(pid: int) -> float:
    """A process's resident memory in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def cpu_seconds(pid: int) -> float:
    """The processor time that a process took so far, whatever else the machine does."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def get(address: str, path: str) -> bytes:
    """Everything that a route of Gradio's says, until it ends."""
    with urllib.request.urlopen(f"{address}/gradio_api/{path}", timeout=ANSWER) as answer:
        return answer.read()


def post(address: str, path: str, body: Any, headers: Mapping[str, str] = {}) -> bytes:
    """The same, for JSON, with `headers` as a proxy adds them."""
    told = {"content-type": "application/json", **headers}
    asked = urllib.request.Request(f"{address}/gradio_api/{path}", json.dumps(body).encode(), told)
    with urllib.request.urlopen(asked, timeout=ANSWER) as answer:
        return answer.read()


def call(address: str, *values: Any) -> dict[str, Any]:
    """The endpoint's result; RuntimeError with what it says instead."""
    event = json.loads(post(address, "call/generate", {"data": list(values)}))["event_id"]
    kind, _, data = get(address, f"call/generate/{event}").decode().strip().split("\n\n")[-1].partition("\ndata: ")
    if kind != "event: complete":
        raise RuntimeError(f"{kind}: {data[:200]}")
    return json.loads(data)[0]


def pixels(file: dict[str, Any]) -> bytes:
    """A file of the endpoint's; the app runs on this machine."""
    with Image.open(file["path"]) as picture:
        return picture.convert("RGB").tobytes()
