"""What is used of Gradio without its promise is as it was, does what it is used for, and is still needed."""

# No deferred annotations here: Gradio counts an endpoint's outputs by the real one.

import asyncio
import http.client
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
import gradio.networking
import gradio.routes
import gradio_client.utils
import httpx
import pytest
from gradio.events import api
from gradio.mcp import GradioMCPServer
from gradio.route_utils import CustomCORSMiddleware
from gradio.utils import get_function_description
from gradio_client.utils import construct_args

from clevr_demo.ui import internals
from tests.conftest import wait_until
from tests.serving import free_port, get, post

SESSIONS = 3
THEIRS = {
    name: getattr(GradioMCPServer, name, None)
    for name in ("Server", "_execute_tool_without_progress", "postprocess_output_data")
}
"""Before any test starts a server."""
FOREIGN = {"origin": "https://elsewhere.example", "host": "it.hf.space"}


def file_of(path: Path) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a picture")
    return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}


def twice(word: str, times: int = 2) -> str:
    """Says it again,
    as often as asked.

    Args:
        word: what to say (a word,
            or more: many).

            Also a picture.
        times: how often.

    Returns:
        All of it, at once,
        one after the other.
    """
    return word * times


def plain_twice(word: str, times: int = 2) -> str:
    """Says it again.

    Args:
        word: what to say (a word,
            or more).
    """
    return word * times


class Site:
    """A small page whose endpoints use what Gradio does not promise."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.left = folder, list[bool]()
        with gr.Blocks(analytics_enabled=False) as self.demo:
            self.endpoint(twice)
            self.endpoint(plain_twice)
            self.endpoint(self.where)
            self.endpoint(self.linger)
            self.endpoint(self.files)
        self.plain_fn, function = self.found("plain_twice"), self.found("twice")
        internals.fill_in(self.demo, function)
        internals.describe(function, ["abc", 3], {"told": {"type": "string", "title": "Told"}})
        self.demo.queue()
        internals.remember_little(self.demo, SESSIONS)
        self.address = self.demo.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True, ssr_mode=False)[
            1
        ].rstrip("/")

    @property
    def parameters(self) -> Any:
        return self.demo.get_api_info()["named_endpoints"]["/twice"]["parameters"]

    @staticmethod
    def endpoint(function: Any) -> None:
        api(function, api_name=function.__name__, concurrency_limit=None)

    def found(self, name: str) -> Any:
        return next(one for one in self.demo.fns.values() if one.api_name == name)

    def where(self) -> str:
        return internals.called_at()

    def linger(self) -> str:
        """Works until nobody waits for it, as a plain function does not notice by itself."""
        left = internals.caller_left()
        self.left.append(left())
        deadline = time.monotonic() + 60
        while not left() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.left.append(left())
        return "done"

    def files(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return file_of(internals.uploads() / "ours" / "here.txt"), file_of(self.folder.parent / "elsewhere.txt")

    def ask(self, name: str, *values: Any) -> str:
        return json.loads(post(self.address, f"call/{name}", {"data": list(values)}))["event_id"]

    def call(self, name: str, *values: Any) -> tuple[str, Any]:
        """How a plain HTTP call ended."""
        last = get(self.address, f"call/{name}/{self.ask(name, *values)}").decode().strip().split("\n\n")[-1]
        pair = dict(line.split(": ", 1) for line in last.splitlines())
        return pair["event"], json.loads(pair["data"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The page on a machine so busy that Gradio's look at its own address fails."""

    def late(*arguments: Any, **options: Any) -> Any:
        raise httpx.ConnectTimeout("busy")

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("internals") / "uploads"
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        patch.setattr(httpx, "head", late)
        patch.setattr(gradio.networking, "url_ok", lambda url: False)
        internals.start_on_a_busy_machine()
        running = Site(folder)
        yield running
        internals.hang_up(running.demo)
        running.demo.close(verbose=False)


