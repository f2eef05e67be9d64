"""The page, the only room where gradio is used: `build_demo()` builds it, `launch_options()` says how to start it.

Both are imported when they are asked for, so that what needs no page, such as a grid's axes, can be had without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clevr_demo.ui.page import build_demo, launch_options

__all__ = ["build_demo", "launch_options"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from clevr_demo.ui import page

    return getattr(page, name)
