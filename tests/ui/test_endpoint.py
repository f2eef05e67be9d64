"""The endpoint /generate, called as the README says: by Python, plain HTTP and MCP."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.util
import io
import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clevr_demo.request import DEFAULT_STEPS, GenerationRequest
from clevr_demo.serve.gate import draws_at_once
from clevr_demo.serve.queue import Line
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.ui import build_demo, server
from clevr_demo.ui.endpoint import MOST_WAITING
from tests.conftest import wait_until
from tests.fakes import WHERE, fake_studio
from tests.serving import get, post

ROOT = Path(__file__).resolve().parents[2]
OBJECTS = ["red cube", "blue sphere"]
PATIENCE = 250
"""Seconds to wait for an answer: a loaded machine is slow, not broken."""


class Site:
    """A running page with fakes behind it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **faults: Any) -> None:
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
        monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        self.folder, self.studio = folder, fake_studio(**faults)
        monkeypatch.setattr("clevr_demo.ui.events.Line", lambda width: self.kept(Line(width)))
        self.demo = build_demo(self.studio)
        self.address = server.start(self.demo).rstrip("/")

    def kept(self, line: Line) -> Line:
        self.line = line
        return line

    def close(self) -> None:
        server.stop(self.demo, self.studio)

    def post(self, path: str, body: Any) -> Any:
        return json.loads(post(self.address, path, body))

    def events(self, event: str) -> list[tuple[str, Any]]:
        """(kind, data) of everything that comes of a call."""
        blocks = get(self.address, f"call/generate/{event}").decode().strip().split("\n\n")
        pairs = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]
        return [(pair["event"], json.loads(pair["data"])) for pair in pairs]

    def call(self, *values: Any) -> tuple[str, Any]:
        """How a plain HTTP call ended."""
        return self.events(self.post("call/generate", {"data": list(values)})["event_id"])[-1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        running = Site(tmp_path_factory.mktemp("site"), monkeypatch)
        yield running
        running.close()


def pixels_of(file: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(urllib.request.urlopen(file["url"], timeout=PATIENCE).read()))


def reference(studio: Studio, model: str, seed: int, steps: int) -> bytes:
    request = GenerationRequest.of(OBJECTS, seed, steps)
    return [still for _, still in studio.draw([Cell(model, request)])][-1].predicted.tobytes()


def test_a_call_gives_files_and_what_came_of_them(site: Site) -> None:
    kind, (result, sheet) = site.call(OBJECTS, 3, 5, "dpm", 2)
    assert kind == "complete"
    assert result["link"] == f"{site.address}/?{result['query']}"
    assert "objects=red-cube,blue-sphere&seed=3&steps=5" in result["query"]
    for model in ("ddpm", "acgan"):
        assert [one["seed"] for one in result[model]] == [3, 4]
        for one in result[model]:
            picture = pixels_of(one["file"])
            assert picture.tobytes() == reference(site.studio, model, one["seed"], 5)
            assert f"seed={one['seed']}" in picture.info["clevr-duel"]
            assert one["evaluations"] == 5
            assert one["verdict"]["counts"] == {"red cube": 1, "blue sphere": 1}
            assert one["verdict"]["found"][0] == {"name": "red cube", "row": 1.0, "column": 2.0, "confidence": 0.9}
            assert "timeline" not in one
    assert pixels_of(sheet).info["clevr-duel"] == result["query"]


def test_what_is_left_out_has_its_default(site: Site) -> None:
    kind, (result, _) = site.call(OBJECTS)
    assert kind == "complete"
    default = GenerationRequest.of(OBJECTS, 7)
    assert result["query"] == default.query({"ddpm": "00000000", "acgan": "11111111"})
    event = site.post("call/v2/generate", {"labels": OBJECTS, "seed": 7})["event_id"]
    assert site.events(event)[-1][1][0]["query"] == result["query"]


def test_the_timeline_comes_on_request(site: Site) -> None:
    _, (result, _) = site.call(OBJECTS, 3, 5, "dpm", 1, True)
    timeline = result["ddpm"][0]["timeline"]
    assert [step["stage"] for step in timeline["steps"]] == ["where"] * WHERE + ["what"] * 5
    assert timeline["steps"][-1]["sentence"] == "Both drawn, nothing else"
    assert pixels_of(timeline["strip"]).size == ((WHERE + 5) * 66 + 2, 2 * 66 + 2)


@pytest.mark.parametrize(
    ("values", "culprit"),
    [
        ([["red cub"]], "red cub"),
        ([[]], "no object"),
        ([], "object"),
        ([None], "object"),
        ([{"a": 1}], "object"),
        ([OBJECTS, "x"], "seed"),
        ([OBJECTS, -1], "seed"),
        ([OBJECTS, 1, 0], "steps"),
        ([OBJECTS, 1, 20, "euler"], "sampler"),
        ([OBJECTS, 1, 20, "dpm", 9], "pictures"),
        ([OBJECTS, 1, 1200, "dpm", 8], "1200 at most"),
        ([OBJECTS, 1, 20, "dpm", None], "pictures"),
    ],
)
def test_bad_input_is_one_sentence_that_names_the_culprit(site: Site, values: list[Any], culprit: str) -> None:
    kind, data = site.call(*values)
    assert kind == "error"
    assert culprit in data["error"]
    assert "\n" not in data["error"]


def test_everything_is_described(site: Site) -> None:
    with urllib.request.urlopen(f"{site.address}/gradio_api/info", timeout=PATIENCE) as answer:
        endpoints = json.load(answer)["named_endpoints"]
    assert list(endpoints) == ["/generate"]  # the page's own events are not for others
    parameters, returns = endpoints["/generate"]["parameters"], endpoints["/generate"]["returns"]
    assert [one["parameter_name"] for one in parameters] == [
        "labels",
        "seed",
        "steps",
        "sampler",
        "pictures",
        "timeline",
    ]
    assert all(one["parameter_has_default"] for one in parameters[1:])
    assert all(len(one["type"]["description"]) > 20 for one in parameters)
    result = returns[0]["type"]
    verdict = result["properties"]["ddpm"]["items"]["properties"]["verdict"]
    assert verdict["properties"]["counts"]["additionalProperties"] == {"type": "integer"}
    assert "timeline" not in result["properties"]["ddpm"]["items"]["required"]


def test_equal_calls_cost_one_draw_and_no_more_disk(site: Site) -> None:
    site.call(OBJECTS, 11)
    drawn, files = site.studio.gates["ddpm"].model.frames_drawn, len(list(site.folder.rglob("*.png")))  # type: ignore[attr-defined]
    site.call(OBJECTS, 11)
    assert site.studio.gates["ddpm"].model.frames_drawn == drawn  # type: ignore[attr-defined]
    assert len(list(site.folder.rglob("*.png"))) == files


def test_a_full_line_tells_how_long_it_is(site: Site) -> None:
    with contextlib.ExitStack() as waiting:
        for _ in range(MOST_WAITING + draws_at_once()):
            waiting.enter_context(site.line.place(work=20))
        site.call(OBJECTS, 11)  # what costs no draw does not wait
        kind, data = site.call(OBJECTS, 12)
    assert kind == "error"
    assert re.fullmatch(r"Busy: 6[45] ahead(, about \d+ m?s)?. Try again later.", data["error"])
    assert site.call(OBJECTS, 12)[0] == "complete"


def test_a_call_ends_when_the_caller_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path, monkeypatch, pause=0.05)
    try:
        event = site.post("call/generate", {"data": [OBJECTS, 1, 1200]})["event_id"]
        answer = urllib.request.urlopen(f"{site.address}/gradio_api/call/generate/{event}", timeout=PATIENCE)
        wait_until(lambda: site.studio.gates["ddpm"].model.frames_drawn > 0)  # type: ignore[attr-defined]
        answer.close()
        assert site.call(OBJECTS, 2, 4)[0] == "complete"
        ddpm: Any = site.studio.gates["ddpm"].model
        wait_until(lambda: ddpm.closed == 2)  # both draws have ended
        assert ddpm.frames_drawn < 1200
    finally:
        site.close()


