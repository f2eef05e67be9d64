"""The i-CLEVR pictures and prompts.

    data = load_pictures("data/iclevr")         # (N, 3, 64, 64) uint8, (N, 24) multi-hot, scene numbers
    train, held_out = data.split()              # by scene: held out is every scene divisible by 20
    prompts = load_prompts("data/iclevr/test.json")

A data folder holds `train.json` and the pictures, either beside it or in `images/`, `iclevr/` or `train/`. Pictures
of any size and mode are resized straight to 64x64, without cropping: the course's evaluator was made for pictures that
are resized directly, and finds far less in cropped or padded ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Self

import numpy as np
import torch
from PIL import Image
from tqdm.auto import tqdm

from clevr_demo.checkpoints import replacing
from clevr_demo.objects import INDEX, InputError, multi_hot, parse, shown
from clevr_demo.places import SIZE
from train.data.rows import Rows

HELD_OUT_EVERY = 20
PICTURE_FOLDERS = ("", "images", "iclevr", "train")
LONGEST_NAME = 255  # bytes of a file name, on most file systems
LONGEST_SCENE = 12  # digits


class DataError(Exception):
    """Something is wrong with the data folder; the message names the file."""


@dataclass(frozen=True)
class Pictures(Rows):
    """Pictures with their labels. `pixels` (N, 3, 64, 64) uint8, `labels` (N, 24) float32, `scenes` (N,) int64."""

    pixels: torch.Tensor
    labels: torch.Tensor
    scenes: torch.Tensor

    @property
    def held_out(self) -> torch.Tensor:
        """(N,) which of them are held out; a scene's pictures share objects, so the split is by scene."""
        return self.scenes % HELD_OUT_EVERY == 0

    def split(self) -> tuple[Self, Self]:
        """(training, held-out) pictures."""
        return self.take(~self.held_out), self.take(self.held_out)


def to_unit(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 pixels to float32 in [-1, 1], the range that every network here works in."""
    return pixels.float().div_(127.5).sub_(1.0)


def read_json(path: Path) -> object:
    """Contents of a JSON file; a missing or broken one is a DataError that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error})") from None


def check_objects(path: Path) -> None:
    """Checks that an objects.json has the 24 objects at the indices that the networks use."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected a JSON object of object name to index")
    wrong = [name for name in INDEX | found if name not in found or found[name] != INDEX.get(name)]
    if wrong:
        raise DataError(f"{path}: does not list the 24 i-CLEVR objects in their order (differs at {wrong[:3]})")


def parse_labels(labels: object, where: str) -> tuple[int, ...]:
    """Object indices of one JSON entry; `where` names the entry in the error."""
    try:
        if not isinstance(labels, list):
            raise InputError("objects", f"expected a list of object names, got {shown(labels)}")
        return parse(labels)
    except InputError as error:
        raise DataError(f"{where}: {error}") from None


def load_prompts(path: str | Path) -> list[tuple[int, ...]]:
    """Object sets of a prompt file (test.json, new_test.json): a JSON list of lists of names."""
    path = Path(path)
    entries = read_json(path)
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{path}: a prompt file is a non-empty JSON list of lists of object names")
    return [parse_labels(entry, f"{path}, prompt {number}") for number, entry in enumerate(entries)]


def listing_folder(folder: str | Path) -> Path:
    """Where in a data folder train.json and the prompt files lie: in itself or, as the course's archive has it, in
    file/ beside the pictures' folder."""
    folder = Path(folder)
    return next((place for place in (folder, folder / "file") if (place / "train.json").is_file()), folder)


def find_prompts(name: str, folder: str | Path) -> Path:
    """Path of a prompt file given as a path, or as a name inside the data folder."""
    for candidate in (Path(name), listing_folder(folder) / name):
        if candidate.is_file():
            return candidate
    raise DataError(f"{name}: no such prompt file, neither here nor in {folder}")


def find_pictures(folder: Path, names: list[str]) -> Path:
    """The folder that holds the pictures of a listing's folder; the first one named decides the layout, then all must
    be there."""
    places = [folder / sub for sub in PICTURE_FOLDERS]
    places += [folder.resolve().parent / sub for sub in PICTURE_FOLDERS if sub]
    for place in places:
        if (place / names[0]).is_file():
            missing = next((name for name in names if not (place / name).is_file()), None)
            if missing:
                raise DataError(f"{place / missing}: listed in train.json but missing")
            return place
    raise DataError(f"{folder}: no picture {names[0]} in any of {', '.join(map(str, places))}")


