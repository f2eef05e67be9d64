"""Every use of what Gradio does not promise, so that a new Gradio is checked here and nowhere else.

Each says where in Gradio's source, or in which issue, its reason lies; `CHECKED` is the version it was read in, and
tests/ui/test_internals.py has a test for each that fails when Gradio changes.
"""

from __future__ import annotations

import inspect
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

import anyio.to_thread
import gradio as gr
import gradio.networking
import gradio.routes
import gradio_client.utils
from fastapi import HTTPException
from gradio.context import LocalContext
from gradio.route_utils import CustomCORSMiddleware
from gradio.utils import LRUCache, get_function_description, get_upload_folder
from gradio_client.utils import construct_args, is_file_obj_with_meta

from clevr_demo.objects import shown

CHECKED = "6.31.0"


def uploads() -> Path:
    """Gradio's own folder (gradio.utils): a file that lies there is served from there, any other is copied to it."""
    return Path(get_upload_folder())


def called_at() -> str:
    """The address that the event which runs here was called at, else "". An endpoint of `gr.api` may take no
    gr.Request, which would count as one of its inputs (events.py, `api`)."""
    return str(getattr(LocalContext.request.get(None), "base_url", None) or "")


def caller_left() -> Callable[[], bool]:
    """Whether the caller of the event that runs here has closed the connection since. Gradio notes it for itself alone
    (queueing.py, `Event.alive`): it ends generators then, while a plain function runs on for nobody (gradio#7593)."""
    blocks, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    jobs = [] if blocks is None else [event for job in blocks._queue.active_jobs if job for event in job]
    event = next((event for event in jobs if event._id == event_id), None)
    return lambda: event is not None and not event.alive


def fill_in(blocks: gr.Blocks, function: Any) -> None:
    """Gives an endpoint's values that a caller leaves out, or gives as null, their defaults, and refuses values beyond
    the last. Gradio fills them in for its own client and for named ones, but refuses a list that is too short, passes
    null on and overlooks what is too much (blocks.py, `validate_inputs`; gradio#3540)."""
    check = blocks.validate_inputs

    def fill(block_fn: Any, inputs: list[Any]) -> None:
        if block_fn is function:
            names = list(get_type_hints(function.fn))[: len(function.inputs)]
            if len(inputs) > len(names):
                told = f"{len(inputs)} values were given; {function.api_name} takes {len(names)}: {', '.join(names)}"
                raise gr.Error(told, print_exception=False)
            given = itertools.zip_longest(inputs, function.inputs)
            inputs[:] = [block.value if value is None else value for value, block in given]
        check(block_fn, inputs)

    blocks.validate_inputs = fill  # type: ignore[method-assign]


def in_lines(docstring: str) -> str:
    """The docstring with each of its entries in one line; Gradio reads the first line of each alone, and puts commas
    between the lines of what is returned (utils.py, `get_function_description`)."""
    described, returns, returned = inspect.cleandoc(docstring).partition("Returns:\n")
    return re.sub(r"\s*\n {5,}", " ", described) + returns + " ".join(returned.split())


def describe(function: Any, example: Sequence[Any], returned: Mapping[str, Mapping[str, Any]]) -> None:
    """Tells "Use via API" and MCP an endpoint's names, the meanings in its docstring, an example call, and the JSON
    schemas of what it returns. `gr.api` makes its components of the bare types and calls them "1st" (events.py)."""
    function.fn.__doc__ = in_lines(function.fn.__doc__)
    _, meanings, _ = get_function_description(function.fn)
    for component, name, value in zip(function.inputs, get_type_hints(function.fn), example, strict=False):
        component.label, component._api_info = name, component._api_info | {"description": meanings[name]}
        component.example_payload = component.example_value = lambda value=value: value
    for component, (name, schema) in zip(function.outputs, returned.items(), strict=True):
        component.label, component._api_info = name, schema


def remember_little(demo: gr.Blocks, sessions: int) -> None:
    """Bounds what the queue keeps. By default messages that nobody fetched are kept for 2,000 visitors, and every event
    makes a pandas table of the 10,000 events before it (queueing.py; gradio#13154, #13756)."""
    queue = demo._queue
    queue.pending_messages_per_session = LRUCache(sessions)
    queue.ANALYTICS_MAX_EVENTS = 100
    queue.ANAYLTICS_CACHE_FREQUENCY = 10**9  # as Gradio spells it


