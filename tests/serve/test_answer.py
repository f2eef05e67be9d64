"""What Gradio's description of the endpoint is told of its answers."""

from __future__ import annotations

from gradio_client.utils import json_schema_to_python_type

from clevr_demo.serve.answer import File, result_type, schema


def test_a_result_is_written_out_in_a_line() -> None:
    told = json_schema_to_python_type(schema(result_type(["ddpm", "quick"])))
    assert told.startswith(
        "dict(link: str, query: str, notice: str, ddpm: list[dict(model: str, seed: int, file: dict("
    )
    assert "quick: list[dict(model: str" in told
    assert "$" not in told
    assert "(One picture" not in told


def test_what_may_be_missing_is_not_required() -> None:
    picture = schema(result_type(["ddpm"]))["properties"]["ddpm"]["items"]
    assert set(picture["properties"]) - set(picture["required"]) == {"timeline"}
    assert set(schema(File)["required"]) == {"path", "orig_name", "mime_type", "meta"}
    assert "confidence" not in picture["properties"]["verdict"]["properties"]["found"]["items"]["required"]
