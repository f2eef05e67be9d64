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

import gradio as gr

from clevr_demo.serve.addresses import home
from clevr_demo.serve.studio import Studio
from clevr_demo.ui import internals
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
HUB = "https://huggingface.co/api/spaces/by-subdomain/"
"""In a Space, Gradio's page asks there whether the Space runs before it opens; refused, it takes it for broken.

What else it would ask stays refused: who wrote the Space and how many like it, for a strip of its own over a page that
is opened outside the Hub's frame; its pictures come from further hosts.
"""


def headers() -> dict[bytes, bytes]:
    """What guards every answer."""
    policy = POLICY | ({"connect-src": f"{POLICY['connect-src']} {HUB}"} if home() else {})
    return {
        b"content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()).encode(),
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"same-origin",
    }


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
    internals.guard(headers())
    internals.start_on_a_busy_machine()
    internals.name_fields()
    internals.remember_little(demo, 2 * SESSIONS)
    mcp = importlib.util.find_spec("mcp") is not None
    if mcp:
        internals.speak_plainly_to_agents()
    options = launch_options(demo) | BOUNDS | {"server_port": port, "mcp_server": mcp, "prevent_thread_lock": True}
    return demo.launch(**options)[1]


def stop(demo: gr.Blocks, studio: Studio) -> None:
    """Ends draws at their next step, then connections and threads."""
    studio.close()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # that connections are cut is no news
    internals.hang_up(demo)
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
