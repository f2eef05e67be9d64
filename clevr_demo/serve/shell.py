"""What a visitor sees until the page's scripts are there: its name, what is asked for, and the showcase's two pictures.

It stands before the page's long settings and needs no script and no other file, so that a slow line paints it first. It
lies above everything and moves nothing; the page takes it away when it is there.
"""

from __future__ import annotations

import html

from clevr_demo.models import usual_pair
from clevr_demo.request import GenerationRequest
from clevr_demo.serve import showcase
from clevr_demo.serve.wording import asked

STYLE = """
#shell { position: fixed; inset: 0; z-index: 100; overflow: hidden; padding: 16px;
  font: 16px/1.45 system-ui, sans-serif;  background: var(--bg, #fff); color: var(--col, #1f2937); }
#shell h1 { font-size: 24px; margin: 0; } #shell p { margin: 4px 0 0; }
#shell .pair { display: flex; gap: 20px; margin: 20px 0; max-width: 640px; }
#shell figure { flex: 1; min-width: 0; margin: 0; }
#shell :is(img, .empty) { display: block; width: 100%; height: auto; aspect-ratio: 1; border-radius: 10px;
  image-rendering: pixelated; background: rgb(128 128 128 / 20%); }
body:has(#studio) #shell { display: none; }
@media (prefers-color-scheme: dark) { #shell { background: var(--bg-dark, #0b0f19); color: var(--col-dark, #f3f4f6); } }
"""


def _figure(title: str, model: str, drawn: bool) -> str:
    """A contender's finished picture with its verdict, or the room for one."""
    if not drawn:
        return f'<figure><div class="empty"></div><figcaption>{html.escape(title)}</figcaption></figure>'
    last = showcase.payload()["pairs"][0][model]["last"]
    told = html.escape(f"{title}: {last['told']}", quote=True)
    picture = f'<img src="data:image/png;base64,{last["x0"]}" alt="" width="64" height="64">'
    return f"<figure>{picture}<figcaption>{told}</figcaption></figure>"


def shell(title: str, sentence: str, request: GenerationRequest) -> str:
    """The markup: the example, or the room for a link's pictures where it names objects."""
    example = not request.objects
    words = f"An example: {asked(showcase.REQUEST)}" if example else asked(request)
    pair = "".join(_figure(one.title, one.name, example) for one in usual_pair())
    return (
        f'<style>{STYLE}</style><main id="shell"><h1>{html.escape(title)}</h1><p>{html.escape(sentence)}</p>'
        f'<div class="pair">{pair}</div><p>{html.escape(words)}</p><p role="status">The page is on its way.</p></main>'
    )