def example(name: str, address: str) -> str:
    """The README's example of that name, for the running page."""
    block = (ROOT / "README.md").read_text(encoding="utf-8").partition(f"<!-- {name} -->\n```")[2].partition("```")[0]
    assert "127.0.0.1:7860" in block
    return block.partition("\n")[2].replace("http://127.0.0.1:7860", address)


def test_the_readmes_python_client_gets_local_files(site: Site) -> None:
    names: dict[str, Any] = {}
    exec(example("python client", site.address), names)
    result = names["result"]
    assert result["query"] == GenerationRequest.of(OBJECTS, 7).query({"ddpm": "00000000", "acgan": "11111111"})
    with Image.open(result["ddpm"][0]["file"]) as picture:
        assert picture.tobytes() == reference(site.studio, "ddpm", 7, DEFAULT_STEPS)
    assert Path(names["sheet"]).is_file()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_readmes_curl_call_gives_json(site: Site) -> None:
    script = example("curl", site.address)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=True)
    kind, _, data = done.stdout.strip().split("\n\n")[-1].partition("\ndata: ")
    assert kind == "event: complete"
    assert json.loads(data)[0]["ddpm"][0]["verdict"]["exact"] is True


@pytest.mark.skipif(importlib.util.find_spec("mcp") is None, reason="mcp is not installed")
def test_the_readmes_mcp_client_gets_pictures_as_images(site: Site) -> None:
    names: dict[str, Any] = {}
    exec(example("mcp", site.address), names)
    answer = asyncio.run(names["draw"]())
    assert "verdict" in answer.content[0].text
    picture = next(part for part in answer.content if part.type == "image")
    assert Image.open(io.BytesIO(base64.b64decode(picture.data))).width > 200


@pytest.mark.skipif(importlib.util.find_spec("mcp") is None, reason="mcp is not installed")
def test_an_mcp_client_is_told_what_the_tool_takes(site: Site) -> None:
    with urllib.request.urlopen(f"{site.address}/gradio_api/mcp/schema", timeout=PATIENCE) as answer:
        (tool,) = json.load(answer)
    assert tool["name"] == "generate"
    assert tool["inputSchema"]["required"] == ["labels"]
    assert "colour" in tool["inputSchema"]["properties"]["labels"]["description"]
