"""What the endpoint is asked, in the forms that clients really send.

asked('["red cube"]', seed="7", steps=20, sampler="dpm", pictures=1)       # the request of ["red cube"], 7, ...
truth("timeline", "false")                                                  # False
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from clevr_demo.objects import MOST_TEXT, InputError, shown
from clevr_demo.request import GenerationRequest

MOST_WORK = 1200
"""Steps times pictures of one call, at most: some 40 seconds of one core."""


def meant(value: Any) -> Any:
    """What a text that is JSON says, as agents write '["red cube"]' and "7"; anything else as it is."""
    if isinstance(value, str) and len(value) <= MOST_TEXT:
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


def truth(field: str, value: Any) -> bool:
    """True or false, also in a text or as 1 or 0; an InputError that names the field for anything else."""
    word = meant(value.lower() if isinstance(value, str) else value)
    if word not in (True, False):
        raise InputError(field, f"{field} must be true or false, not {shown(value)}")
    return bool(word)


def asked(
    labels: Any, seed: Any, steps: Any, sampler: Any, pictures: Any, places: Any = None, seeds: Any = None
) -> GenerationRequest:
    """The request of a call, whose values may also be JSON in a text; an InputError that names what is wrong."""
    how = {"sampler": meant(sampler), "pictures": meant(pictures), "places": meant(places), "seeds": meant(seeds)}
    request = GenerationRequest.of(meant(labels), meant(seed), meant(steps), **how)
    if (work := request.steps * request.pictures) > MOST_WORK:
        raise InputError("steps", f"steps times pictures may be {MOST_WORK} at most here, not {work}")
    return request
