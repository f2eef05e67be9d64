"""Addresses: where links start, and where a visitor sees this server.

Middleware(Proxied) in an ASGI application lets everything behind it see the addresses that its visitors see.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def home() -> str:
    """The page that shows a hosted Space in a frame, where its links start; "" anywhere else."""
    space = os.environ.get("SPACE_ID")
    return f"https://huggingface.co/spaces/{space}" if space else ""


def page_of(headers: Mapping[str, str]) -> str:
    """Where the links of a visitor's page start: at home, else at the address that the browser shows, by the headers of
    a request that its page makes."""
    shown = urlsplit(headers.get("referer", ""))
    return home() or f"{shown.scheme}://{shown.netloc}{shown.path}".removeprefix("://")


def origin_of(scope: Mapping[str, Any]) -> tuple[str, str]:
    """("https", "duel.example:8443"): where this server is seen, by the ASGI scope of a request and what its proxies
    add to it. Of several proxies the first counts, which the visitor met. Forwarded ports 80 and 443 say nothing: they
    are the protocols' own, or of a hop behind the one that ended TLS."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

    def told(name: str) -> str:
        return headers.get(f"x-forwarded-{name}", "").partition(",")[0].strip()

    protocol = told("proto") if told("proto") in ("http", "https") else str(scope.get("scheme", "http"))
    host, port = told("host") or headers.get("host", "localhost"), told("port")
    known = re.search(r":\d+$", host) or not port.isdecimal() or port in ("80", "443")
    return protocol, host if known else f"{host}:{port}"


def server_of(scope: Mapping[str, Any]) -> str:
    """The address of this server's page by the ASGI scope of a request, a Space's own or as `origin_of` says, with the
    path that it stands under; no slash at the end."""
    if space := os.environ.get("SPACE_HOST"):
        return f"https://{space}"
    protocol, host = origin_of(scope)
    return f"{protocol}://{host}{scope.get('root_path', '')}"


class Proxied:
    """ASGI middleware that puts what `origin_of` says in place of what proxies add, which every framework reads its own
    way: Gradio heeds no forwarded port, and Starlette no forwarded host."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            protocol, host = origin_of(scope)
            ours = {b"host": host.encode("latin-1"), b"x-forwarded-proto": protocol.encode("latin-1")}
            told = {*ours, b"x-forwarded-host", b"x-forwarded-port"}
            kept = [(name, value) for name, value in scope["headers"] if name.lower() not in told]
            scope = {**scope, "scheme": protocol, "headers": [*ours.items(), *kept]}
        await self.app(scope, receive, send)
