"""The page's own components take what a browser sends, whatever that is."""

from __future__ import annotations

from typing import Any

import pytest

from clevr_demo.ui.widgets import Address, Html, Note, Picker


@pytest.mark.parametrize("sent", [None, 7, "text", ["red cube", 7, None], {"a": 1}])
def test_what_the_browser_sends_of_another_kind_is_nothing(sent: Any) -> None:
    assert Html().preprocess(sent) == (sent if isinstance(sent, dict) else {})
    assert Address().preprocess(sent) == (sent if isinstance(sent, str) else "")
    assert Picker().preprocess(sent) == (["red cube"] if isinstance(sent, list) else [])


def test_a_value_that_shows_nothing_is_nobody_elses() -> None:
    Html.fresh()["state"] = "done"
    assert Html.fresh() == {}
    assert Note.fresh() is not Note.fresh()


def test_the_pickers_value_is_in_index_order() -> None:
    assert Picker().postprocess(["blue sphere", "red cube"]) == ["red cube", "blue sphere"]
    assert Picker().postprocess(None) == []


def test_a_note_is_sentences() -> None:
    assert Note("a").postprocess("One.") == ["One."]
    assert Note("a").postprocess(None) == []
