"""What the endpoint answers: typed JSON, and its schema for those who read Gradio's description of the endpoint."""

# No deferred annotations here: TypedDict reads NotRequired off the real ones.
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from clevr_demo.serve.verdicts import Judged, Place


class File(TypedDict):
    """A file as Gradio's clients know it; `url` is where to fetch it."""

    path: str
    url: NotRequired[str]
    orig_name: str
    mime_type: str
    meta: dict[str, str]


def png_file(path: Path) -> File:
    """What Gradio's clients are told of a PNG."""
    told = {"_type": "gradio.FileData"}
    return {"path": str(path.resolve()), "orig_name": path.name, "mime_type": "image/png", "meta": told}


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


def schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type in one piece and without our docstrings, as Gradio writes it out in a line."""
    whole = TypeAdapter(kind).json_schema()
    named = whole.pop("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, dict):
            part = named[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
            return {name: inlined(one) for name, one in part.items() if name != "description"}
        return [inlined(one) for one in part] if isinstance(part, list) else part

    return inlined(whole)
