"""Grids to begin with: true sketches, forms that draw."""

from __future__ import annotations

from clevr_demo.models import Contender
from clevr_demo.serve import starts
from clevr_demo.serve.showcase import REQUEST, thumbnails

BOTH = {name: Contender(name, name) for name in ("ddpm", "acgan")}


def test_only_what_the_example_has_drawn_stands_in_a_sketch() -> None:
    known = thumbnails()
    cells = [cell for _, plan in starts.plans(BOTH) for cell in plan.cells]
    of_it = [one for one in cells if (one.request.objects, one.request.seed) == (REQUEST.objects, REQUEST.seed)]
    drawn = [
        one for one in of_it if one.contender == "acgan" or (one.request.steps, one.request.sampler) == (20, "dpm")
    ]
    sources = [one.partition('"')[0] for one in starts.markup(BOTH, known).split('<img src="')[1:]]
    assert sources == [known[one.contender] for one in drawn]
    assert len(sources) == 6


def test_contenders_without_steps_are_asked_what_they_can_be_asked() -> None:
    told = [
        start.question for start, _ in starts.plans({"acgan": BOTH["acgan"], "second": Contender("second", "acgan")})
    ]
    assert told == ["What does the seed decide?", "What does one object more change?"]
    assert "<img" not in starts.markup({"second": Contender("second", "acgan")}, {"ddpm": "x"})
