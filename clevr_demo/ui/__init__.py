"""The page, the only room that knows Gradio: `build_demo()` builds it, `launch_options()` says how to start it."""

from clevr_demo.ui.page import build_demo, launch_options

__all__ = ["build_demo", "launch_options"]
