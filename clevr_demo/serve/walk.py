"""The ACGAN's walk through its noise: the same request drawn from noise that moves until it is the seed's own.

A GAN has no timeline: this is how near pictures lie to each other. Its places and its looks come from noise of their
own, so the walk can move either while the other stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from clevr_demo.models import Contender
from clevr_demo.request import GenerationRequest
from clevr_demo.serve.payload import png_base64, webp_base64
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.verdicts import compact, compact_places

FRAMES = 20
"""Frames of a walk, a pass of the network each."""
NOTHING_DRAWN = "Draw something first: the walk ends in the ACGAN's picture above."


def walker(contenders: Iterable[Contender]) -> Contender | None:
    """The first of them whose model can walk through its noise."""
    return next((one for one in contenders if "walk" in one.model.settings), None)


def walk_payload(studio: Studio, request: GenerationRequest | None, walk: str) -> dict[str, Any]:
    """The frames of a walk ("places", "looks" or "both") to the first picture that a request's walker draws, judged."""
    if request is None or (one := walker(studio.duel(request))) is None:
        return {"note": NOTHING_DRAWN}
    single = request.single(0)
    cell = Cell(one.name, replace(single, steps=FRAMES), timeline=True)
    stills = [still for _, still in studio.draw([cell], walk=walk)]
    frames = []
    for still, verdict in studio.watched(stills, single):
        assert verdict is not None, "every frame of a walk is a picture"
        pixels = png_base64(still.predicted) if still.last else webp_base64(still.predicted)
        frames.append({"stage": "what", "x0": pixels, "places": compact_places(still.places), **compact(verdict)})
    return {"key": f"{studio.query(single)}&walk={walk}", "objects": list(single.objects), "frames": frames}
