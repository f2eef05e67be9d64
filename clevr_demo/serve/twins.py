"""What the page's engine, the scripts in ui/assets/engine, has to know of Python, as one more module of it.

    (folder / NAME).write_text(module())      # beside the engine's other modules, which import it

So that no number, name or rule's limit is written twice.
"""

from __future__ import annotations

import json
from typing import Any

from clevr_demo import objects, pictures, places, request
from clevr_demo.generators import acgan, ddpm, protocol, walk
from clevr_demo.judge import evaluator
from clevr_demo.serve import wording

NAME = "constants.js"


def constants() -> dict[str, Any]:
    """Plain values by the names under which the engine imports them: those that they have in Python. `TRIES` are
    each model's own; `NAME` is a pattern that means the same in both languages."""
    named = {
        objects: ("COLOURS", "SHAPES", "OBJECTS", "MAX_TRAINED", "MOST_TEXT", "NEAR"),
        places: ("SIZE", "NEAREST", "GROUND"),
        request: (
            "VERSION", "MAX_SEED", "MAX_STEPS", "DEFAULT_STEPS", "FAST_STEPS", "MAX_PICTURES", "SAMPLERS", "SOURCES",
            "PAIR", "MOST_NAMED",
        ),
        evaluator: ("MAX_JUDGED", "BEYOND", "TIMES", "ALL"),
        ddpm: ("PLANNER_STEPS", "RESAMPLINGS"),
        protocol: ("WHERE_FRAMES",),
        walk: ("WALKS",),
        pictures: ("MARK",),
        wording: ("SAMPLER_NAMES", "SOON"),
    }  # fmt: skip
    found = {name: getattr(module, name) for module, names in named.items() for name in names}
    return found | {"NAME": request.NAME.pattern, "TRIES": {"ddpm": ddpm.TRIES, "acgan": acgan.TRIES}}


def module() -> str:
    """The constants as an ES module."""
    return "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in constants().items())
