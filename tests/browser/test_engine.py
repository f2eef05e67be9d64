"""The browser draws by itself: the server's pixels, without the server, and the server where that cannot be."""

from __future__ import annotations

import contextlib
import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clevr_demo.checkpoints import ROOT
from clevr_demo.engine import RUNTIME, RUNTIME_FILES
from clevr_demo.judge.evaluator import load_evaluator
from clevr_demo.models import Contender
from clevr_demo.serve import kit
from clevr_demo.serve.drawing import draw
from clevr_demo.serve.gate import Gate, draws_at_once
from clevr_demo.serve.queue import WaitingLine
from clevr_demo.serve.studio import Studio
from clevr_demo.ui import build_demo, server
from clevr_demo.ui.widgets import ASSETS
from tests.browser.agree import DRAWN, LOADED, apart, some_requests
from tests.browser.helpers import faults, tick
from tests.browser.test_firefox import browser
from tests.browser.test_hands import CALM, LINK, drag, drawn, grip, middle, on_canvas, query_shown
from tests.graphs import written

__all__ = ["browser"]
HEAVY = (".onnx", ".wasm")
BY_BROWSER = "Drawn by this browser, nothing is sent"
PREVIEWS = """() => {
    const { duel } = document.querySelector('#duel .duel');
    const preview = duel.preview;
    window.painters = [];
    duel.preview = (run) => { window.painters.push(run.by ?? 'server'); preview(run); };
}"""
"""Keeps who painted what was moved, in order."""


@pytest.fixture(scope="module")
def studio() -> Studio:
    """With the weights that ship, where their graphs do; else with tiny ones."""
    if list(ROOT.glob("ddpm/*.onnx")):
        return Studio.load()
    gates = {name: Gate(one, one.load) for name in ("ddpm", "acgan") for one in [Contender(name, name, written(name))]}
    return Studio(gates, load_evaluator(written("classifier"), "cpu", written("detector")))


def kit_of(studio: Studio) -> kit.Kit:
    """What its browsers draw with; skipped where that is not installed."""
    if not all((ROOT.parent / RUNTIME / name).is_file() for name in RUNTIME_FILES.values()):
        pytest.skip("the runtime for browsers is not installed: npm ci")
    shipped = studio.contenders["ddpm"].path is None
    return kit.Kit(studio, ASSETS / "engine") if shipped else kit.Kit(studio, ASSETS / "engine", judge=written)


@pytest.fixture(scope="module")
def line() -> WaitingLine:
    """Of the server below."""
    return WaitingLine(draws_at_once())