class Doorkeeper(CustomCORSMiddleware):
    """Gradio's layer that answers other sites' pages, with our `headers` on every answer."""

    def __init__(self, app: Any, headers: Mapping[bytes, bytes], **options: Any) -> None:
        super().__init__(app, **options)
        self.headers = headers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                ours = {*self.headers, b"access-control-allow-credentials"}
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in ours]
                message = {**message, "headers": [*kept, *self.headers.items()]}
            await send(message)

        await super().__call__(scope, receive, send_with_headers if scope["type"] == "http" else send)


def guard(headers: Mapping[bytes, bytes]) -> None:
    """Sets the headers of every answer of servers that start from now on. Other sites' pages may read what is public,
    but never in a visitor's name: Gradio lets any origin act with the visitor's cookies, and has no switch for it
    (route_utils.py, `CustomCORSMiddleware`; gradio#10276). `launch` answers requests before it returns the app, when
    it is too late for a layer of ours, and one of `app_kwargs` stands behind Gradio's."""
    gradio.routes.CustomCORSMiddleware = partial(Doorkeeper, headers=headers)  # type: ignore[assignment, attr-defined]


def start_on_a_busy_machine() -> None:
    """Lets `launch` trust that its own address works: it gives up on it after three seconds, which a machine that is
    starting may take to answer (networking.py, `url_ok`; gradio#9817)."""
    gradio.networking.url_ok = lambda url: True


class Refused(HTTPException):
    """A call that is refused in one sentence, which MCP clients are told as it stands."""

    def __str__(self) -> str:
        return str(self.detail)


def name_fields() -> None:
    """Refuses calls with a misspelt or missing field in one sentence. Gradio raises a TypeError for them, a bare error
    500 over HTTP (routes.py, `/call/v2`; gradio_client/utils.py, `construct_args`)."""

    def construct(parameters: Any, values: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
        known = [one["parameter_name"] for one in parameters or ()]
        for name in named:
            if name not in known:
                raise Refused(422, f"unknown field {shown(name)}; known are {', '.join(known)}")
        for one in (parameters or ())[len(values) :]:
            if one["parameter_name"] not in named and not one["parameter_has_default"]:
                raise Refused(422, f"the field {one['parameter_name']} is missing")
        return construct_args(parameters, values, named)

    gradio_client.utils.construct_args = construct


def speak_plainly_to_agents() -> None:
    """Lets MCP clients have every output on its own, pictures as images and everything else as JSON, and a sentence of
    ours for a bad value. Gradio gives those that ask for no progress one text of all, and Python's repr of a dictionary
    (mcp.py, `_execute_tool_without_progress`, `postprocess_output_data`); the mcp package refuses by the JSON schema
    values that we read, in words that do not name the field (mcp/server/lowlevel/server.py, `call_tool`)."""
    from gradio.mcp import GradioMCPServer  # needs the package mcp
    from mcp.server import Server

    postprocess = GradioMCPServer.postprocess_output_data

    class Unchecked(Server[Any, Any]):
        def call_tool(self, *, validate_input: bool = False) -> Any:
            return super().call_tool(validate_input=validate_input)

    async def outputs(server: Any, job: Any) -> list[Any]:
        found = await anyio.to_thread.run_sync(job.result)
        return list(found) if isinstance(found, tuple | list) else [found]

    def contents(server: Any, data: Any, root_url: str) -> list[Any]:
        data = [one if isinstance(one, str) or is_file_obj_with_meta(one) else json.dumps(one) for one in data]
        return postprocess(server, data, root_url)

    GradioMCPServer.Server = Unchecked  # type: ignore[misc]
    GradioMCPServer._execute_tool_without_progress = outputs  # type: ignore[method-assign, assignment]
    GradioMCPServer.postprocess_output_data = contents  # type: ignore[method-assign, assignment]


def hang_up(demo: gr.Blocks) -> None:
    """Lets `close` end connections after a second; open pages would keep theirs, and the server, for ever
    (http_server.py gives uvicorn no limit)."""
    if demo.server:
        demo.server.config.timeout_graceful_shutdown = 1