def scene_of(name: str) -> int:
    """Scene number in a file name such as CLEVR_train_002066_1.png; the name may lead no further than its folder."""
    path, told = PurePath(name), shown(name)[1:-1]
    if path.is_absolute() or ".." in path.parts or len(path.name) > LONGEST_NAME:
        raise DataError(f"{told}: not the name of a picture inside the folder")
    match = re.search(r"(\d+)_\d+\.\w+$", name, re.ASCII)
    if not match:
        raise DataError(f"{told}: no scene number in the file name (expected e.g. CLEVR_train_002066_1.png)")
    if len(match.group(1)) > LONGEST_SCENE:
        raise DataError(f"{told}: a scene number has at most {LONGEST_SCENE} digits")
    return int(match.group(1))


def read_picture(path: Path) -> np.ndarray:
    """(3, 64, 64) uint8 of one picture file, resized straight to 64x64."""
    try:
        with Image.open(path) as file:
            if file.mode.startswith("I;16"):  # 16 bits of gray; convert would clip them at 255
                picture = Image.fromarray((np.asarray(file) >> 8).astype(np.uint8)).convert("RGB")
            else:
                picture = file.convert("RGB")
    except Exception as error:  # a broken file makes Pillow raise almost anything
        raise DataError(f"{path}: not a readable picture ({error})") from None
    if picture.size != (SIZE, SIZE):
        picture = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return np.asarray(picture).transpose(2, 0, 1)


def cache_file(folder: Path, place: Path, names: list[str]) -> Path:
    """Where the unpacked pixels of these files are kept: the name changes with any file's name, size or time."""
    digest = hashlib.sha256()
    for name in names:
        facts = (place / name).stat()
        digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    name = f"iclevr{SIZE}-{digest.hexdigest()[:16]}.npy"
    if os.access(folder, os.W_OK):
        return folder / ".cache" / name
    return Path(tempfile.gettempdir()) / "clevr-duel" / name


def read_cache(cache: Path, number: int) -> np.ndarray | None:
    """The unpacked pixels of `number` pictures, or None where the file is absent or broken."""
    try:
        pixels = np.load(cache, allow_pickle=False)
    except Exception:  # whatever half a file makes NumPy raise: it is made again
        return None
    return pixels if pixels.shape == (number, 3, SIZE, SIZE) and pixels.dtype == np.uint8 else None


def write_cache(cache: Path, pixels: np.ndarray) -> None:
    """Keeps the pixels for the next start, which can do without: a full disk is worth a line, no more."""
    try:
        with replacing(cache) as file:
            np.save(file, pixels)
    except OSError as error:
        print(f"{cache}: not kept ({error.strerror}); the pictures are read again next time", file=sys.stderr)


def load_pictures(folder: str | Path, progress: bool = True) -> Pictures:
    """All pictures that train.json lists, in its order.

    Raises:
        DataError: names the broken, missing or unknown file, entry or label.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    if not any(folder.iterdir()):
        raise DataError(f"{folder}: the folder is empty")
    listing = listing_folder(folder) / "train.json"
    entries = read_json(listing)
    if not isinstance(entries, dict) or not entries:
        raise DataError(f"{listing}: expected a non-empty JSON object of file name to object names")
    if (objects := listing.with_name("objects.json")).exists():
        check_objects(objects)
    names = list(entries)
    labels = multi_hot(parse_labels(entries[name], f"{listing}, {name}") for name in names)
    try:
        scenes = torch.tensor([scene_of(name) for name in names])
    except DataError as error:
        raise DataError(f"{listing}, {error}") from None
    place = find_pictures(listing.parent, names)
    if listing.parent != folder or folder not in (place, place.parent):
        print(f"{listing} with the pictures of {place}", file=sys.stderr)
    cache = cache_file(folder, place, names)
    pixels = read_cache(cache, len(names))
    if pixels is None:
        bar = tqdm(names, desc="reading pictures", unit="picture", disable=not progress)
        pixels = np.stack([read_picture(place / name) for name in bar])
        write_cache(cache, pixels)
    return Pictures(torch.from_numpy(pixels), labels, scenes)


def background(pictures: Pictures, most: int = 2000) -> torch.Tensor:
    """(3, 64, 64) per-pixel median of the pictures in [-1, 1]: the empty scene."""
    return to_unit(pictures.pixels[:: max(1, len(pictures) // most)]).median(dim=0).values


def predecessors(pictures: Pictures) -> torch.Tensor:
    """(N,) index of the same scene's picture with one object less, or -1 for a scene's first picture.

    A scene's pictures stand together in train.json, in the order in which its objects were added.
    """
    counts, before = pictures.labels.sum(dim=1), torch.arange(len(pictures)) - 1
    follows = (pictures.scenes == pictures.scenes[before]) & (counts == counts[before] + 1)
    follows[0] = False
    return torch.where(follows, before, -1)


def label_sets(labels: torch.Tensor) -> list[tuple[int, ...]]:
    """The objects' indices, ascending, of each row of (N, 24) labels."""
    return [tuple(row.nonzero().flatten().tolist()) for row in labels]
