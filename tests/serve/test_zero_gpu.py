"""A Space with a shared GPU: everything that draws works after the weights are packed away, and whatever the GPU does.

With the real `spaces` package, which a Space has by itself.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from clevr_demo.serve.gate import HALF, NO_GPU, QUOTA
from tests.browser.conftest import tiny_weights

ROOT = Path(__file__).resolve().parents[2]
GRANT = {"idle": False, "nvidiaIndex": 0, "nvidiaUUID": "acted", "allowToken": "token"}
EXPECTED_NOTICE = {"grant": HALF, "quota": QUOTA, "none": NO_GPU, "late": QUOTA, "lost": NO_GPU}
"""By how the API answers. Without a visitor's token, as here, the package calls a late GPU a quota too."""
PATIENCE = 240
"""Seconds for all of it, at most; on an idle machine it takes a tenth of that."""


class DeviceApi(BaseHTTPRequestHandler):
    """Answers as the GPU's scheduler does, in the mode that it was set to."""

    mode = "grant"
    asked: list[str] = []

    def log_message(self, *arguments: Any) -> None:
        """Nothing."""

    def answer(self, status: int, body: Any = None, kind: str = "application/json") -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        if self.path.startswith("/mode/"):
            DeviceApi.mode, DeviceApi.asked = self.path.rpartition("/")[2], []
        self.answer(200, DeviceApi.asked)

    def do_POST(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/schedule":
            DeviceApi.asked.append(parse_qs(address.query)["durationSeconds"][0])
            self.schedule()
            return
        if address.path == "/allow" and DeviceApi.mode == "lost":
            os.kill(int(parse_qs(address.query)["pid"][0]), signal.SIGKILL)
        self.answer(200)

    def schedule(self) -> None:
        if DeviceApi.mode == "quota":
            self.answer(429, {"left": 0, "wait": 3600})
        elif DeviceApi.mode == "none":
            self.answer(503)
        elif DeviceApi.mode == "late":
            self.answer(200, b"event: failed\n\n", "text/event-stream")
        else:
            self.answer(200, GRANT)


@pytest.fixture(scope="module")
def device_api() -> Iterator[str]:
    api = ThreadingHTTPServer(("127.0.0.1", 0), DeviceApi)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{api.server_port}"
    api.shutdown()


def ended(command: list[str], environment: dict[str, str], folder: Path) -> tuple[str, str]:
    """What the command and the processes that it forked printed, none of which outlives this.

    One that does not end says where it stands. The output goes to files, as a forked process that lives on would keep
    a pipe open and whoever reads it waiting.
    """
    with (folder / "out").open("w+") as out, (folder / "errors").open("w+") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=errors, start_new_session=True, text=True
        )
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # faulthandler tells the stacks of all threads
            process.wait(10)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return (folder / "out").read_text(), (folder / "errors").read_text()


@pytest.fixture(scope="module")
def told(device_api: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the acted Space told, by mode."""
    if importlib.util.find_spec("spaces") is None:
        pytest.skip("the spaces package is not installed")
    folder = tmp_path_factory.mktemp("space")
    (folder / "cgroup").write_text("0::/space\n")
    environment = dict(
        os.environ,
        SPACES_ZERO_GPU="1",
        SPACES_ZERO_DEVICE_API_URL=device_api,
        ZEROGPU_OFFLOAD_DIR=str(folder / "packed"),
        ZEROGPU_PROC_SELF_CGROUP_PATH=str(folder / "cgroup"),
        GRADIO_TEMP_DIR=str(folder / "gradio"),
        GRADIO_ANALYTICS_ENABLED="False",
        HOME=str(folder),
        TMPDIR=str(folder),
        **tiny_weights(folder / "weights"),
    )
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.space.zero_gpu", *EXPECTED_NOTICE]
    out, errors = ended(command, environment, folder)
    lines = [json.loads(line) for line in out.splitlines() if line.startswith('{"mode"')]
    assert [line["mode"] for line in lines] == ["expected", *EXPECTED_NOTICE], out[-3000:] + errors[-6000:]
    return {line["mode"]: line for line in lines}


@pytest.mark.parametrize("mode", EXPECTED_NOTICE)
def test_page_endpoint_and_grid_draw_the_same_whatever_the_gpu_does(told: dict[str, Any], mode: str) -> None:
    drawn = told[mode]
    assert drawn["page"] == told["expected"]["page"]
    assert drawn["endpoint"] == told["expected"]["endpoint"][list(EXPECTED_NOTICE).index(mode)]
    assert drawn["grid"] == told["expected"]["grid"]


@pytest.mark.parametrize("mode", EXPECTED_NOTICE)
def test_the_visitor_is_told_in_one_sentence(told: dict[str, Any], mode: str) -> None:
    assert told[mode]["grid_notices"] == [EXPECTED_NOTICE[mode]]
    assert told[mode]["endpoint_notice"] == told[mode]["page_notice"] == EXPECTED_NOTICE[mode]


@pytest.mark.parametrize("mode", EXPECTED_NOTICE)
def test_the_acgans_picture_comes_first(told: dict[str, Any], mode: str) -> None:
    assert told[mode]["acgan_first"]


def test_the_gpu_is_asked_for_once_a_run_and_once_a_grid_and_for_few_seconds(told: dict[str, Any]) -> None:
    assert len(told["grant"]["asked"]) == 2
    assert all(int(seconds) <= 10 for seconds in told["grant"]["asked"])
