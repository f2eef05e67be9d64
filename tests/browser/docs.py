"""The README's pictures of the page, and a short film of a drag: python -m tests.browser.docs

Starts the app (or takes one that runs, named by CLEVR_ADDRESS), opens it in Chromium and writes them into docs/. The
film's frames are taken one by one as both pictures have been repainted, so it runs alike on any machine.
"""

from __future__ import annotations

import argparse
import io
import math
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from tests.browser.conftest import CHROMIUM_ARGUMENTS, PATIENCE, chromium_path, page_app
from tests.browser.drags import WATCH, painted, take, there
from tests.browser.helpers import PHONE
from tests.browser.test_hands import drawn, on_canvas
from tests.serving import ROOT

DOCS = ROOT / "docs"
LINK = "?objects=red-cube,cyan-sphere,yellow-cylinder&seed=7&steps=20"
PAGES: dict[str, dict[str, Any]] = {
    "page-light.png": {"viewport": {"width": 1440, "height": 900}},
    "page-dark.png": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "page-phone.png": PHONE,
}
SCENE = "?objects=red-cube,blue-sphere,yellow-cylinder&seed=7&steps=4&at={},blue-sphere:27:31,yellow-cylinder:17:37"
FRAMES, LAST = 24, 0.85 * math.pi
WIDTH = 840
SHOWN, HELD = 90, 1500
"""Milliseconds of a frame, and of the first and last one."""
MOST_BYTES = 2_000_000


def place(frame: int) -> tuple[float, float]:
    """Where the red cube is to be: on a curve around the sphere's front."""
    angle = LAST * frame / FRAMES
    return round(27 + 19 * math.sin(angle)), round(31 - 20 * math.cos(angle))


def opened(browser: Any, address: str, query: str, **options: Any) -> Any:
    page = browser.new_context(reduced_motion="reduce", **options).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/{query}")
    drawn(page)
    return page


def film(browser: Any, address: str) -> bytes:
    """Both stages while the red cube is dragged, as an animated WebP."""
    page = opened(browser, address, SCENE.format(there(place(0))), viewport={"width": 1440, "height": 900})
    page.evaluate(WATCH)
    shots = [page.locator("#duel .stages").screenshot()]
    take(page)
    for frame in range(1, FRAMES + 1):
        page.mouse.move(*on_canvas(page, *place(frame)))
        painted(page, place(frame))
        shots.append(page.locator("#duel .stages").screenshot())
    page.mouse.up()
    page.context.close()
    images = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    images = [one.resize((WIDTH, round(one.height * WIDTH / one.width)), Image.Resampling.LANCZOS) for one in images]
    times = [HELD, *[SHOWN] * (len(images) - 2), HELD]
    made = io.BytesIO()
    images[0].save(
        made, format="WEBP", save_all=True, append_images=images[1:], duration=times, loop=0, quality=88, method=4
    )
    return made.getvalue()


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, page_app(Path(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS)
        for name, options in PAGES.items():
            page = opened(browser, address, LINK, **options)
            page.screenshot(path=DOCS / name)
            page.context.close()
        moving = film(browser, address)
        if len(moving) > MOST_BYTES:
            raise SystemExit(f"the film has {len(moving):,} bytes, more than {MOST_BYTES:,}")
        (DOCS / "drag.webp").write_bytes(moving)
        print(f"{DOCS}: {', '.join(PAGES)} and drag.webp of {len(moving):,} bytes")
        browser.close()


if __name__ == "__main__":
    main()
