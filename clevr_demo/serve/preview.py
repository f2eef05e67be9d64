"""What a link shows before the page is there: its preview in a chat, and what a slow line paints first.

Gradio writes its own name and picture into the page's head. `Preview` stands before its app, puts ours there, serves
the picture, lets the page begin with `shell` and travel compressed, and says which files never change; as a plain ASGI
layer it touches nothing else.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

import brotli

from clevr_demo.request import from_query, query_of
from clevr_demo.serve import showcase
from clevr_demo.serve.addresses import server_of
from clevr_demo.serve.shell import shell

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TITLE = "CLEVR duel"
SENTENCE = "A diffusion model and a GAN draw the same objects; an independent judge says what it sees."
PICTURE = "/preview.png"
HEAD_END = b"<script>window.gradio_config"
"""Where the head's tags end and the page's settings, which are long, begin."""
STYLES = re.compile(rb'<link rel="stylesheet"[^>]*\shref="\./assets/[^>]*>')
"""The page's own style sheets, which stand after its settings. Its components' come later, and have to come after them:
of two rules of one weight the later one holds."""
TAGS = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*', re.IGNORECASE)
HASHED = re.compile(r"/assets/[^/]+-[\w-]{8}\.(?:js|css|woff2?)")
"""Files whose name tells their content."""
FOREVER = (b"cache-control", b"public, max-age=31536000, immutable")
QUALITY = 5
"""Of the compression: 12 ms for a fifth of the bytes."""
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
    """The page with our tags in place of Gradio's, and the shell before its settings.

    The shell opens the body. What Gradio meant for the head, but for its style sheets, then stands there too, and works
    there as well; its own body tag adds its attributes to the open one, as HTML has it.
    """
    head, found, rest = page.partition(HEAD_END)
    if not found:
        return page
    text = TAGS.sub("", head.decode())
    first = shell(TITLE, SENTENCE, from_query(query_of(query))[0])
    styles = b"".join(STYLES.findall(rest))
    opened = f"{text}{tags(query, address)}\n".encode() + styles + f"</head><body>{first}\n".encode()
    return opened + found + STYLES.sub(b"", rest)


def compressed(content: bytes) -> bytes:
    """Brotli's; all before the page's settings can be unpacked before the rest has come."""
    first, found, rest = content.partition(HEAD_END)
    packer = brotli.Compressor(quality=QUALITY)
    return packer.process(first) + packer.flush() + packer.process(found + rest) + packer.finish()


def takes_brotli(scope: Scope) -> bool:
    return any(name.lower() == b"accept-encoding" and b"br" in value for name, value in scope["headers"])


def kept_for_good(send: Send) -> Send:
    """Lets a browser keep a file that was found."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            others = [one for one in message["headers"] if one[0].lower() != FOREVER[0]]
            message = {**message, "headers": [*others, FOREVER]}
        await send(message)

    return told


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
        elif path and HASHED.fullmatch(path):
            await self.app(scope, receive, kept_for_good(send))
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
                headers.append((b"vary", b"accept-encoding"))
                if takes_brotli(scope):
                    content = compressed(content)
                    headers.append((b"content-encoding", b"br"))
            await send({**start, "headers": [*headers, (b"content-length", str(len(content)).encode())]})
            await send({"type": "http.response.body", "body": content})

        await self.app(scope, receive, collect)
