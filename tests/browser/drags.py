"""How long a scene takes to follow a hand, alone and with others: python -m tests.browser.drags

Starts the app (or takes one that runs, named by CLEVR_ADDRESS) and drags an object in Chromium with real pointer
events. Prints the milliseconds from a move to both repainted pictures in four steps, each move made when the one before
is painted; then lets several pages drag at once, and says whether each ends with the pictures that its link draws in a
fresh context, and what the browsers complained of. The load of the machine, by which to judge it, stands beside.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tests.browser.conftest import CHROMIUM_ARGUMENTS, PATIENCE, chromium_path, page_app
from tests.browser.helpers import faults, pixels
from tests.browser.test_hands import drawn, grip, middle, on_canvas, query_shown

LINK = "?objects=red-cube,blue-sphere,yellow-cylinder&steps=4&seed={}"
START, END = (20.0, 12.0), (44.0, 52.0)
"""Where the drag begins and ends: row and column."""
WATCH = """() => {
    const { duel } = document.querySelector('#duel .duel');
    const preview = duel.preview;
    const seen = (window.seen = { moved: 0, painted: [] });
    addEventListener('pointermove', (event) => (seen.moved = event.timeStamp), { capture: true });
    duel.preview = (run) => {
        preview(run);
        const both = [...document.querySelectorAll('#duel .picture')].map((one) => one.decode());
        Promise.all(both).then(() => requestAnimationFrame(() => setTimeout(() => {
            seen.painted.push([run.query, performance.now()]);
        })));
    };
}"""
"""Notes when the pointer moved last, and when which scene was painted in both pictures."""


def there(place: tuple[float, float]) -> str:
    """A place of the dragged object as links tell it."""
    return f"red-cube:{place[0]:g}:{place[1]:g}"


def places(moves: int) -> list[tuple[float, float]]:
    """Whole pixels on the way; no two alike."""
    ways = [(start, end - start) for start, end in zip(START, END, strict=True)]
    return [tuple(round(start + way * move / moves) for start, way in ways) for move in range(1, moves + 1)]  # type: ignore[misc]


def painted(page: Any, place: tuple[float, float]) -> None:
    page.wait_for_function(f"window.seen.painted.some(([query]) => query.includes('{there(place)}'))")


def opened(browser: Any, address: str, seed: int) -> Any:
    """A page that shows a finished scene and is watched."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{address}/{LINK.format(seed)}&at={there(START)}")
    drawn(page)
    page.evaluate(WATCH)
    return page


def take(page: Any) -> None:
    page.mouse.move(*middle(grip(page, "red cube")))
    page.mouse.down()


def alone(browser: Any, address: str, moves: int) -> list[float]:
    """Milliseconds from each move to both repainted pictures."""
    page = opened(browser, address, 1)
    take(page)
    found = []
    for place in places(moves):
        page.mouse.move(*on_canvas(page, *place))
        painted(page, place)
        at = f"window.seen.painted.find(([query]) => query.includes('{there(place)}'))[1]"
        found.append(page.evaluate(f"{at} - window.seen.moved"))
    page.mouse.up()
    page.context.close()
    return found


def together(browser: Any, address: str, moves: int, visitors: int) -> str:
    """What became of several pages that drag at once."""
    complaints: list[str] = []
    pages = [opened(browser, address, seed) for seed in range(visitors)]
    for page in pages:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda entry: complaints.append(entry.text) if entry.type == "error" else None)
        take(page)
    for place in places(moves):
        for page in pages:
            page.mouse.move(*on_canvas(page, *place))
    for page in pages:
        painted(page, END)
    repaints = sum(len(page.evaluate("window.seen.painted")) for page in pages)
    for page in pages:
        page.mouse.up()
    right = 0
    for page in pages:
        drawn(page, there(END))
        shown, link = pixels(page), query_shown(page)
        page.context.close()
        fresh = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce").new_page()
        fresh.goto(f"{address}/?{link}")
        fresh.set_default_timeout(PATIENCE)
        drawn(fresh, there(END))
        right += pixels(fresh) == shown
        fresh.context.close()
    told = f"{visitors} pages drag at once, {moves} moves each: {repaints} scenes repainted, {right} of {visitors} end "
    return f"{told}with their link's pictures; complaints: {faults(complaints) or 'none'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=20, help="how many moves of a drag")
    parser.add_argument("--visitors", type=int, default=10, help="how many pages drag at once")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, page_app(Path(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS)
        print(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
        times = alone(browser, address, options.moves)
        middling, worst = statistics.median(times), max(times)
        print(f"move to both pictures: median {middling:.0f} ms, worst {worst:.0f} ms of {len(times)}")
        print(together(browser, address, options.moves, options.visitors))
        print(f"load after {os.getloadavg()[0]:.1f}")
        browser.close()


if __name__ == "__main__":
    main()
