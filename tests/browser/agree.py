"""Whether a browser draws what the server draws: python -m tests.browser.agree --requests 200 --runs 1000

Starts the app (or takes one that runs, named by CLEVR_ADDRESS, with the weights of this folder), lets Chromium draw
requests of one to six objects, with and without given places, in 4 and in 20 steps, and compares every picture and
verdict with what this process draws of the same request. Then one tab draws as for that many moves of a drag. Prints
how far values are apart, what a move takes, and what the tab's process holds after every hundred of them.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import random
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from clevr_demo.request import MAX_SEED, GenerationRequest
from clevr_demo.serve.drawing import draw
from clevr_demo.serve.studio import Studio
from tests.serving import cpu_seconds, resident

LOADED = """async (query) => {
    await clevrEngine.want(query, false);
    return [clevrEngine.state.stage, clevrEngine.state.reason, clevrEngine.can(query, false)];
}"""
"""Gets what a request needs."""
DRAWN = "(query) => clevrEngine.draw(query, false)"
"""The run that the browser draws."""
TIMED = """async ([query, first, count]) => {
    const times = [];
    for (let seed = first; seed < first + count; seed += 1) {
        const started = performance.now();
        await clevrEngine.draw(query.replace(/seed=\\d+/, `seed=${seed}`), true);
        times.push(performance.now() - started);
    }
    return times;
}"""
"""Milliseconds from what is moved to both pictures, seed by seed."""
EVERY = 100
"""Moves between two looks at what a tab holds."""


def some_requests(count: int, start: int = 0) -> Iterator[GenerationRequest]:
    """Of one to six objects, of which none, one or all are given places, in 4 and in 20 steps in turn."""
    pick = random.Random(start)
    for number in range(count):
        objects = pick.sample(range(24), 1 + number % 6)
        given = pick.sample(objects, [0, 1, len(objects)][number // 2 % 3])
        places = {one: (pick.randint(30, 90) / 2, pick.randint(20, 106) / 2) for one in given}
        yield GenerationRequest.of(objects, pick.randint(0, MAX_SEED), (4, 20)[number % 2], places=places)


def levels(frame: dict[str, Any]) -> np.ndarray:
    """A frame's picture, (64, 64, 3)."""
    with Image.open(io.BytesIO(base64.b64decode(frame["x0"]))) as image:
        return np.asarray(image.convert("RGB"), dtype=int)


def apart(page: Any, studio: Studio, request: GenerationRequest) -> Iterator[tuple[np.ndarray, str, str]]:
    """How far each contender's picture of the browser's is off this process's, and what is said of both."""
    query = studio.query(request)
    stage, reason, can = page.evaluate(LOADED, query)
    assert (stage, can) == ("ready", True), reason
    mine, theirs = page.evaluate(DRAWN, query), list(draw(studio, request, lambda: False))[-1].payload()
    for one in studio.duel(request):
        ours, wanted = (run["pairs"][0][one.name]["last"] for run in (mine, theirs))
        yield np.abs(levels(ours) - levels(wanted)), ours["told"], wanted["told"]


def agreement(page: Any, studio: Studio, count: int) -> None:
    """Prints how far so many requests' pictures and verdicts are apart."""
    found, others = [], 0
    for request in tqdm(list(some_requests(count)), desc="requests"):
        for off, ours, theirs in apart(page, studio, request):
            found.append(off)
            others += ours != theirs
    off = np.array(found)
    print(f"{len(off)} pictures: values at most {off.max()} apart, {(off > 0).mean():.1e} of them differ at all")
    print(f"verdicts that differ: {others}")


def process_of(browser: Any) -> int:
    """The process of the tab: of all that show pages the one that has computed most."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return max((one for one in told if one["type"] == "renderer"), key=lambda one: one["cpuTime"])["id"]


def endurance(browser: Any, page: Any, count: int) -> None:
    """Prints what so many moves in one tab take, and what it holds on the way, garbage collected."""
    query, times = next(some_requests(5, 1)).query({}), list[float]()
    page.evaluate(LOADED, query)
    page.evaluate(TIMED, [query, 0, 1])
    pid = process_of(browser)
    started = cpu_seconds(pid)
    for first in range(0, count, EVERY):
        times += page.evaluate(TIMED, [query, first, min(EVERY, count - first)])
        for thread in (page, *page.workers):
            thread.evaluate("gc()")
        print(f"the tab's process after {len(times)} moves: {resident(pid):.0f} MB", flush=True)
    spent = (cpu_seconds(pid) - started) / len(times)
    print(f"a move to both pictures: median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms")
    print(f"processor time of the tab's process: {1000 * spent:.0f} ms a move")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--runs", type=int, default=50, help="how many moves (default: 50)")
    chosen = parser.parse_args()
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM_ARGUMENTS, chromium_path, page_app

    arguments = [*CHROMIUM_ARGUMENTS, "--js-flags=--expose-gc"]
    with tempfile.TemporaryDirectory() as folder, page_app(Path(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=arguments)
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.goto(address)
        page.wait_for_function("globalThis.clevrEngine")
        if chosen.requests:
            agreement(page, Studio.load(), chosen.requests)
        if chosen.runs:
            endurance(browser, page, chosen.runs)
        browser.close()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
