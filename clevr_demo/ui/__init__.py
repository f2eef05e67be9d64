"""The page, the only room that knows Gradio: `build_demo()` builds it, `server.start()` starts it."""

from clevr_demo.ui.page import build_demo

__all__ = ["build_demo"]
