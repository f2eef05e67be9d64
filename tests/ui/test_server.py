"""Starting, ending and guarding the server."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clevr_demo.ui import build_demo, server
from tests.browser.conftest import tiny_weights
from tests.fakes import fake_studio
from tests.serving import free_port, running_app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, http.client.HTTPMessage]:
    """The headers of a fresh server's first answers, by who asks."""
    asked = {
        "first": ("GET", {}),
        "stranger": ("GET", {"Origin": "https://elsewhere.example"}),
        "stranger to a public host": ("GET", {"Origin": "https://elsewhere.example", "Host": "it.hf.space"}),
        "preflight": (
            "OPTIONS",
            {"Origin": "https://elsewhere.example", "Host": "it.hf.space", "Access-Control-Request-Method": "POST"},
        ),
    }
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("server")))
        studio = fake_studio()
        demo = build_demo(studio)
        address = urlsplit(server.start(demo, free_port())).netloc
        for name, (method, headers) in asked.items():
            connection = http.client.HTTPConnection(address, timeout=250)
            connection.request(method, "/", headers=headers)
            answer = connection.getresponse()
            assert answer.status == 200
            answer.read()
            found[name] = answer.headers
        server.stop(demo, studio)
    return found


def test_the_very_first_answer_is_guarded(answers: dict[str, http.client.HTTPMessage]) -> None:
    for headers in answers.values():
        assert headers["x-content-type-options"] == "nosniff"
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'self'"
        assert policy["object-src"] == "'none'"
        assert "http:" not in headers["content-security-policy"]


def test_in_a_space_alone_the_page_may_ask_the_hub_and_only_whether_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    asked = "https://huggingface.co/api/spaces/by-subdomain/"
    assert asked not in str(server.headers())
    monkeypatch.setenv("SPACE_ID", "someone/clevr-duel")
    policy = dict(
        part.strip().split(" ", 1) for part in server.headers()[b"content-security-policy"].decode().split(";")
    )
    assert policy.pop("connect-src").split() == ["'self'", "data:", "blob:", asked]
    assert policy.pop("frame-ancestors")
    assert "huggingface" not in str(policy)


def test_no_other_site_acts_in_a_visitors_name(answers: dict[str, http.client.HTTPMessage]) -> None:
    for headers in answers.values():
        assert "access-control-allow-credentials" not in headers
    assert "access-control-allow-origin" not in answers["stranger"]


@pytest.mark.parametrize("port", ["0", "65536", "abc", "-1", "78.6", "٧٨٦٠"])
def test_a_port_that_is_none_is_refused_in_one_line(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import app

    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    with pytest.raises(SystemExit, match="GRADIO_SERVER_PORT must be a port"):
        app.wanted_port()


def test_the_temporary_folder_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    with server.temporary_folder() as folder:
        (Path(folder) / "picture.png").write_bytes(b"x")
        assert os.environ["GRADIO_TEMP_DIR"] == folder
    assert not Path(folder).exists()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with server.temporary_folder() as folder:
        assert folder == str(tmp_path)
    assert tmp_path.is_dir()


@pytest.mark.timeout(1300)
def test_ctrl_c_ends_the_app_while_it_draws(tmp_path: Path) -> None:
    """Within seconds, with exit code 0, and without the abort that threads inside torch can cause."""
    weights = tiny_weights(tmp_path / "weights")
    with running_app(**weights, TMPDIR=str(tmp_path)) as (address, process):
        body = b'{"data": [["red cube"], 1, 1200]}'
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=250)
        connection.request("POST", "/gradio_api/call/generate", body, {"content-type": "application/json"})
        assert connection.getresponse().status == 200
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(250) == 0
    assert not list(tmp_path.glob("clevr-duel-*"))


def test_a_taken_port_is_an_error_and_not_another_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = dict(os.environ, GRADIO_SERVER_PORT=str(port))
        done = subprocess.run(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=250
        )
    assert done.returncode == 1
    assert done.stderr.strip() == f"Port {port}, which GRADIO_SERVER_PORT names, cannot be had: Address already in use"
