"""Where links start, where a server is seen, and what a link of other weights says."""

from __future__ import annotations

import pytest

from clevr_demo.request import GenerationRequest
from clevr_demo.serve.addresses import home, page_of, read, server_of
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


def test_a_link_of_other_weights_says_so() -> None:
    studio = fake_studio()
    query = {"objects": "red-cube", "seed": "9", "steps": "3", "ddpm": "ffffffff", "acgan": studio.fingerprint("acgan")}
    request, notes = read(query, studio)
    assert request == GenerationRequest.of(["red cube"], 9, 3)
    assert notes == [
        f"Made with other DDPM weights (ffffffff, here {studio.fingerprint('ddpm')}): "
        "its DDPM picture may look different."
    ]
