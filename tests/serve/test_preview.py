"""What a shared link's preview says: ours, on Gradio's own page."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator

import brotli
import gradio as gr
import gradio.networking
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from starlette.middleware import Middleware

from clevr_demo.serve.preview import SENTENCE, TITLE, Preview, compressed, picture, rewritten
from tests.serving import free_port


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """Gradio's app of an empty page with the layer before it."""
    with gr.Blocks(title=TITLE, analytics_enabled=False) as demo:
        gr.Markdown("a page")
    layers = {"middleware": [Middleware(Preview)]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gradio.networking, "url_ok", lambda url: True)  # it gives up on a busy machine
        app, _, _ = demo.launch(
            server_port=free_port(), prevent_thread_lock=True, quiet=True, ssr_mode=False, app_kwargs=layers
        )
    yield TestClient(app)
    demo.close()


def found(page: str) -> dict[str, list[str]]:
    """The contents of every tag that a preview reads, by its name."""
    told: dict[str, list[str]] = {}
    for name, content in re.findall(r'<meta\s+(?:property|name)="((?:og|twitter):[^"]+)"\s+content="([^"]*)"', page):
        told.setdefault(name, []).append(content)
    return told


def test_the_page_is_called_by_our_name_alone(client: TestClient) -> None:
    page = client.get("/", headers={"host": "duel.example"}).text
    told = found(page)
    assert told["og:title"] == [TITLE]
    assert told["og:description"] == [SENTENCE]
    assert told["og:image"] == ["http://duel.example/preview.png"]
    assert told["twitter:card"] == ["summary_large_image"]
    assert "gradio" not in str(told).lower()
    assert "window.gradio_config" in page


def test_the_length_is_the_new_pages(client: TestClient) -> None:
    answer = client.get("/", headers={"accept-encoding": "identity"})
    assert int(answer.headers["content-length"]) == len(answer.content)
    packed = client.get("/", headers={"accept-encoding": "br"})
    assert packed.content == answer.content
    assert int(packed.headers["content-length"]) < 0.7 * len(answer.content)


def test_a_links_preview_names_its_objects_and_nothing_becomes_markup(client: TestClient) -> None:
    told = found(client.get("/?objects=red-cube,blue-sphere&seed=9").text)
    assert told["og:description"][0].startswith("red cube, blue sphere: drawn by")
    page = client.get("/?objects=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text
    assert found(page)["og:description"] == [SENTENCE]
    assert "<script>alert" not in page.partition("window.gradio_config")[0]


def test_a_preview_names_every_object_of_a_link_that_repeats_the_field(client: TestClient) -> None:
    told = found(client.get("/?objects=red-cube&objects=blue-sphere&seed=9").text)
    assert told["og:description"][0].startswith("red cube, blue sphere: drawn by")


def test_a_proxys_address_is_the_one_that_visitors_see(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    through = {"x-forwarded-proto": "https", "x-forwarded-host": "class.example"}
    assert found(client.get("/", headers=through).text)["og:url"] == ["https://class.example/"]
    monkeypatch.setenv("SPACE_HOST", "someone-clevr-duel.hf.space")
    assert found(client.get("/").text)["og:image"] == ["https://someone-clevr-duel.hf.space/preview.png"]


def test_the_picture_is_a_card_of_the_showcase(client: TestClient) -> None:
    answer = client.get("/preview.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == picture()
    assert Image.open(io.BytesIO(answer.content)).size == (1200, 630)


@pytest.mark.parametrize("encoding", ["br", "gzip, deflate, br, zstd", "gzip", "identity"])
def test_a_slow_line_gets_something_to_paint_first(client: TestClient, encoding: str) -> None:
    answer = client.get("/", headers={"accept-encoding": encoding})
    first, _, rest = answer.text.partition("window.gradio_config")
    assert first.count('<img src="data:image/png') == 2
    assert "An example: red cube, cyan sphere, yellow cylinder. Seed 7" in first
    assert SENTENCE in first
    assert "<gradio-app" in rest
    assert ("br" in encoding) == (answer.headers.get("content-encoding") == "br")
    assert "accept-encoding" in answer.headers["vary"].lower()


def test_the_pages_own_styles_stand_in_the_head(client: TestClient) -> None:
    """Where they came after their components' the same rule of both was theirs: white fields on a dark page."""
    head, _, body = client.get("/").text.partition("</head>")
    assert len(re.findall(r'<link rel="stylesheet"[^>]*assets/index-', head)) == 1
    assert 'rel="stylesheet"' not in body


def test_what_is_painted_first_can_be_unpacked_first() -> None:
    first, rest = (
        b"<p>the shell</p>" * 50,
        b"<script>window.gradio_config = 'long'" + random.Random(0).randbytes(99_999),
    )
    packed = compressed(first + rest)
    assert brotli.decompress(packed) == first + rest
    assert brotli.Decompressor().process(packed[:500]).startswith(first)


@pytest.mark.parametrize("query", ["objects=gray-cube&seed=9", "?OBJECTS=gray-cube&amp;seed=9".lstrip("?")])
def test_a_link_is_greeted_with_what_it_asks_for_and_no_pictures_of_something_else(
    client: TestClient, query: str
) -> None:
    first = client.get(f"/?{query}").text.partition("window.gradio_config")[0]
    assert "gray cube. Seed 9" in first
    assert "<img" not in first
    assert "<script>" not in client.get("/?objects=<script>alert(1)</script>").text.partition("<main")[2][:2000]


def test_files_whose_name_tells_their_content_are_kept_for_good(client: TestClient) -> None:
    page = client.get("/").text
    names = re.findall(r"\./(assets/index-[^\"]+)", page)
    assert len(names) >= 2
    for name in names:
        assert "immutable" in client.get(f"/{name}").headers["cache-control"]
    for other in ("/", "/assets/index-00000000.js", "/config"):
        assert "immutable" not in client.get(other).headers.get("cache-control", "")


def test_other_answers_pass_untouched(client: TestClient) -> None:
    assert client.get("/config").json()["title"] == TITLE
    assert client.get("/nothing-here").status_code == 404
    assert rewritten(b"<html>no settings here</html>", "", "http://a") == b"<html>no settings here</html>"
