"""Addresses: where links start, where a visitor sees this server, and what a link says to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from clevr_demo.request import GenerationRequest, from_query
from clevr_demo.serve.studio import Studio


def home() -> str:
    """The page that shows a hosted Space in a frame, where its links start; "" anywhere else."""
    space = os.environ.get("SPACE_ID")
    return f"https://huggingface.co/spaces/{space}" if space else ""


def page_of(headers: Mapping[str, str]) -> str:
    """Where the links of a visitor's page start: at home, else at the address that the browser shows, by the headers of
    a request that its page makes."""
    shown = urlsplit(headers.get("referer", ""))
    return home() or f"{shown.scheme}://{shown.netloc}{shown.path}".removeprefix("://")


def server_of(scope: Mapping[str, Any]) -> str:
    """Where this server is seen, by the ASGI scope of a request and what a proxy adds to it; no slash at the end."""
    if space := os.environ.get("SPACE_HOST"):
        return f"https://{space}"
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    protocol = headers.get("x-forwarded-proto", str(scope.get("scheme", "http"))).partition(",")[0].strip()
    host = headers.get("x-forwarded-host", headers.get("host", "localhost")).partition(",")[0].strip()
    return f"{protocol}://{host}{scope.get('root_path', '')}"


def read(query: Mapping[str, str], studio: Studio) -> tuple[GenerationRequest, list[str]]:
    """The request of a link or a picture's metadata, and what to tell about it."""
    request, notes, theirs = from_query(query, studio.gates)
    for name, mark in theirs.items():
        if mark != (here := studio.fingerprint(name)):
            title = studio.contenders[name].title
            notes.append(
                f"Made with other {title} weights ({mark}, here {here}): its {title} picture may look different."
            )
    return studio.settled(request), notes
