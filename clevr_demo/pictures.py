"""Tensors to pictures: single ones, grids, film strips and animations, and the query that they carry with them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from PIL import Image

from clevr_demo.objects import MOST_TEXT


def to_uint8(pixels: torch.Tensor) -> np.ndarray:
    """(..., 3, H, W) floats in [-1, 1] to (..., H, W, 3) uint8; values outside are clipped."""
    levels = pixels.detach().float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return levels.movedim(-3, -1).cpu().numpy()


def to_image(pixels: torch.Tensor) -> Image.Image:
    """(3, H, W) floats in [-1, 1] to an RGB picture."""
    return Image.fromarray(to_uint8(pixels))


def from_image(image: Image.Image, size: int = 64) -> torch.Tensor:
    """(3, size, size) floats in [-1, 1] of a picture, resized straight to that size."""
    image = image.convert("RGB")
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(image)).movedim(-1, 0).float().div_(127.5).sub_(1.0)


def grid(pixels: torch.Tensor, columns: int = 8) -> Image.Image:
    """One picture of (N, 3, H, W) floats in [-1, 1], `columns` side by side."""
    from torchvision.utils import make_grid  # here: it takes 130 MB of memory

    return to_image(make_grid(pixels.float().cpu().clamp(-1, 1), nrow=columns, padding=2, pad_value=1.0))


MARK = "clevr-duel"
"""The name under which pictures carry the query that drew them."""
MOST_PIXELS = 2**24
"""Of a picture whose pixels are read for what stands behind them; ours have far fewer."""
DESCRIPTION = 0x010E  # EXIF's ImageDescription, which WebP can carry


def film_strip(rows: Sequence[Sequence[Image.Image]], gap: int = 2) -> Image.Image:
    """Pictures of one size in rows, on white; a single row of rows' pictures is a strip, several make a grid."""
    width, height = rows[0][0].size
    columns = max(len(row) for row in rows)
    size = (columns * (width + gap) + gap, len(rows) * (height + gap) + gap)
    strip = Image.new("RGB", size, "white")
    for down, row in enumerate(rows):
        for across, image in enumerate(row):
            strip.paste(image, (gap + across * (width + gap), gap + down * (height + gap)))
    return strip


def difference(first: Image.Image, second: Image.Image) -> Image.Image:
    """How far two pictures of one size differ, pixel by pixel: the largest of the three channels, white for 255."""
    apart = np.abs(np.asarray(first, dtype=np.int16) - np.asarray(second, dtype=np.int16)).max(axis=-1)
    return Image.fromarray(apart.astype(np.uint8)).convert("RGB")


def png(image: Image.Image, query: str = "") -> bytes:
    """The picture as a PNG; with a query, one that knows how it was drawn."""
    from PIL.PngImagePlugin import PngInfo

    text, buffer = PngInfo(), io.BytesIO()
    if query:
        text.add_text(MARK, query)
    image.save(buffer, format="PNG", pnginfo=text)
    return buffer.getvalue()


def enlarged(image: Image.Image, scale: int) -> Image.Image:
    """The picture with `scale` times `scale` hard pixels for one."""
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def animation(images: Sequence[Image.Image], query: str = "", kind: str = "WEBP", scale: int = 4) -> bytes:
    """An endless WebP or GIF of the pictures, enlarged to hard pixels; the last one stands for a second.

    It carries the query as its EXIF description or its comment.
    """
    large = [enlarged(image, scale) for image in images]
    options: dict[str, Any] = {"duration": [80] * (len(large) - 1) + [1000], "loop": 0}
    if kind == "WEBP":
        exif = Image.Exif()
        exif[DESCRIPTION] = f"{MARK}?{query}"
        options |= {"exif": exif, "quality": 80, "method": 2}
    else:
        options["comment"] = f"{MARK}?{query}".encode()
    buffer = io.BytesIO()
    large[0].save(buffer, format=kind, save_all=True, append_images=large[1:], **options)
    return buffer.getvalue()


def query_in(path: str | Path | IO[bytes]) -> str | None:
    """The query that a PNG, WebP, GIF or JPEG of ours carries, or None for any other file, broken ones included.

    Other programs save a PNG's text behind its pixels, and a WebP's or a GIF's as what a JPEG has for it.
    """
    try:
        with Image.open(path, formats=("PNG", "WEBP", "GIF", "JPEG")) as image:
            if MARK not in image.info and image.format == "PNG" and image.width * image.height <= MOST_PIXELS:
                image.load()
            if MARK in image.info:
                return str(image.info[MARK])[:MOST_TEXT]
            comment = image.info.get("comment", b"")
            texts = [image.getexif().get(DESCRIPTION, ""), comment[:MOST_TEXT].decode("utf-8", "replace")]
    except Exception:  # a broken file makes Pillow raise almost anything, a decompression bomb an error of its own
        return None
    for text in texts:
        if isinstance(text, str) and text.startswith(f"{MARK}?"):
            return text.partition("?")[2][:MOST_TEXT]
    return None
