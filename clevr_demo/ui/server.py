"""Starts and ends the page's server: its port, its bounds, its headers and its temporary folder.

with temporary_folder():
    serve(build_demo(studio), studio, wanted_port())
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import gradio as gr
import gradio.networking
import gradio.routes
from gradio.route_utils import CustomCORSMiddleware
from gradio.utils import LRUCache

from clevr_demo.serve.studio import Studio
from clevr_demo.ui.page import launch_options

SESSIONS = 128
"""Visitors whose last result is kept for downloading; the one who was silent longest goes first."""
BOUNDS = {"state_session_capacity": SESSIONS, "max_file_size": "8mb"}

POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Gradio's components carry their scripts as text
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self' https://huggingface.co https://*.hf.space",
}
HEADERS = {
    b"content-security-policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()).encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
}


class Doorkeeper(CustomCORSMiddleware):
    """Sets the headers of every answer. Other sites' pages may read what is public, but never in a visitor's name:
    Gradio would let any origin act with the visitor's cookies."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self.preflight_headers.pop("Access-Control-Allow-Credentials", None)
        self.simple_headers.pop("Access-Control-Allow-Credentials", None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in HEADERS]
                message = {**message, "headers": [*kept, *HEADERS.items()]}
            await send(message)

        await super().__call__(scope, receive, send_with_headers if scope["type"] == "http" else send)


@contextlib.contextmanager
def temporary_folder() -> Iterator[str]:
    """A folder for all that is made on the way, gone at the end; one that GRADIO_TEMP_DIR names is left alone.

    Files for download are made in there too, as Gradio copies what lies elsewhere and keeps the copy for an hour.
    """
    named = os.environ.get("GRADIO_TEMP_DIR")
    folder = named or tempfile.mkdtemp(prefix="clevr-duel-")
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.environ["GRADIO_TEMP_DIR"] = tempfile.tempdir = folder
    try:
        yield folder
    finally:
        tempfile.tempdir = None
        if not named:
            del os.environ["GRADIO_TEMP_DIR"]
            shutil.rmtree(folder, ignore_errors=True)


def few_arenas() -> None:
    """Lets glibc keep two pools of free memory instead of eight a core, most of them for threads that sleep."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(-8, 2)  # M_ARENA_MAX


def give_all_outputs() -> None:
    """Lets MCP clients that ask for no progress have every output on its own, so that pictures arrive as images;
    Gradio would give them one text of all."""
    from gradio.mcp import GradioMCPServer

    async def outputs(server: Any, job: Any) -> list[Any]:
        found = await anyio.to_thread.run_sync(job.result)
        return list(found) if isinstance(found, tuple | list) else [found]

    GradioMCPServer._execute_tool_without_progress = outputs  # type: ignore[method-assign, assignment]


def wait_for_signal() -> None:
    """Returns on Ctrl-C or when the system ends the process; a second Ctrl-C ends it at once."""
    ended = threading.Event()

    def end(number: int, frame: Any) -> None:
        if ended.is_set():
            os._exit(130)
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    while not ended.wait(3600):
        pass


def start(demo: gr.Blocks, port: int | None = None) -> str:
    """Serves the page without waiting for its end; the address. OSError, if the port cannot be had."""
    few_arenas()
    gradio.routes.CustomCORSMiddleware = Doorkeeper  # type: ignore[assignment, attr-defined]  # before the first answer
    gradio.networking.url_ok = lambda url: True  # it gives up on a machine that is busy for some seconds
    demo._queue.pending_messages_per_session = LRUCache(2 * SESSIONS)  # else what those who left did not fetch piles up
    mcp = importlib.util.find_spec("mcp") is not None
    if mcp:
        give_all_outputs()
    options = launch_options() | BOUNDS | {"server_port": port, "mcp_server": mcp, "prevent_thread_lock": True}
    return demo.launch(**options)[1]


def stop(demo: gr.Blocks, studio: Studio) -> None:
    """Ends draws at their next step, then connections and threads."""
    studio.close()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # that connections are cut is no news
    if demo.server:
        demo.server.config.timeout_graceful_shutdown = 1  # open pages would keep their connections for ever
    demo.close(verbose=False)


def serve(demo: gr.Blocks, studio: Studio, port: int | None) -> None:
    """Serves the page until Ctrl-C. Exits with one line if the port is taken; without one, the first free one from
    7860 on is used."""
    try:
        start(demo, port)
    except OSError as error:
        if port is None:
            raise
        sys.exit(f"Port {port}, which GRADIO_SERVER_PORT names, cannot be had: {error}")
    wait_for_signal()
    print("Closing.", flush=True)
    stop(demo, studio)
