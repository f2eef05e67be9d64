"""How long a visitor waits, and what travels: python -m tests.browser.timings

Starts the app (or takes one that runs, named by CLEVR_ADDRESS), opens the page in Chromium, lets the showcase play and
draws with the default settings, each time from another seed. Prints the seconds from the click to the first frame and
to the end, the bytes of a draw, the layout shifts (CLS), the requests before the showcase moves, what the browser
complained of and when a slow line paints something; and the load of the machine, by which to judge them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tests.browser.conftest import CHROMIUM_ARGUMENTS, chromium_path, page_app
from tests.browser.helpers import STEP, WATCH_SHIFTS, set_number, stream_bytes, tick, wait_for_state

OBJECTS = ("red cube", "blue sphere", "green cylinder")
WATCH_A_RUN = """() => {
    const duel = document.querySelector('#duel .duel');
    const before = duel.dataset.run;
    const seen = (window.seen = {});
    document.querySelector('#generate').addEventListener('click', () => (seen.click = performance.now()),
        { once: true, capture: true });
    const look = () => {
        if (duel.dataset.run === before) return;
        seen.first ??= performance.now();
        if (duel.dataset.state === 'done') seen.end ??= performance.now();
    };
    new MutationObserver(look).observe(duel, { attributes: true });
}"""
"""Notes when Generate is clicked, when something of that run is shown and when it is done."""


def draw(page: Any, seed: int) -> tuple[float, float]:
    """Seconds from the click to the first frame and to the end."""
    set_number(page, "Seed", seed)
    page.evaluate(WATCH_A_RUN)
    before = page.locator("#duel .duel").get_attribute("data-run")
    page.locator("#generate").click()
    wait_for_state(page, "done", before)
    seen = page.evaluate("window.seen")
    return (seen["first"] - seen["click"]) / 1000, (seen["end"] - seen["click"]) / 1000


def visit(browser: Any, address: str, draws: int) -> None:
    """One visit, told in lines."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(WATCH_SHIFTS)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda entry: complaints.append(entry.text) if entry.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_selector("#duel .duel[data-state='showcase']")
    page.wait_for_function(f"{STEP} > 0")
    events = [url for url in asked if "/run/" in url or "/queue/join" in url]
    print(f"requests until the showcase moves: {len(asked)}, of them events of the page {len(events)}")
    page.wait_for_function("document.querySelector('#duel [data-go=play]').getAttribute('aria-label') === 'Play'")
    tick(page, *OBJECTS)
    draw(page, 100)  # the first one also warms what is behind the page
    print(f"layout shifts up to the end of the first draw: {page.evaluate('window.shifts'):.4f}")
    received = stream_bytes(page)
    times = []
    for seed in range(draws):
        page.wait_for_timeout(2000)  # the runner of the draw before has gone: the usual case
        times.append(draw(page, seed))
    for name, seconds in zip(("first frame", "end"), zip(*times, strict=True), strict=True):
        print(f"click to {name}: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s of {draws}")
    print(f"a draw of 20 steps: {received[0] / draws / 1000:.0f} kB")
    print(f"complaints of the browser: {complaints or 'none'}")
    context.close()


SLOW = {"offline": False, "latency": 100, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""A line of 50 kB a second and 100 ms, for Chromium."""


def visit_on_a_slow_line(browser: Any, address: str) -> None:
    """When something is painted there, and when the page is ready."""
    page = browser.new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#duel .duel[data-state='showcase']", timeout=120_000)
    ready = page.evaluate("performance.now() / 1000")
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
    print(f"on a line of 50 kB/s: first paint {painted:.2f} s, ready {ready:.1f} s")
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10, help="how many draws to time")
    draws = parser.parse_args().draws
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, page_app(Path(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS)
        print(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
        visit_on_a_slow_line(browser, address)
        visit(browser, address, draws)
        print(f"load after {os.getloadavg()[0]:.1f}")
        browser.close()


if __name__ == "__main__":
    main()
