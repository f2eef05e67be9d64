"""Starts the demo: python app.py, then open the address that it prints.

The port is 7860 or the one that GRADIO_SERVER_PORT names. CLEVR_DDPM, CLEVR_ACGAN and CLEVR_EVALUATOR may name other
checkpoint folders than those that ship with the project.
"""

from __future__ import annotations

import contextlib
import os
import sys

with contextlib.suppress(ImportError):
    import spaces  # noqa: F401  # on a Space with a shared GPU it has to come before torch

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from clevr_demo import CheckpointError  # noqa: E402
from clevr_demo.ui import build_demo, launch_options  # noqa: E402


def main() -> None:
    try:
        demo = build_demo()
    except CheckpointError as error:
        sys.exit(f"The weights could not be loaded. {error}")
    demo.launch(**launch_options())


if __name__ == "__main__":
    main()