def test_another_gradio_is_read_before_it_is_trusted() -> None:
    assert gr.__version__ == internals.CHECKED, "read every reason in internals.py again, then raise CHECKED"


def test_values_that_are_left_out_have_their_defaults(site: Site) -> None:
    for values in (["ab"], ["ab", None], ["ab", 2]):
        assert site.call("twice", *values) == ("complete", ["abab"])
    assert site.call("twice", "ab", 3) == ("complete", ["ababab"])
    with pytest.raises(ValueError, match="didn't receive enough input values"):
        site.demo.validate_inputs(site.plain_fn, ["ab"])
    assert site.call("plain_twice", "ab", None)[0] == "error", "it is needed no more"


def test_values_beyond_the_last_are_refused(site: Site) -> None:
    kind, data = site.call("twice", "ab", 3, 4)
    assert (kind, data["error"]) == ("error", "3 values were given; twice takes 2: word, times")
    assert site.call("plain_twice", "ab", 3, 4)[0] == "complete", "it is needed no more"


def test_an_endpoint_is_described_by_its_docstring(site: Site) -> None:
    with urllib.request.urlopen(f"{site.address}/gradio_api/info", timeout=250) as answer:
        endpoints = json.load(answer)["named_endpoints"]
    word, times = endpoints["/twice"]["parameters"]
    assert endpoints["/twice"]["description"] == "Says it again, as often as asked."
    described = "what to say (a word, or more: many). Also a picture."
    assert (word["label"], word["type"]["description"], word["example_input"]) == ("word", described, "abc")
    assert (times["type"]["type"], times["type"]["description"], times["example_input"]) == ("integer", "how often.", 3)
    assert [(one["label"], one["type"]["title"]) for one in endpoints["/twice"]["returns"]] == [("told", "Told")]
    assert endpoints["/plain_twice"]["parameters"][0]["label"] != "word"
    assert get_function_description(plain_twice)[1]["word"] == "what to say (a word,", "it is needed no more"
    assert get_function_description(twice)[2] == ["All of it, at once, one after the other."]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"word": "ab", "time": 3}, "unknown field 'time'; known are word, times"),
        ({"a" * 500: 1}, "unknown field"),
        ({"times": 3}, "the field word is missing"),
        ({}, "the field word is missing"),
    ],
)
def test_a_wrong_field_is_named(
    site: Site, fields: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradio_client.utils, "construct_args", construct_args)  # as it is before
    answer = httpx.post(f"{site.address}/gradio_api/call/v2/twice", json=fields, timeout=250)
    assert (answer.status_code, answer.text) == (500, "Internal Server Error"), "it is needed no more"
    internals.name_fields()
    answer = httpx.post(f"{site.address}/gradio_api/call/v2/twice", json=fields, timeout=250)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(sentence)
    assert len(answer.text) < 250
    with pytest.raises(internals.Refused, match=re.escape(sentence)):
        gradio_client.utils.construct_args(site.parameters, (), fields)
    assert gradio_client.utils.construct_args(site.parameters, (), {"word": "ab"}) == ["ab", 2]


def test_an_event_knows_where_it_was_called(site: Site) -> None:
    assert site.call("where") == ("complete", [f"{site.address}/"])
    assert internals.called_at() == ""


def test_an_event_knows_when_its_caller_has_left(site: Site) -> None:
    answer = urllib.request.urlopen(f"{site.address}/gradio_api/call/linger/{site.ask('linger')}", timeout=250)
    wait_until(lambda: site.left == [False])
    answer.close()
    wait_until(lambda: site.left == [False, True])
    assert internals.caller_left()() is False


def test_files_in_gradios_own_folder_are_served_where_they_lie(site: Site) -> None:
    kind, (ours, elsewhere) = site.call("files")
    assert kind == "complete"
    assert urllib.request.urlopen(ours["url"], timeout=250).read() == b"a picture"
    assert Path(ours["path"]) == site.folder / "ours" / "here.txt"
    assert Path(elsewhere["path"]) != site.folder.parent / "elsewhere.txt"
    assert [path.parent.name for path in site.folder.rglob("here.txt")] == ["ours"]


