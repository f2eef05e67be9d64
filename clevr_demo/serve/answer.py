"""What the endpoint answers: typed JSON, and its schema for those who read Gradio's description of the endpoint."""

# No deferred annotations here: TypedDict reads NotRequired off the real ones.
from typing import Any, NotRequired, TypedDict, get_type_hints, is_typeddict

from gradio_client.utils import python_type_to_json_schema

from clevr_demo.judge.evaluator import Verdict
from clevr_demo.objects import OBJECTS
from clevr_demo.serve.gate import Still


class File(TypedDict):
    """A file as Gradio's clients know it; `url` is where to fetch it."""

    path: str
    url: NotRequired[str]
    orig_name: str
    mime_type: str
    meta: dict[str, str]


class Place(TypedDict):
    """Where an object stands or was seen, in pixels of the 64x64 picture."""

    name: str
    row: float
    column: float
    confidence: NotRequired[float]


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


class Step(TypedDict):
    """One column of a timeline's film strip."""

    timestep: int
    stage: str
    sentence: str


class Timeline(TypedDict):
    """The way to a picture: a film strip, the noisy pictures above the model's estimates, and what the judge says."""

    strip: File
    steps: list[Step]


class Picture(TypedDict):
    """One picture, what it cost and what came of it."""

    model: str
    seed: int
    file: File
    seconds: float
    evaluations: int
    places: list[Place]
    verdict: Judged
    timeline: NotRequired[Timeline]


class Result(TypedDict):
    """Everything that a call gives. `notice` says what is worth knowing about how it was drawn, mostly nothing."""

    link: str
    query: str
    notice: str
    ddpm: list[Picture]
    acgan: list[Picture]


Answer = tuple[Result, File]


def schema(hint: Any) -> dict[str, Any]:
    """The JSON schema of a TypedDict or of what Gradio can describe itself."""
    if is_typeddict(hint):
        fields = get_type_hints(hint)
        required = sorted(hint.__required_keys__)
        properties = {name: schema(field) for name, field in fields.items()}
        return {"type": "object", "title": hint.__name__, "properties": properties, "required": required}
    if getattr(hint, "__origin__", None) is list:
        return {"type": "array", "items": schema(hint.__args__[0])}
    return python_type_to_json_schema(hint)


def judged(verdict: Verdict) -> Judged:
    """A verdict as plain values."""
    found = [
        Place(name=one.name, row=round(one.row, 1), column=round(one.column, 1), confidence=round(one.confidence, 3))
        for one in verdict.found
    ]
    return {
        "sentence": verdict.sentence,
        "exact": verdict.exact,
        "accuracy": verdict.accuracy,
        "missing": list(verdict.missing),
        "extra": list(verdict.extra),
        "doubled": list(verdict.doubled),
        "counts": dict(verdict.counts),
        "found": found,
        "probabilities": {name: round(share, 4) for name, share in verdict.probabilities.items()},
    }


def places_of(still: Still) -> list[Place]:
    """Where the model means the objects to stand; none, if it does not say."""
    pairs = zip(still.places.objects, still.places.centres, strict=True)
    return [Place(name=OBJECTS[index], row=round(row, 1), column=round(column, 1)) for index, (row, column) in pairs]
