"""Steps that several browser tests share."""

from __future__ import annotations

import base64
import io
import secrets
from typing import Any

from PIL import Image

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def faults(complaints: list[str]) -> list[str]:
    """What a browser complained of, without what a page says that is left while it talks to the server, or whose
    network a test cut."""
    complaints = [one for one in complaints if "ERR_INTERNET_DISCONNECTED" not in one]
    left = any("aborted" in one for one in complaints)
    return [one for one in complaints if not (left and ("aborted" in one or "Connection errored out" in one))]


def tick(page: Any, *names: str) -> None:
    for name in names:
        page.locator("#picker").get_by_role("checkbox", name=name, exact=True).check()


def set_number(page: Any, label: str, value: int) -> None:
    field = page.locator("#ask").get_by_label(label, exact=True)
    field.fill(str(value))
    field.blur()


def set_new_seed(page: Any) -> None:
    """A seed that no run had, also of a test that is tried again: what a server has drawn already comes at once."""
    set_number(page, "Seed", secrets.randbelow(10**8) + 10**8)


def wait_for_state(page: Any, state: str, after: str | None = None) -> None:
    """Waits until a run is in that state and Generate is back; `after` is the run that was shown before."""
    other = f":not([data-run='{after}'])" if after else ""
    page.wait_for_selector(f'#duel .duel[data-state="{state}"]{other}')
    page.locator("#generate").wait_for(state="visible")


def wait_for_drawing(page: Any) -> None:
    """Waits until a run's frames come, also behind a long one that somebody else has just left; what was shown before,
    the showcase perhaps, has steps as well."""
    page.wait_for_selector('#duel .duel[data-state="drawing"]', timeout=150_000)


def run_shown(page: Any) -> str | None:
    return page.locator("#duel .duel").get_attribute("data-run")


def press_generate(page: Any) -> None:
    """Draws and waits for the end."""
    before = run_shown(page)
    page.locator("#generate").click()
    wait_for_state(page, "done", before)


def generate(page: Any, *names: str, steps: int = 8) -> None:
    """Ticks, draws and waits for the end."""
    tick(page, *names)
    set_number(page, "Steps", steps)
    press_generate(page)


def pictures(page: Any) -> list[str]:
    """The two large pictures' data, DDPM first."""
    return page.locator("#duel .picture").evaluate_all("(all) => all.map((one) => one.src)")


def pixels(page: Any) -> list[bytes]:
    """What the two large pictures show, whatever request their files carry."""
    files = (io.BytesIO(base64.b64decode(source.partition(",")[2])) for source in pictures(page))
    return [Image.open(file).convert("RGB").tobytes() for file in files]


def step_shown(page: Any) -> int:
    """The denoising step that is shown; 0 while the places are."""
    return int(page.locator("#duel .duel").get_attribute("data-step"))


WATCH_SHIFTS = """Object.assign(window, { shifts: 0, shifted: [] });
new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, sources } of list.getEntries()) {
        if (hadRecentInput) continue;
        window.shifts += value;
        const moved = sources.map(({ node }) => node?.className || node?.id || node?.nodeName);
        if (value > 0.002) window.shifted.push(`${value.toFixed(4)} ${moved.join(', ')}`);
    }
}).observe({ type: 'layout-shift', buffered: true });"""
"""Adds up the page's layout shifts (the web vital CLS), and keeps what moved in the larger ones; an init script."""


def stream_bytes(page: Any) -> list[int]:
    """Bytes of the event stream that brings a run, as one growing number; from now on."""
    streams: set[str] = set()
    received = [0]

    def sent(event: dict[str, Any]) -> None:
        if "/queue/data" in event["request"]["url"]:
            streams.add(event["requestId"])

    def arrived(event: dict[str, Any]) -> None:
        received[0] += event["dataLength"] if event["requestId"] in streams else 0

    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.requestWillBeSent", sent)
    session.on("Network.dataReceived", arrived)
    return received


STEP = "Number(document.querySelector('#duel .duel').dataset.step)"
"""The same as an expression of the page."""
