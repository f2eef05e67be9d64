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
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from clevr_demo.request import DEFAULT_STEPS, GenerationRequest
from clevr_demo.serve.gate import draws_at_once
from clevr_demo.serve.queue import WaitingLine
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.ui import build_demo, server
from clevr_demo.ui.endpoint import MOST_WAITING
from tests.conftest import wait_until
from tests.fakes import WHERE, fake_studio
from tests.serving import free_port, get, post

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
        monkeypatch.setattr("clevr_demo.ui.page.WaitingLine", lambda width: self.kept(WaitingLine(width)))
        self.demo = build_demo(self.studio)
        self.address = server.start(self.demo, free_port()).rstrip("/")

    def kept(self, line: WaitingLine) -> WaitingLine:
        self.line = line
        return line

    def close(self) -> None:
        server.stop(self.demo, self.studio)

    def post(self, path: str, body: Any, headers: Mapping[str, str] = {}) -> Any:
        return json.loads(post(self.address, path, body, headers))

    def events(self, event: str) -> list[tuple[str, Any]]:
        """(kind, data) of everything that comes of a call."""
        blocks = get(self.address, f"call/generate/{event}").decode().strip().split("\n\n")
        pairs = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]
        return [(pair["event"], json.loads(pair["data"])) for pair in pairs]

    def call(self, *values: Any) -> tuple[str, Any]:
        """How a plain HTTP call ended."""
        return self.events(self.post("call/generate", {"data": list(values)})["event_id"])[-1]

    def call_named(self, fields: dict[str, Any]) -> tuple[str, Any]:
        """The same with named fields."""
        return self.events(self.post("call/v2/generate", fields)["event_id"])[-1]


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
    assert site.call_named({"labels": OBJECTS, "seed": 7})[1][0]["query"] == result["query"]


def test_places_are_drawn_at_and_told(site: Site) -> None:
    kind, (result, _) = site.call(OBJECTS, 3, 2, "dpm", 1, False, {"red cube": [30.4, 12], "blue sphere": [30, 14]})
    assert kind == "complete"
    placed = [
        {"name": "red cube", "row": 30.5, "column": 12.0, "given": True},
        {"name": "blue sphere", "row": 30.0, "column": 14.0, "given": True},
    ]
    assert result["ddpm"][0]["places"] == result["acgan"][0]["places"] == placed
    assert result["query"].startswith("v=2&")
    assert "&at=red-cube:30.5:12,blue-sphere:30:14&" in pixels_of(result["ddpm"][0]["file"]).info["clevr-duel"]
    assert result["notice"].startswith("Places given to the red cube and the blue sphere are nearer to each other")
    _, (result, _) = site.call(OBJECTS, 3, 2, "dpm", 1, False, {"red cube": [30, 12]})
    assert [one["given"] for one in result["ddpm"][0]["places"]] == [True, False]
    assert result["notice"] == ""
    assert all("given" not in one for one in site.call(OBJECTS, 3, 2)[1][0]["ddpm"][0]["places"])


def test_a_source_of_noise_has_a_seed_of_its_own(site: Site) -> None:
    _, (result, _) = site.call(OBJECTS, 3, 2, "dpm", 1, False, None, '{"pixels": 5, "grain": 6}')
    assert "seed-grain=6&seed-pixels=5" in result["query"]
    assert "seed-pixels=5" in pixels_of(result["ddpm"][0]["file"]).info["clevr-duel"]


def test_the_timeline_comes_on_request(site: Site) -> None:
    _, (result, _) = site.call(OBJECTS, 3, 5, "dpm", 1, True)
    timeline = result["ddpm"][0]["timeline"]
    assert [step["stage"] for step in timeline["steps"]] == ["where"] * WHERE + ["what"] * 5
    assert timeline["steps"][-1]["sentence"] == "Both drawn, nothing else"
    assert pixels_of(timeline["strip"]).size == ((WHERE + 5) * 66 + 2, 2 * 66 + 2)


