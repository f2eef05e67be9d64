"""What a chat or a search engine shows of a link: our name, one sentence and a picture of a duel, not Gradio's.

Gradio writes its own name and picture into the page's head. `Preview` stands before its app, puts ours there and serves
the picture; as a plain ASGI layer it touches nothing else.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

from clevr_demo.request import from_query, query_of
from clevr_demo.serve import showcase
from clevr_demo.serve.addresses import server_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TITLE = "CLEVR duel"
SENTENCE = "A diffusion model and a GAN draw the same objects; an independent judge says what it sees."
PICTURE = "/preview.png"
HEAD_END = b"<script>window.gradio_config"
"""Where the head's tags end and the page's settings, which are long, begin."""
TAGS = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*', re.IGNORECASE)
MOST_NAMED = 6
"""The most objects of a link that its preview names."""


def sentence_of(query: str) -> str:
    """What a link's preview says: the objects it asks for, or what the page is."""
    request, _, _ = from_query(query_of(query))
    if not 1 <= len(request.objects) <= MOST_NAMED:
        return SENTENCE
    return f"{', '.join(request.names)}: drawn by a diffusion model and by a GAN, and judged. Seed {request.seed}."


def tags(query: str, address: str) -> str:
    """The head's tags for a link; `address` is where the page lives, without a slash at the end."""
    told = html.escape(sentence_of(query), quote=True)
    where = html.escape(address, quote=True)
    shown = {
        "og:type": "website",
        "og:site_name": TITLE,
        "og:title": TITLE,
        "og:description": told,
        "og:url": f"{where}/",
        "og:image": f"{where}{PICTURE}",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": html.escape(showcase.words(), quote=True),
    }
    lines = [f'<meta property="{name}" content="{content}">' for name, content in shown.items()]
    lines += [
        '<meta name="twitter:card" content="summary_large_image">',
        f'<meta name="description" content="{told}">',
        '<link rel="icon" type="image/svg+xml" href="./favicon.ico">',
    ]
    return "\n".join(lines)


def rewritten(page: bytes, query: str, address: str) -> bytes:
    """The page with our tags in place of Gradio's."""
    head, found, rest = page.partition(HEAD_END)
    if not found:
        return page
    text = TAGS.sub("", head.decode())
    return (text + tags(query, address) + "\n").encode() + found + rest


@cache
def picture() -> bytes:
    """The showcase's card as a PNG, drawn once."""
    buffer = io.BytesIO()
    showcase.card().save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


class Preview:
    """The layer. `app` is what comes after it."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "") if scope["type"] == "http" else None
        if path == PICTURE:
            await self.send_picture(send)
        elif path == "/" and scope["method"] == "GET":
            await self.send_page(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def send_picture(self, send: Send) -> None:
        content = picture()
        headers = [
            (b"content-type", b"image/png"),
            (b"content-length", str(len(content)).encode()),
            (b"cache-control", b"public, max-age=3600"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def send_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Collects the page, which comes in one or more parts, and sends it with our tags."""
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            if message["type"] != "http.response.body":  # an extension's own message
                await send(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            content = b"".join(parts)
            headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            plain = not any(name.lower() == b"content-encoding" for name, _ in headers)
            if plain and start["status"] == 200:
                content = rewritten(content, scope.get("query_string", b"").decode("latin-1"), server_of(scope))
            await send({**start, "headers": [*headers, (b"content-length", str(len(content)).encode())]})
            await send({"type": "http.response.body", "body": content})

        await self.app(scope, receive, collect)