@pytest.fixture(scope="module")
def address(studio: Studio, line: WaitingLine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, in this process."""
    supplied = kit_of(studio)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clevr_demo.ui.page.WaitingLine", lambda width: line)
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("engine")))
        demo = build_demo(studio)
        demo.kit = supplied  # type: ignore[attr-defined]
        yield server.start(demo).rstrip("/")
        server.stop(demo, studio)


def with_engine(page: Any) -> Any:
    page.wait_for_function("globalThis.clevrEngine")
    return page


def ready(page: Any) -> None:
    page.wait_for_function("['ready', 'off'].includes(clevrEngine.state.stage)")
    assert page.evaluate("[clevrEngine.state.stage, clevrEngine.state.reason]") == ["ready", ""]


def move(page: Any, row: float, column: float) -> None:
    """Takes the red cube to a place, and holds it there until a scene is painted."""
    page.evaluate(PREVIEWS)
    drag(page, middle(grip(page, "red cube")), on_canvas(page, row, column), moves=4)
    page.wait_for_function("window.painters.length > 0")


def below(page: Any) -> str:
    return page.locator("#duel .by").inner_text()


def agree(page: Any, studio: Studio) -> None:
    """A dozen requests drawn by a page's browser and in this process."""
    found = []
    for request in some_requests(12):
        for off, ours, theirs in apart(page, studio, request):
            assert ours == theirs, request
            found.append(off)
    assert np.max(found) <= 1
    assert np.mean(np.array(found) > 0) <= 1 / 2000


def test_the_browser_draws_and_judges_as_the_server_does(open_page: Callable[..., Any], studio: Studio) -> None:
    agree(with_engine(open_page()), studio)


def test_firefox_draws_and_judges_as_the_server_does(
    browser: Any,
    address: str,
    studio: Studio,  # noqa: F811
) -> None:
    browser.open(f"{address}/")
    browser.wait("globalThis.clevrEngine && document.querySelector('#duel .duel')")
    agree(browser, studio)
    assert faults(browser.complaints) == []


OWN = ("key", "by", "ms", "seconds", "cost", "x0", "xt", "found")
"""What no two runs have alike: times, pictures that the server packs with loss, and likelihoods, of which a digit may
be rounded the other way."""


def common(value: Any, near: Callable[[float], Any] = float) -> Any:
    """A run without those."""
    if isinstance(value, dict):
        return {name: common(one, near) for name, one in value.items() if name not in OWN}
    if isinstance(value, list):
        return [common(one, near) for one in value]
    return near(value) if isinstance(value, float) else value


def test_a_run_says_what_the_servers_says(open_page: Callable[..., Any], studio: Studio) -> None:
    page = with_engine(open_page())
    for request in list(some_requests(6, 2))[3:5]:
        query = studio.query(request)
        page.evaluate(LOADED, query)
        ours, theirs = page.evaluate(DRAWN, query), list(draw(studio, request, lambda: False))[-1].payload()
        assert ours.keys() - {"by"} == theirs.keys()
        assert common(ours) == common(theirs, lambda value: pytest.approx(value, abs=0.11))


def test_what_is_dragged_is_drawn_here_also_without_a_network(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK.replace("steps=6", "steps=4"), **CALM)
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    sizes: list[int] = []

    def weigh(request: Any) -> None:
        if "/engine/" in request.url:
            sizes.append(request.sizes()["responseBodySize"])

    page.context.on("requestfinished", weigh)
    drawn(page)
    assert below(page) == "Drawn by the server"
    assert not [url for url in asked if "/engine/" in url], "nothing of it before it is wanted"
    move(page, 40, 40)
    ready(page)
    assert 0 < sum(sizes) < 21e6
    page.mouse.up()
    drawn(page, "red-cube:40:40")
    got = [url for url in asked if url.endswith(HEAVY)]
    assert len(got) == len(set(got)) > 3
    page.wait_for_function("clevrEngine.can(document.querySelector('#duel .duel').dataset.query, false)")
    page.context.set_offline(True)
    move(page, 38, 26)
    assert page.evaluate("window.painters") == ["browser"] * len(page.evaluate("window.painters"))
    page.mouse.up()
    drawn(page, "red-cube:38:26")
    assert below(page) == BY_BROWSER
    page.context.set_offline(False)


def test_a_second_visit_gets_nothing_again_and_clicks_are_drawn_here(open_page: Callable[..., Any]) -> None:
    page = open_page(LINK, **CALM)
    drawn(page)
    page.get_by_label("Draw as I click").check()
    ready(page)
    again = page.context.new_page()
    asked: list[str] = []
    again.on("request", lambda request: asked.append(request.url))
    again.goto(page.url)
    drawn(again)
    again.get_by_label("Draw as I click").check()
    ready(again)
    assert [url for url in asked if url.endswith("manifest.json")]
    assert not [url for url in asked if url.endswith(HEAVY)]
    again.wait_for_function("document.querySelector('#steps input').value === '4'")
    tick(again, "gray cube")
    drawn(again, "gray-cube")
    assert below(again) == BY_BROWSER
    assert "steps=4" in query_shown(again)
    assert "gray-cube" in again.url


def flipped(route: Any) -> None:
    content = bytearray(route.fetch().body())
    content[len(content) // 2] ^= 1
    route.fulfill(body=bytes(content))


def other_pixels(route: Any) -> None:
    manifest = route.fetch().json()
    black = "A" * len(manifest["check"]["pictures"]["acgan"])
    manifest["check"]["pictures"]["acgan"] = black[: len(black) - len(black) % 4]
    route.fulfill(json=manifest)


def without_runtime(route: Any) -> None:
    route.fulfill(json={"missing": "Not here."})


def without_wasm(route: Any) -> None:
    answer = route.fetch()
    policy = {"content-security-policy": "script-src 'self' blob:; connect-src 'self'"}
    route.fulfill(response=answer, headers=answer.headers | policy)


FAULTS: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "runtime missing": ("**/engine/manifest.json", without_runtime, "Not here"),
    "corrupted graph": ("**/engine/*/*.onnx", flipped, "damaged on its way"),
    "wasm forbidden": ("**/engine/*/worker.js", without_wasm, "WebAssembly"),
    "other pixels": ("**/engine/manifest.json", other_pixels, "levels off"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_where_the_engine_fails_the_server_draws_and_it_is_said_once(fault: str, open_page: Callable[..., Any]) -> None:
    where, broken, says = FAULTS[fault]
    page = open_page(LINK, **CALM)
    warned: list[str] = []
    page.on("console", lambda entry: warned.append(entry.text) if "engine" in entry.text else None)
    page.context.route(where, broken)
    drawn(page)
    move(page, 40, 40)
    page.wait_for_function("clevrEngine.state.stage === 'off'")
    assert says in below(page)
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.mouse.up()
    drawn(page, "red-cube:40:40")
    move(page, 38, 26)
    assert set(page.evaluate("window.painters")) == {"server"}
    page.mouse.up()
    drawn(page, "red-cube:38:26")
    assert not [url for url in asked if "/engine/" in url], "a failure is final"
    assert len(warned) == 1
    assert says in warned[0]


@contextlib.contextmanager
def busy(line: WaitingLine, seconds: float) -> Iterator[None]:
    """Others are being drawn, for so long as it seems to whoever comes."""
    pace, line.pace = line.pace, 1.0
    with contextlib.ExitStack() as turns:
        for _ in range(line.width):
            turns.enter_context(line.turn(work=seconds))
        yield
    line.pace = pace


def waits(page: Any, line: WaitingLine) -> None:
    page.locator("#duel .duel-summary").get_by_text("1 ahead of you, about").wait_for()
    assert line.crowded


SAID = """new MutationObserver(() => {
    const told = document.querySelector('#duel .by')?.textContent;
    if (told && window.said.at(-1) !== told) window.said.push(told);
}).observe(((window.said = []), document), { subtree: true, childList: true });"""
"""Keeps what stood below the pictures, in order."""


def test_who_joins_a_long_line_leaves_it_for_an_engine_of_their_own(
    open_page: Callable[..., Any], line: WaitingLine
) -> None:
    with busy(line, 30):
        page = open_page(LINK.replace("seed=7", "seed=8"), SAID, **CALM)  # what is drawn already waits for nothing
        drawn(page)
        assert not line.crowded, "the line is left"
        assert page.locator("#generate").is_visible()
        page.wait_for_function("window.said.at(-1) === 'Drawn by this browser, as the server was busy'")
        said = page.evaluate("window.said")
        assert any(re.fullmatch(r"Many wait .* painters: \d+ of \d+ MB", one) for one in said), said
        assert query_shown(page) in page.url
        tick(page, "gray cube")
        page.locator("#generate").click()
        drawn(page, "gray-cube")
        assert below(page) == BY_BROWSER


def test_a_short_line_gets_nobody_an_engine(open_page: Callable[..., Any], line: WaitingLine) -> None:
    with busy(line, 3):
        page = open_page(LINK.replace("seed=7", "seed=9"), **CALM)
        waits(page, line)
        page.wait_for_timeout(1500)  # told a few times
        assert page.evaluate("clevrEngine.state.stage") == "none"
    drawn(page)
    assert below(page) == "Drawn by the server"


def test_who_saves_data_is_offered_an_engine(open_page: Callable[..., Any], line: WaitingLine) -> None:
    page = open_page(script="Object.defineProperty(navigator, 'connection', { value: { saveData: true } });", **CALM)
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    offer = page.locator("#duel .by button")
    tick(page, "red cube")
    with busy(line, 30):
        page.locator("#generate").click()
        offer.wait_for()
        page.locator("#stop").click()
        offer.wait_for(state="detached")
        page.locator("#generate").click()
        offer.wait_for()
        assert re.fullmatch(r"Many wait for the server\.\s+Draw in this browser: \d+ MB, once", below(page))
        assert not [url for url in asked if url.endswith(HEAVY)]
        offer.click()
        drawn(page, "red-cube")
    assert below(page) == "Drawn by this browser, as the server was busy"


def test_without_a_runtime_one_waits_for_ones_turn_without_a_word(
    open_page: Callable[..., Any], line: WaitingLine
) -> None:
    with busy(line, 30):
        page = open_page(**CALM)
        page.context.route("**/engine/manifest.json", without_runtime)
        tick(page, "red cube")
        with page.expect_response("**/engine/manifest.json"):
            page.locator("#generate").click()
        waits(page, line)
        assert page.evaluate("clevrEngine.state.stage") == "none"
    drawn(page, "red-cube")
    assert below(page) == "Drawn by the server"


def test_addresses_of_the_engine_may_be_kept_for_good(address: str, tmp_path: Path) -> None:
    with urllib.request.urlopen(f"{address}/engine/manifest.json") as answer:
        manifest, mark = json.load(answer), answer.headers["etag"]
    for file in (*manifest["runtime"].values(), *manifest["models"]["acgan"]["graphs"].values()):
        asked = urllib.request.Request(f"{address}/engine/{file['url']}", headers={"accept-encoding": "gzip"})
        with urllib.request.urlopen(asked) as answer:
            assert "immutable" in answer.headers["cache-control"]
            assert answer.headers["content-encoding"] == "gzip"
            assert file["sha256"].startswith(file["url"].partition("/")[0])
            assert answer.headers["content-type"].startswith(tuple(kit.KINDS.values()))
    again = urllib.request.Request(f"{address}/engine/manifest.json", headers={"if-none-match": mark})
    with pytest.raises(urllib.error.HTTPError, match="304"):
        urllib.request.urlopen(again)
