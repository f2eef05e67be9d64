"""Whether a browser draws what the server draws: python -m tests.browser.agree --requests 200

Starts the app (or takes one that runs, named by CLEVR_ADDRESS, with the weights of this folder), lets Chromium draw
requests of one to six objects, with and without given places, in 4 and in 20 steps, and compares every picture and
verdict with what this process draws of the same request. Prints how far values are apart, and what a picture takes.
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

from clevr_demo.request import MAX_SEED, GenerationRequest
from clevr_demo.serve.drawing import draw
from clevr_demo.serve.studio import Studio

LOADED = """async (query) => {
    await clevrEngine.want(query, false);
    return [clevrEngine.state.stage, clevrEngine.state.reason, clevrEngine.can(query, false)];
}"""
"""Gets what a request needs."""
DRAWN = "(query) => clevrEngine.draw(query, false)"
"""The run that the browser draws."""
TIMED = """async ([query, count]) => {
    const times = [];
    for (let seed = 0; seed < count; seed += 1) {
        const started = performance.now();
        await clevrEngine.draw(query.replace(/seed=\\d+/, `seed=${seed}`), true);
        times.push(performance.now() - started);
    }
    return times;
}"""
"""Milliseconds from what is moved to both pictures."""


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--runs", type=int, default=50, help="how many moves to time (default: 50)")
    chosen = parser.parse_args()
    from playwright.sync_api import sync_playwright
    from tqdm.auto import tqdm

    from tests.browser.conftest import CHROMIUM_ARGUMENTS, chromium_path, page_app

    studio, found, others = Studio.load(), [], 0
    with tempfile.TemporaryDirectory() as folder, page_app(Path(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS)
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.goto(address)
        page.wait_for_function("globalThis.clevrEngine")
        for request in tqdm(list(some_requests(chosen.requests)), desc="requests"):
            for off, ours, theirs in apart(page, studio, request):
                found.append(off)
                others += ours != theirs
        query = next(some_requests(5, 1)).query({})
        times = page.evaluate(TIMED, [query, chosen.runs])
        browser.close()
    off = np.array(found)
    print(f"{len(off)} pictures: values at most {off.max()} apart, {(off > 0).mean():.1e} of them differ at all")
    print(f"verdicts that differ: {others}")
    print(
        f"a move to both pictures: median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms of {len(times)}"
    )
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