def test_what_nobody_fetches_is_forgotten(site: Site) -> None:
    for _ in range(2 * SESSIONS):
        site.ask("where")
    assert len(site.demo._queue.pending_messages_per_session) == SESSIONS


def test_no_event_costs_a_table_of_those_before() -> None:
    record = {"time": 0.0, "status": "success", "process_time": 0.1, "function": "one", "session_hash": "a"}
    for little in (False, True):
        with gr.Blocks(analytics_enabled=False) as demo:
            pass
        queue = demo._queue
        assert queue.ANALYTICS_MAX_EVENTS > 1000
        if little:
            internals.remember_little(demo, 1)
            assert queue.ANALYTICS_MAX_EVENTS == 100
        queue.events_recorded = 1
        assert bool(queue.compute_analytics_summary([record])["functions"]) is not little


async def answered(layer: Any, method: str, more: dict[str, str]) -> dict[str, str]:
    """The headers of what stands behind a layer, or of the layer's own answer, to a page of another site."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"theirs")]})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode()) for name, value in (FOREIGN | more).items()]
    await layer(app)({"type": "http", "method": method, "path": "/", "headers": headers}, None, send)
    return {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize(
    ("method", "more"),
    [("GET", {}), ("OPTIONS", {"access-control-request-method": "POST"})],
    ids=["plain", "preflight"],
)
def test_every_answer_is_guarded(method: str, more: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradio.routes, "CustomCORSMiddleware", CustomCORSMiddleware)
    theirs = asyncio.run(answered(gradio.routes.CustomCORSMiddleware, method, more))  # type: ignore[attr-defined]
    assert theirs["access-control-allow-credentials"] == "true", "it is needed no more"
    internals.guard({b"x-frame-options": b"ours"})
    ours = asyncio.run(answered(gradio.routes.CustomCORSMiddleware, method, more))  # type: ignore[attr-defined]
    assert "access-control-allow-credentials" not in ours
    assert ours["access-control-allow-origin"] == FOREIGN["origin"], "what is public may be read"
    assert ours["x-frame-options"] == "ours"


def test_mcp_clients_get_every_output_in_json(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mcp")
    for name, value in THEIRS.items():
        monkeypatch.setattr(GradioMCPServer, name, value)
    job = SimpleNamespace(result=lambda: ("told", "picture"))
    outputs = [{"it's": [True, None]}, ["é"], "a text", 3]
    server: Any = GradioMCPServer(site.demo)
    assert asyncio.run(server._execute_tool_without_progress(job)) == [("told", "picture")], "it is needed no more"
    first, *_ = server.postprocess_output_data(outputs, "http://here")
    assert first.text == '{"it\'s": [True, None]}', "it is needed no more"
    internals.speak_plainly_to_agents()
    assert asyncio.run(server._execute_tool_without_progress(job)) == ["told", "picture"]
    told = [one.text for one in server.postprocess_output_data(outputs, "http://here")]
    assert [json.loads(told[0]), json.loads(told[1]), told[2], told[3]] == outputs[:3] + ["3"]


def test_the_server_ends_though_a_page_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(gradio.networking, "url_ok", lambda url: True)
    with gr.Blocks(analytics_enabled=False) as demo:
        gr.Markdown("a page")
    address = urlsplit(demo.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True, ssr_mode=False)[1])
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    connection.request("GET", "/gradio_api/heartbeat/a-page-that-stays")
    assert connection.getresponse().status == 200
    assert demo.server is not None
    assert demo.server.config.timeout_graceful_shutdown is None, "it is needed no more"
    internals.hang_up(demo)
    demo.close(verbose=False)
    demo.server.thread.join(30)
    assert not demo.server.thread.is_alive()
