"""Where links start, where a server is seen, and what a link of other weights says."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from starlette.requests import Request

from clevr_demo.checkpoints import fingerprint, former
from clevr_demo.request import PAIR, GenerationRequest
from clevr_demo.serve.addresses import Proxied, home, origin_of, page_of, server_of
from tests.conftest import shipped
from tests.fakes import fake_studio


def test_links_start_where_the_browser_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert home() == ""
    assert page_of({"referer": "http://duel.example/here?seed=1"}) == "http://duel.example/here"
    assert page_of({}) == ""


def test_a_spaces_links_start_at_its_own_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/clevr-duel")
    assert home() == page_of({"referer": "http://duel.example/"}) == "https://huggingface.co/spaces/someone/clevr-duel"


def test_a_server_is_seen_through_its_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_HOST", raising=False)
    scope = {"scheme": "http", "headers": [(b"Host", b"127.0.0.1:7860")], "root_path": "/duel"}
    assert server_of(scope) == "http://127.0.0.1:7860/duel"
    proxied = [
        *scope["headers"],
        (b"X-Forwarded-Proto", b"https, http"),
        (b"x-forwarded-host", b"a.example, b.example"),
    ]
    assert server_of({"headers": proxied}) == "https://a.example"
    monkeypatch.setenv("SPACE_HOST", "someone-clevr-duel.hf.space")
    assert server_of(scope) == "https://someone-clevr-duel.hf.space"


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ({"host": "127.0.0.1:7860"}, ("http", "127.0.0.1:7860")),
        ({"host": "duel.example"}, ("http", "duel.example")),
        ({"host": "duel.example", "x-forwarded-port": "8080"}, ("http", "duel.example:8080")),
        ({"host": "duel.example:8080", "x-forwarded-port": "80"}, ("http", "duel.example:8080")),
        ({"host": "inner:7860", "x-forwarded-host": "duel.example"}, ("http", "duel.example")),
        (
            {"host": "inner", "x-forwarded-host": "duel.example:81, b", "x-forwarded-port": "9"},
            ("http", "duel.example:81"),
        ),
        ({"host": "duel.example", "x-forwarded-proto": "https", "x-forwarded-port": "443"}, ("https", "duel.example")),
        ({"host": "duel.example", "x-forwarded-proto": "https", "x-forwarded-port": "80"}, ("https", "duel.example")),
        (
            {"host": "duel.example", "x-forwarded-proto": "https,http", "x-forwarded-port": "8443, 80"},
            ("https", "duel.example:8443"),
        ),
        ({"host": "[::1]", "x-forwarded-port": "8080"}, ("http", "[::1]:8080")),
        ({"host": "[::1]:81", "x-forwarded-port": "8080"}, ("http", "[::1]:81")),
        (
            {"host": "duel.example", "x-forwarded-proto": "javascript", "x-forwarded-port": "x"},
            ("http", "duel.example"),
        ),
        ({"x-forwarded-host": "", "host": "duel.example"}, ("http", "duel.example")),
        ({}, ("http", "localhost")),
    ],
)
def test_the_origin_is_the_one_that_the_browser_shows(headers: dict[str, str], seen: tuple[str, str]) -> None:
    raw = [(name.title().encode(), value.encode()) for name, value in headers.items()]
    assert origin_of({"scheme": "http", "headers": raw}) == seen


def test_an_application_behind_proxies_sees_what_its_visitors_see() -> None:
    heard: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        heard.append(Request(scope))

    headers = [
        (b"host", b"inner"),
        (b"x-forwarded-host", b"duel.example"),
        (b"x-forwarded-port", b"8443"),
        (b"a", b"b"),
    ]
    scope = {"type": "http", "scheme": "http", "path": "/x", "query_string": b"", "headers": headers, "root_path": ""}
    asyncio.run(Proxied(application)(scope | {"headers": [*headers, (b"x-forwarded-proto", b"https")]}, None, None))
    (request,) = heard
    assert str(request.url) == "https://duel.example:8443/x"
    assert "x-forwarded-port" not in request.headers
    assert request.headers["a"] == "b"


def test_a_link_of_other_weights_says_so() -> None:
    studio = fake_studio()
    query = {"objects": "red-cube", "seed": "9", "steps": "3", "ddpm": "ffffffff", "acgan": studio.fingerprint("acgan")}
    request, notes = studio.read(query)
    assert request == GenerationRequest.of(["red cube"], 9, 3)
    assert notes == [
        f"Made with other DDPM weights (ffffffff, here {studio.fingerprint('ddpm')}): "
        "its DDPM picture may look different."
    ]


@pytest.mark.parametrize("kind", PAIR)
def test_a_link_of_earlier_weights_names_the_commit_that_still_draws_it(kind: str) -> None:
    commits = former(kind)
    assert fingerprint(shipped(kind)) not in commits
    for mark, commit in commits.items():
        assert re.fullmatch("[0-9a-f]{8}", mark)
        assert re.fullmatch("[0-9a-f]{7}", commit)
        (note,) = fake_studio().read({"objects": "red-cube", "seed": "9", "steps": "3", kind: mark})[1]
        assert note.endswith(f"Commit {commit} of this project still draws it.")
