"""Is it copied? How near drawn pictures are to their nearest training pictures, as `train.measure copies` found it.

Plain figures alone: no picture of the data is shown or shipped.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from clevr_demo.estimates import Estimate
from clevr_demo.serve.scoreboard.marks import interval, section

COPIES = "copies"
"""The measure's entry in metrics.json."""
SPACES = {
    "whole pixels": "whole pictures, pixels",
    "whole features": "whole pictures, features",
    "crops pixels": "objects, pixels",
    "crops features": "objects, features",
}
"""What is compared, and how."""
KINDS = {"drawn": "drawn", "held-out": "real, held out", "copies": "copies with noise"}
"""Whose distances: the model's pictures', other real ones', and training pictures' with a little noise."""
EXPECTED = 0.01
"""The share of held-out pictures that counts as near: whatever is nearer than all but so many of them."""


def share_of(row: Mapping[str, Any]) -> Estimate:
    """The share of drawn pictures that are nearer than all but one in a hundred held-out ones."""
    near = row["near"]
    return Estimate(near["mean"], near["low"], near["high"], row["number"])


def sees(row: Mapping[str, Any]) -> bool:
    """Whether a copy would be nearer than held-out pictures are, so that the space can show one."""
    return bool(row["copies"]["95"] < row["held-out"]["1"])


def said(title: str, found: Mapping[str, Any]) -> str:
    """What was found of a model, in a sentence: of the spaces that can show a copy, by that in which most of its
    pictures are near."""
    rows = {name: one for name, one in found["rows"].items() if sees(one)}
    if not rows:
        return f"no measure here would see a copy by the {title}"
    name = max(rows, key=lambda space: share_of(rows[space]).mean)
    most = share_of(rows[name])
    ends = f"95 %: {100 * most.low:.1f} to {100 * most.high:.1f}"
    told = (
        f"at most {100 * most.mean:.1f} % of what the {title} draws ({ends}; {SPACES[name]}) is nearer to a training "
        "picture than 99 of 100 held-out ones are"
    )
    return f"{told}, where 1 % would be chance" if most.low > EXPECTED else f"{told}: no more than chance"


def row(space: str, found: Mapping[str, Any]) -> str:
    """A space's bars: from the 5th to the 95th percentile, with the median, on one scale."""
    most = max(found[kind]["95"] for kind in KINDS)
    bars = ""
    for kind, told in KINDS.items():
        low, middle, high = (found[kind][part] for part in ("5", "50", "95"))
        at = interval(Estimate(middle / most, low / most, high / most, 0))
        bars += f'<span class="copy-kind">{told}</span><span class="span {kind}" style="{at}"></span>'
        bars += f"<small>{middle:.3g} ({low:.3g} to {high:.3g})</small>"
    near, blind = share_of(found), "" if sees(found) else "; copies would not show here"
    ends = f"95 %: {100 * near.low:.1f} to {100 * near.high:.1f}"
    return (
        f'<div class="copy-row"><h4>{html.escape(SPACES[space])}</h4><div class="copy-bars">{bars}</div>'
        f"<small>near: {100 * near.mean:.1f} % ({ends}){blind}</small></div>"
    )


def copies_part(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """The board's part, by the contenders' titles; nothing where it was not measured."""
    if not measured:
        return ""
    body = ""
    for place, (title, found) in enumerate(measured.items()):
        rows = "".join(row(space, found["rows"][space]) for space in SPACES if space in found["rows"])
        body += f'<div class="copy-side side-{place}"><h4 class="copy-who">{html.escape(title)}</h4>{rows}</div>'
    text = "; ".join(said(title, found) for title, found in measured.items())
    note = (
        "Distances to the nearest training picture or object: medians, and from the 5th to the 95th percentile, of the "
        "same label sets. Held-out pictures show how near one real picture comes to others; training pictures with a "
        "little noise show where copies would stand."
    )
    return section(
        COPIES, "Is it copied?", f"{text[:1].upper()}{text[1:]}.", f'<div class="copy-sides">{body}</div>', note
    )