BAD: list[tuple[list[Any], str]] = [
    ([["red cub"]], "labels: unknown object 'red cub'"),
    ([[]], "labels: no object"),
    ([None], "labels: objects must be a list"),
    ([{"a": 1}], "labels: objects must be a list"),
    (['{"a": 1}'], "labels: objects must be a list"),
    (['["red cub"]'], "labels: unknown object 'red cub'"),
    (['["red cube"'], "labels: unknown object"),
    ([["red cube", None]], "labels: an object is a name or an index"),
    ([OBJECTS, "x"], "seed must be a whole number"),
    ([OBJECTS, -1], "seed must be between"),
    ([OBJECTS, [1]], "seed must be a whole number"),
    ([OBJECTS, 1, 0], "steps must be between"),
    ([OBJECTS, 1, True], "steps must be a whole number"),
    ([OBJECTS, 1, 20, "euler"], "unknown sampler 'euler'"),
    ([OBJECTS, 1, 20, 4], "unknown sampler 4"),
    ([OBJECTS, 1, 20, "dpm", 9], "pictures must be between"),
    ([OBJECTS, 1, 1200, "dpm", 8], "steps times pictures may be 1200 at most"),
    ([OBJECTS, 1, 20, "dpm", 1, "maybe"], "timeline must be true or false, not 'maybe'"),
    ([OBJECTS, 1, 20, "dpm", 1, 2], "timeline must be true or false, not 2"),
    ([OBJECTS, 1, 20, "dpm", 1, []], "timeline must be true or false, not []"),
    ([OBJECTS, 1, 20, "dpm", 1, False, {"red cub": [1, 2]}], "unknown object 'red cub'; did you mean 'red cube'?"),
    (
        [OBJECTS, 1, 20, "dpm", 1, False, {"gray cube": [1, 2]}],
        "the gray cube has a place but is not among the objects",
    ),
    ([OBJECTS, 1, 20, "dpm", 1, False, {"red cube": [1, 64]}], "the place of the red cube lies outside the picture"),
    ([OBJECTS, 1, 20, "dpm", 1, False, {"red cube": 7}], "the place of the red cube must be two numbers"),
    ([OBJECTS, 1, 20, "dpm", 1, False, '{"red cube": [NaN, 7]}'], "the place of the red cube must be two numbers"),
    ([OBJECTS, 1, 20, "dpm", 1, False, [1, 2]], "places must be given as {object: (row, column)}, not [1, 2]"),
    ([OBJECTS, 1, 20, "dpm", 1, False, None, {"hue": 3}], "unknown source of noise 'hue'; choose from places, looks,"),
    ([OBJECTS, 1, 20, "dpm", 1, False, None, {"pixels": -3}], "seeds must be between 0 and 2147483647, not -3"),
]
FIELDS = ["labels", "seed", "steps", "sampler", "pictures", "timeline", "places", "seeds"]


def named(values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(FIELDS, values, strict=False))


def by_agent(site: Site, fields: dict[str, Any]) -> Any:
    """What an MCP client is told."""
    mcp = pytest.importorskip("mcp")
    from mcp.client.streamable_http import streamablehttp_client

    async def told() -> Any:
        address = f"{site.address}/gradio_api/mcp/"
        async with streamablehttp_client(address) as (read, write, _), mcp.ClientSession(read, write) as session:
            await session.initialize()
            return await session.call_tool("generate", fields)

    return asyncio.run(told())


def assert_one_sentence(told: str, culprit: str) -> None:
    assert told.startswith(culprit)
    assert "\n" not in told
    assert len(told) < 250


@pytest.mark.parametrize(("values", "culprit"), BAD)
def test_bad_input_is_one_sentence_that_names_the_field(site: Site, values: list[Any], culprit: str) -> None:
    for kind, data in (site.call(*values), site.call_named(named(values))):
        assert kind == "error"
        assert_one_sentence(data["error"], culprit)


def test_python_clients_are_told_the_same(site: Site) -> None:
    client = Client(site.address, verbose=False)
    for values, culprit in BAD[::4]:
        with pytest.raises(AppError) as caught:
            client.predict(*values, api_name="/generate")
        assert_one_sentence(str(caught.value), culprit)


@pytest.mark.skipif(importlib.util.find_spec("mcp") is None, reason="mcp is not installed")
def test_agents_are_told_the_same(site: Site) -> None:
    for values, culprit in BAD[::4]:
        answer = by_agent(site, named(values))
        assert answer.isError
        assert_one_sentence(answer.content[0].text, culprit)
    for fields, sentence in MISNAMED:
        assert by_agent(site, fields).content[0].text == sentence


