"""How long a scene takes to follow a hand, alone and with others: python -m tests.browser.drags

Starts the app (or takes one that runs, named by CLEVR_ADDRESS) and drags an object in Chromium with real pointer
events. Prints the milliseconds from a move to both repainted pictures in four steps, each move made when the one before
is painted; then lets several pages drag at once, and says whether each ends with the pictures that its link draws in a
fresh context, and what the browsers complained of. The load of the machine, by which to judge it, stands beside.

With --own the browser itself draws what is dragged, and the tasks of the page's main thread are looked at: while the
engine comes, while an object is dragged, as it is let go.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.browser.conftest import CHROMIUM_ARGUMENTS, PATIENCE, chromium_path, page_app
from tests.browser.helpers import faults, pixels
from tests.browser.test_hands import drawn, grip, middle, on_canvas, query_shown

LINK = "?objects=red-cube,blue-sphere,yellow-cylinder&steps=4&seed={}"
START, END = (20.0, 12.0), (44.0, 52.0)
"""Where the drag begins and ends: row and column."""
TASK, LONG = "ThreadControllerImpl::RunTask", 50
"""What Chromium's traces call a task, and how many milliseconds make it a long one."""
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


def follow(page: Any, moves: int) -> list[float]:
    """Milliseconds from each move to both repainted pictures."""
    found = []
    for place in places(moves):
        page.mouse.move(*on_canvas(page, *place))
        painted(page, place)
        at = f"window.seen.painted.find(([query]) => query.includes('{there(place)}'))[1]"
        found.append(page.evaluate(f"{at} - window.seen.moved"))
    return found


def told(times: list[float]) -> str:
    middling, worst = statistics.median(times), max(times)
    return f"move to both pictures: median {middling:.0f} ms, worst {worst:.0f} ms of {len(times)}"


def alone(browser: Any, address: str, moves: int) -> Iterator[str]:
    """What a drag takes that the server draws: while the browser gets its engine on the same cores, and where it gets
    none."""
    for seed, title in enumerate(("while the engine comes", "without one")):
        page = opened(browser, address, seed)
        if title == "without one":
            page.context.route("**/engine/**", lambda route: route.abort())
        take(page)
        yield f"{title}: {told(follow(page, moves))}"
        page.mouse.up()
        page.context.close()


def tasks(browser: Any, page: Any, act: Callable[[], Any]) -> str:
    """The tasks of the page's main thread while something is done. By processor time: how long they take by the clock
    says as much of the machine's other work."""
    browser.start_tracing(page=page, categories=["toplevel"])
    act()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    threads = {(one["pid"], one["tid"]): one["args"]["name"] for one in events if one["name"] == "thread_name"}
    mine = [one for one in events if one["ph"] == "X" and threads.get((one["pid"], one["tid"])) == "CrRendererMain"]
    spent = [one.get("tdur", 0) / 1000 for one in mine if one["name"] == TASK]
    return f"{len(spent)} tasks, the longest {max(spent):.0f} ms, {sum(one > LONG for one in spent)} over {LONG} ms"


def own(browser: Any, address: str, moves: int) -> Iterator[str]:
    """The same, where the browser draws from the first move on that is looked at."""
    page, times = opened(browser, address, 1), list[float]()
    take(page)

    def load() -> None:
        page.mouse.move(*on_canvas(page, START[0] + 1, START[1] + 1))
        page.wait_for_function("clevrEngine.state.stage === 'ready'", timeout=10 * PATIENCE)

    def settle() -> None:
        page.mouse.up()
        drawn(page, there(END))

    yield f"while the engine comes: {tasks(browser, page, load)}"
    yield f"during a drag: {tasks(browser, page, lambda: times.extend(follow(page, moves)))}"
    yield f"as it is let go: {tasks(browser, page, settle)}"
    yield f"{page.locator('#duel .by').inner_text()}; {told(times)}"
    page.context.close()


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
    parser.add_argument("--own", action="store_true", help="the browser draws by itself")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, page_app(Path(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS)
        print(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
        for line in (own if options.own else alone)(browser, address, options.moves):
            print(line, flush=True)
        if options.visitors:
            print(together(browser, address, options.moves, options.visitors))
        print(f"load after {os.getloadavg()[0]:.1f}")
        browser.close()


if __name__ == "__main__":
    main()
