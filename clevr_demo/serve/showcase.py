"""The duel that greets a visitor: drawn beforehand by the weights that ship with the project, played without a server.

    python -m clevr_demo.serve.showcase            # draws it again and writes showcase.json; after new weights

A test compares the file with what the server draws now. The file holds what the page shows of a run, frames and
verdicts; its card is also the picture that shared links show.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from clevr_demo.checkpoints import write_text
from clevr_demo.models import usual_pair
from clevr_demo.request import GenerationRequest
from clevr_demo.serve import card as cards
from clevr_demo.serve.costs import Costs
from clevr_demo.serve.drawing import draw
from clevr_demo.serve.payload import webp_base64
from clevr_demo.serve.studio import Studio
from clevr_demo.serve.wording import cost

PATH = Path(__file__).parent / "showcase.json"
MOST_BYTES = 150_000
REQUEST = GenerationRequest.of(["red cube", "cyan sphere", "yellow cylinder"], seed=7)
STATE = "showcase"
"""The run's state: not "done", as this visitor has drawn nothing yet."""
GREETING = "An example. Tick objects of your own, then Generate."


@contextmanager
def processor_time() -> Iterator[None]:
    """Lets costs be measured in seconds of this process alone, whatever else the machine is busy with."""
    clock, time.perf_counter = time.perf_counter, time.process_time
    try:
        yield
    finally:
        time.perf_counter = clock


def bake(studio: Studio) -> dict[str, Any]:
    """What the duel shows when the page opens, drawn now."""
    for _ in draw(studio, replace(REQUEST, steps=2), stopped=lambda: False):  # a first draw takes longer
        pass
    with processor_time():
        alone = replace(studio, costs=Costs(told="when this example was made"))
        run = list(draw(alone, REQUEST, stopped=lambda: False))[-1]
    return run.payload() | {"key": STATE, "state": STATE, "status": GREETING}


@cache
def payload() -> dict[str, Any]:
    """What the duel shows when the page opens."""
    baked: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return baked


def entries() -> list[cards.Entry]:
    """Both pictures, exact to the pixel, with their captions."""
    found = []
    for one in usual_pair():
        side = payload()["pairs"][0][one.name]
        last, spent = side["last"], cost(side["evaluations"], side["seconds"])
        picture = Image.open(io.BytesIO(base64.b64decode(last["x0"]))).convert("RGB")
        found.append(cards.Entry(one.title, picture, last["told"], spent, last["exact"]))
    return found


@cache
def thumbnails() -> dict[str, str]:
    """Both pictures by their contenders' names, small, as addresses of an <img>."""
    pictures = zip(usual_pair(), entries(), strict=True)
    return {one.name: f"data:image/webp;base64,{webp_base64(np.asarray(entry.picture))}" for one, entry in pictures}


@cache
def words() -> str:
    """The showcase's card for those who cannot see it."""
    told = [f"{entry.title}: {entry.sentence}" for entry in entries()]
    return f"Asked for: {', '.join(REQUEST.names)}. {'. '.join(told)}."


def card() -> Image.Image:
    """The showcase's card."""
    return cards.card(REQUEST, entries(), "Tick your own objects, watch both models draw them, and send the link.")


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    baked = bake(Studio.load())
    text = json.dumps(baked, separators=(",", ":")) + "\n"
    if len(text) > MOST_BYTES:
        raise SystemExit(f"the showcase has {len(text):,} bytes; the page opens with at most {MOST_BYTES:,}")
    write_text(PATH, text)
    payload.cache_clear()
    print(f"{PATH}: {len(text):,} bytes. {words()}")


if __name__ == "__main__":
    main()