def test_nothing_at_all_is_no_object(site: Site) -> None:
    assert_one_sentence(site.call()[1]["error"], "labels: ")


@pytest.mark.parametrize("more", [[1], [None], ["a", "b"]])
def test_a_value_too_many_is_not_overlooked(site: Site, more: list[Any]) -> None:
    kind, data = site.call(OBJECTS, 1, 20, "dpm", 1, False, None, None, *more)
    assert kind == "error"
    assert data["error"] == f"{8 + len(more)} values were given; generate takes 8: {', '.join(FIELDS)}"


KNOWN = f"known are {', '.join(FIELDS)}"
MISNAMED: list[tuple[dict[str, Any], str]] = [
    ({"labels": OBJECTS, "sed": 1}, f"unknown field 'sed'; {KNOWN}"),
    ({"objects": OBJECTS}, f"unknown field 'objects'; {KNOWN}"),
    ({"labels": OBJECTS, "Seed": 1}, f"unknown field 'Seed'; {KNOWN}"),
    ({"seed": 1}, "the field labels is missing"),
    ({}, "the field labels is missing"),
]


@pytest.mark.parametrize(("fields", "sentence"), MISNAMED)
def test_a_misspelt_or_missing_field_is_named(site: Site, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        site.call_named(fields)
    assert caught.value.code == 422
    assert json.load(caught.value) == {"detail": sentence}


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        (['["red cube", "blue sphere"]'], [OBJECTS]),
        (["[1, 10]"], [OBJECTS]),
        (["red cube, blue sphere"], [OBJECTS]),
        ([OBJECTS, "11"], [OBJECTS, 11]),
        ([OBJECTS, None, None, None, None, None], [OBJECTS]),
        ([OBJECTS, 3, None, "ddim"], [OBJECTS, 3, DEFAULT_STEPS, "ddim"]),
        ([OBJECTS, 3, 5.0, "dpm", "2", "false"], [OBJECTS, 3, 5, "dpm", 2, False]),
        ([OBJECTS, 3, 5, "dpm", 1, "False"], [OBJECTS, 3, 5]),
        ([OBJECTS, 3, 5, "dpm", 1, 0], [OBJECTS, 3, 5]),
        ([OBJECTS, 3, 5, "dpm", 1, "true"], [OBJECTS, 3, 5, "dpm", 1, True]),
        ([OBJECTS, 3, 5, "dpm", 1, False, {}], [OBJECTS, 3, 5]),
        ([OBJECTS, 3, 5, "dpm", 1, False, "null"], [OBJECTS, 3, 5]),
        (
            [OBJECTS, 3, 5, "dpm", 1, False, '{"Red-Cube": [30.4, 12.1]}'],
            [OBJECTS, 3, 5, "dpm", 1, False, {"red cube": [30.5, 12]}],
        ),
    ],
)
def test_what_clients_really_send_is_understood(site: Site, values: list[Any], meant: list[Any]) -> None:
    expected = site.call(*meant)
    assert expected[0] == "complete"
    assert site.call(*values) == expected
    assert site.call_named(named(values)) == expected


@pytest.mark.skipif(importlib.util.find_spec("mcp") is None, reason="mcp is not installed")
def test_an_agent_is_understood_and_answered_in_json(site: Site) -> None:
    expected = site.call(OBJECTS, 3, 5)[1][0]
    for fields in (
        {"labels": OBJECTS, "seed": 3, "steps": 5},
        {"labels": json.dumps(OBJECTS), "seed": "3", "steps": 5, "pictures": None, "timeline": "false"},
    ):
        text, picture = by_agent(site, fields).content[:2]
        assert json.loads(text.text) == expected
        assert picture.type == "image"


