"""Starts the demo: python app.py, then open the address that it prints. Ctrl-C ends it.

    python app.py --contender "quick=checkpoints/ddpm?steps=4"

A contender joins the DDPM and the ACGAN: other weights or, behind a question mark, steps or a sampler of its own. The
port is 7860 or the next free one; GRADIO_SERVER_PORT names another, and then only that one will do. CLEVR_DDPM,
CLEVR_ACGAN and CLEVR_EVALUATOR may name other checkpoint folders than those that ship with the project.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys
from collections.abc import Sequence

with contextlib.suppress(ImportError):
    import spaces  # noqa: F401  # on a Space with a shared GPU it has to come before torch

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


def wanted_port() -> int | None:
    """The port that GRADIO_SERVER_PORT names, if it does. One that cannot be had ends the app at once, in one line."""
    text = os.environ.get("GRADIO_SERVER_PORT", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        sys.exit(f"GRADIO_SERVER_PORT must be a port, 1 to 65535, not {text[:40]!r}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1", int(text)))
        except OSError as error:
            sys.exit(f"Port {text}, which GRADIO_SERVER_PORT names, cannot be had: {error.strerror}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--contender", action="append", default=[], metavar="NAME=FOLDER", help="one more who draws; may be repeated"
    )
    options, port = parser.parse_args(argv), wanted_port()
    from clevr_demo import CheckpointError, InputError
    from clevr_demo.models import Contender, usual_pair
    from clevr_demo.serve.studio import Studio
    from clevr_demo.ui import build_demo
    from clevr_demo.ui.server import serve, temporary_folder

    with temporary_folder():
        try:
            contenders = [*usual_pair(), *map(Contender.of, options.contender)]
            studio = Studio.load(contenders)
            demo = build_demo(studio)
        except InputError as error:
            sys.exit(f"--contender: {error}")
        except CheckpointError as error:
            sys.exit(f"The weights could not be loaded. {error}")
        serve(demo, studio, port)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        os._exit(130)  # while it was starting
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads that sleep inside torch would abort an ordinary exit
