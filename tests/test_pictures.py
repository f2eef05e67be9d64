"""Pictures that carry their request: what is written is read back, and no stranger's file does harm."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from clevr_demo.pictures import MARK, animation, from_image, png, query_in, to_image
from clevr_demo.request import GenerationRequest, from_query, query_of
from tests.anything import mutated

REQUEST = GenerationRequest.of(["red cube", "blue sphere"], seed=7, steps=20)
QUERY = REQUEST.query({"ddpm": "0123abcd"})
FILMS = [Image.new("RGB", (64, 64), colour) for colour in ("gray", "red")]
WRITERS: dict[str, Callable[[str], bytes]] = {
    "png": lambda query: png(FILMS[0], query),
    "webp": lambda query: animation(FILMS, query, scale=1),
    "gif": lambda query: animation(FILMS, query, kind="GIF", scale=1),
}


def query_of_file(content: bytes, tmp_path: Path) -> str | None:
    (tmp_path / "file").write_bytes(content)
    return query_in(tmp_path / "file")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_picture_brings_its_request_back(kind: str, tmp_path: Path) -> None:
    found = query_of_file(WRITERS[kind](QUERY), tmp_path)
    assert found == QUERY
    assert from_query(query_of(found)) == (REQUEST, [], {"ddpm": "0123abcd"})


@pytest.mark.parametrize("kind", WRITERS)
def test_of_a_giant_query_the_first_part_is_read(kind: str, tmp_path: Path) -> None:
    found = query_of_file(WRITERS[kind](QUERY + "&junk=" + "x" * 50_000), tmp_path)
    assert found is not None
    assert len(found) <= 4096
    assert from_query(query_of(found))[0] == REQUEST


@pytest.mark.parametrize("content", [b"", b"text", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
def test_other_files_carry_no_request(content: bytes, tmp_path: Path) -> None:
    assert query_of_file(content, tmp_path) is None
    assert query_in(tmp_path / "absent") is None
    assert query_in(tmp_path) is None


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def crafted(side: int, *chunks: bytes) -> bytes:
    """A PNG that claims to be `side` pixels wide and high, with these chunks before its (absent) pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def plain() -> Image.Image:
    return Image.new("RGB", (64, 64), "gray")


def reordered(png_file: bytes) -> bytes:
    """The PNG as ImageMagick writes it: its texts behind its pixels."""
    chunks, place = [], 8
    while place < len(png_file):
        size = 12 + int.from_bytes(png_file[place : place + 4], "big")
        chunks.append(png_file[place : place + size])
        place += size
    text = [one for one in chunks if one[4:8] in (b"tEXt", b"zTXt", b"iTXt")]
    rest = [one for one in chunks if one not in text]
    assert text
    return png_file[:8] + b"".join([*rest[:-1], *text, rest[-1]])


def test_text_behind_the_pixels_is_found(tmp_path: Path) -> None:
    assert query_of_file(reordered(png(plain(), QUERY)), tmp_path) == QUERY


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_metadata_that_another_format_kept_is_found(kind: str, tmp_path: Path) -> None:
    film = Image.open(io.BytesIO(animation([plain()] * 2, QUERY, kind="WEBP" if kind != "GIF" else "GIF")))
    kept = {"comment": film.info["comment"]} if kind == "GIF" else {"exif": film.getexif()}
    buffer = io.BytesIO()
    film.convert("RGB").save(buffer, format=kind, **kept)
    assert query_of_file(buffer.getvalue(), tmp_path) == QUERY


def compressed(text: str) -> bytes:
    return chunk(b"zTXt", MARK.encode() + b"\0\0" + zlib.compress(text.encode(), 9))


def test_one_kilobyte_of_names_costs_no_time(tmp_path: Path) -> None:
    content = crafted(64, compressed("objects=" + "ab," * 300_000))
    assert len(content) < 2000
    started = time.process_time()
    found = query_of_file(content, tmp_path)
    assert found is not None
    _, notes, _ = from_query(query_of(found))
    assert time.process_time() - started < 0.5
    assert len(notes) <= 8


@pytest.mark.parametrize("text", ["a" * 10**7, "\0" * 10**7])
def test_a_text_bomb_is_no_picture_of_ours(text: str, tmp_path: Path) -> None:
    assert query_of_file(crafted(64, compressed(text)), tmp_path) is None


@pytest.mark.parametrize("side", [15_000, 60_000, 2**31 - 1])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_giant_size_is_not_unpacked(side: int, tmp_path: Path) -> None:
    started = time.process_time()
    assert query_of_file(crafted(side), tmp_path) is None
    assert time.process_time() - started < 0.5


def test_a_large_picture_still_says_how_it_was_drawn(tmp_path: Path) -> None:
    with pytest.warns(Image.DecompressionBombWarning):
        assert query_of_file(crafted(10_000, compressed(QUERY)), tmp_path) == QUERY


def resealed(content: bytes) -> bytes:
    """A mutated PNG whose chunks have their right checksums again, so that its reader goes on to their contents."""
    out, at = content[:8], 8
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        out += chunk(content[at + 4 : at + 8], content[at + 8 : at + 8 + length])
        at += 12 + length
    return out


WHOLE = {kind: write(QUERY) for kind, write in WRITERS.items()}


@given(st.sampled_from(sorted(WRITERS)), st.integers(0, 2**32), st.booleans())
def test_any_damaged_picture_is_read_or_refused(kind: str, seed: int, reseal: bool) -> None:
    content = mutated(WHOLE[kind], random.Random(seed))
    found = query_in(io.BytesIO(resealed(content) if reseal and kind == "png" else content))
    if found is not None:
        from_query(query_of(found))


@given(st.binary(max_size=2000), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x10\0\0\0WEBPVP8X"]))
def test_any_bytes_are_read_or_refused(content: bytes, start: bytes) -> None:
    query_in(io.BytesIO(start + content))


def test_text_chunks_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a comment of text, not of bytes")
    buffer = io.BytesIO()
    FILMS[0].save(buffer, format="PNG", pnginfo=text)
    assert query_of_file(buffer.getvalue(), tmp_path) is None


def test_pixels_and_pictures_are_each_others_inverse() -> None:
    levels = torch.arange(256, dtype=torch.uint8).repeat(48).view(3, 64, 64)
    pixels = levels.float() / 127.5 - 1
    image = to_image(pixels)
    assert np.array_equal(np.asarray(image), levels.permute(1, 2, 0).numpy())
    assert torch.allclose(from_image(image), pixels, atol=1e-6)
    assert np.asarray(to_image(torch.full((3, 64, 64), 7.0))).min() == 255
    assert np.asarray(to_image(torch.full((3, 64, 64), -7.0))).max() == 0
