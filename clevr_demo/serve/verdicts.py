"""Verdicts and places as plain values: in full for the endpoint and the command line, and small for the page."""

# No deferred annotations here: TypedDict reads NotRequired off the real ones.
from typing import Any, NotRequired

from typing_extensions import TypedDict

from clevr_demo.judge.evaluator import Verdict
from clevr_demo.objects import INDEX
from clevr_demo.places import Places


class Place(TypedDict):
    """Where an object stands or was seen, in pixels of the 64x64 picture; where places were given, whether this was."""

    name: str
    row: float
    column: float
    confidence: NotRequired[float]
    given: NotRequired[bool]


class Judged(TypedDict):
    """What the judge says of a picture."""

    sentence: str
    exact: bool
    accuracy: float
    missing: list[str]
    extra: list[str]
    doubled: list[str]
    counts: dict[str, int]
    found: list[Place]
    probabilities: dict[str, float]


def plain(verdict: Verdict) -> Judged:
    """Everything that a verdict says."""
    return {
        "sentence": verdict.sentence,
        "exact": verdict.exact,
        "accuracy": verdict.accuracy,
        "missing": list(verdict.missing),
        "extra": list(verdict.extra),
        "doubled": list(verdict.doubled),
        "counts": verdict.counts,
        "found": [
            {**placed(one.name, one.row, one.column), "confidence": round(one.confidence, 3)} for one in verdict.found
        ],
        "probabilities": {name: round(share, 4) for name, share in verdict.probabilities.items()},
    }


def plain_places(places: Places) -> list[Place]:
    """Where a model means the objects to stand; none, if it does not say. Where the request gives places, whether each
    is given."""
    found = [placed(name, *centre) for name, centre in zip(places.names, places.centres, strict=True)]
    if places.given:
        for place, index in zip(found, places.objects, strict=True):
            place["given"] = index in places.given
    return found


def placed(name: str, row: float, column: float) -> Place:
    """An object and its centre in pixels of the 64x64 picture."""
    return {"name": name, "row": round(row, 1), "column": round(column, 1)}


def compact(verdict: Verdict) -> dict[str, Any]:
    """What the page shows of a verdict, a frame's at a time.

    `found` is [object's index, row, column in pixels, per mille of confidence] for everything that the detector sees;
    `told` is the verdict in a sentence; `hits` is the course's, where the classifier was asked.
    """
    return {
        **({"hits": verdict.hits} if verdict.probabilities else {}),
        "exact": verdict.exact,
        "found": [
            [INDEX[one.name], round(one.row, 1), round(one.column, 1), round(1000 * one.confidence)]
            for one in verdict.found
        ],
        "told": verdict.sentence,
    }


def compact_places(places: Places) -> list[list[float]]:
    """[row, column] in pixels of where the model means each object to stand, in the request's order."""
    return [[round(value, 1) for value in centre] for centre in places.centres]