VISITED = [
    ({"Host": "duel.example"}, "http://duel.example"),
    ({"Host": "duel.example", "X-Forwarded-Port": "8080"}, "http://duel.example:8080"),
    ({"Host": "duel.example:8080"}, "http://duel.example:8080"),
    ({"X-Forwarded-Host": "duel.example", "X-Forwarded-Proto": "https"}, "https://duel.example"),
    (
        {"X-Forwarded-Host": "duel.example", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443"},
        "https://duel.example:8443",
    ),
    ({"X-Forwarded-Host": "duel.example:8080", "X-Forwarded-Port": "80"}, "http://duel.example:8080"),
]
"""What a proxy adds, and where the visitor is."""


@pytest.mark.parametrize("prefix", ["", "/duel"])
def test_behind_a_proxy_every_address_is_the_visitors(
    prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that takes `prefix` off the path; GRADIO_ROOT_PATH names it, as Gradio says."""
    monkeypatch.setenv("GRADIO_ROOT_PATH", prefix)
    site = Site(tmp_path, monkeypatch)
    site.address = site.address.removesuffix(prefix)
    try:
        for headers, visited in VISITED:
            for call in ("call/generate", "call/v2/generate"):
                body = {"data": [OBJECTS]} if call == "call/generate" else {"labels": OBJECTS}
                result, sheet = site.events(site.post(call, body, headers)["event_id"])[-1][1]
                assert result["link"] == f"{visited}{prefix}/?{result['query']}"
                for file in (sheet, result["ddpm"][0]["file"], result["acgan"][0]["file"]):
                    assert file["url"].startswith(f"{visited}{prefix}/gradio_api/file=")
        inside = sheet["url"].replace(f"{visited}{prefix}", site.address)
        assert pixels_of({"url": inside}).info["clevr-duel"] == result["query"]
        page = urllib.request.Request(f"{site.address}/config", headers=headers)
        with urllib.request.urlopen(page, timeout=PATIENCE) as answer:
            assert json.load(answer)["root"] == f"{visited}{prefix}"
    finally:
        site.close()


MEANINGS = {
    "labels": 'objects such as "red cube": a colour (gray, red, blue, green, brown, purple, cyan, yellow) and a shape '
    "(cube, sphere, cylinder).",
    "seed": "the noise to start from, 0 to 2147483647; picture i has seed + i.",
    "steps": "the DDPM's denoising steps, 1 to 1200; 4 are fast, drawn by a painter distilled for them, 20 are the "
    "best.",
    "sampler": "the DDPM's sampler: dpm, unipc, ddim or ddpm.",
    "pictures": "pictures a model, 1 to 8; steps times pictures may be 1200 at most.",
    "timeline": "whether every picture comes with the way to it, as a film strip and the judge's words.",
    "places": "where some or all of the objects are to stand: an object's name to its row and column in pixels of the "
    "64x64 picture, 0 to 63; the models place the others around them.",
    "seeds": "seeds of single sources of noise, where they are not to be `seed`: places, looks, light and grain of the "
    "ACGAN, places and pixels of the DDPM.",
}


def test_everything_is_described(site: Site) -> None:
    with urllib.request.urlopen(f"{site.address}/gradio_api/info", timeout=PATIENCE) as answer:
        endpoints = json.load(answer)["named_endpoints"]
    assert list(endpoints) == ["/generate"]  # the page's own events are not for others
    parameters, returns = endpoints["/generate"]["parameters"], endpoints["/generate"]["returns"]
    assert [one["parameter_name"] for one in parameters] == list(MEANINGS)
    assert endpoints["/generate"]["description"] == (
        "Draws a set of objects with a DDPM and an ACGAN and lets an independent judge say what it sees in each "
        "picture. Equal calls give equal pictures."
    )
    assert all(one["parameter_has_default"] for one in parameters[1:])
    assert [one["type"]["description"] for one in parameters] == list(MEANINGS.values())
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
            waiting.enter_context(site.line.turn(work=20))
        site.call(OBJECTS, 11)  # what costs no draw does not wait
        kind, data = site.call(OBJECTS, 12)
    assert kind == "error"
    assert re.fullmatch(r"Busy: 6[45] ahead(, about [\d.]+ m?s)?. Try again later.", data["error"])
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
    properties = tool["inputSchema"]["properties"]
    assert {name: one["description"] for name, one in properties.items()} == MEANINGS
    assert tool["description"].endswith(
        "Returns: Files, costs, places and verdicts of both models' pictures, with the link that shows them; and one "
        "sheet of all pictures, enlarged: the DDPM's above the ACGAN's."
    )
