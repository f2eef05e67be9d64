"""The controls."""

from __future__ import annotations

import gradio as gr

from clevr_demo.request import GenerationRequest
from tests.ui.conftest import Page


def test_no_control_sends_a_value_of_its_own_accord(page: Page) -> None:
    """A number without a value becomes 0 as soon as the browser shows it, so none of them may start without one."""
    numbers = [one for one in page.controls.request if isinstance(one, gr.Number | gr.Slider)]
    assert [one.value for one in numbers] == [7, GenerationRequest((1,)).steps, 1]
    assert not any("guidance" in str(one.elem_id) for one in page.controls.request)
