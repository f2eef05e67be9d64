"""What the endpoint answers: typed JSON, and its schema for those who read Gradio's description of the endpoint."""

# No deferred annotations here: TypedDict reads NotRequired off the real ones.
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict, get_type_hints, is_typeddict

from gradio_client.utils import python_type_to_json_schema

from clevr_demo.serve.verdicts import Judged, Place


class File(TypedDict):
    """A file as Gradio's clients know it; `url` is where to fetch it."""

    path: str
    url: NotRequired[str]
    orig_name: str
    mime_type: str
    meta: dict[str, str]


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


Result = dict[str, Any]
"""Everything that a call gives, see `result_type`."""
Answer = tuple[Result, File]


def result_type(contenders: Sequence[str]) -> Any:
    """The TypedDict of a call's result: link, query, what is worth knowing about how it was drawn (mostly nothing), and
    the pictures of each contender."""
    told = {"link": str, "query": str, "notice": str}
    return TypedDict("Result", told | dict.fromkeys(contenders, list[Picture]))  # type: ignore[operator]


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
