"""What a training run keeps on disk: the lock, the state with its checksum, the log; and one line for what is wrong.

A run's folder may have been cut off by a full disk, half copied, edited, or be somebody else's. A state is taken up
only if it is whole and of this run: its checksum is that of its content, its preset that of the command. The log's
rows are kept in the state, so that a broken or lost log.csv is written again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from clevr_demo.checkpoints import reason, write_bytes, write_text

STATE = "state.pt"
LOG = "log.csv"
LOCK = "lock"
LENGTH = "loop.pictures"
"""The one setting in which a run may go on otherwise than it began: its length."""


class RunError(Exception):
    """A run that cannot start or go on; the message names the folder or file."""


def digest(value: Any) -> str:
    """SHA-256 of a state: of its numbers, texts, tensors and how they are nested."""
    hasher = hashlib.sha256()
    _feed(hasher, value)
    return hasher.hexdigest()


def _feed(hasher: Any, value: Any) -> None:
    if isinstance(value, torch.Tensor):
        hasher.update(f"{value.dtype}{list(value.shape)}".encode())
        hasher.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    elif isinstance(value, Mapping):
        hasher.update(b"{%d" % len(value))
        for key, one in value.items():
            hasher.update(repr(key).encode())
            _feed(hasher, one)
    elif isinstance(value, (list, tuple)):
        hasher.update(b"[%d" % len(value))
        for one in value:
            _feed(hasher, one)
    else:
        hasher.update(f"{type(value).__name__} {value!r}".encode())


def flat(settings: Any, prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level, "loop.batch", in what JSON makes of their values."""
    settings = json.loads(json.dumps(settings))
    if not isinstance(settings, dict):
        return {prefix.removesuffix("."): settings}
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= flat(value, f"{prefix}{name}.")
    return found


def differences(before: Any, now: Any) -> list[str]:
    """The settings, a run's length aside, that are not what they were: "rate 0.001, now 0.002"."""
    old, new = flat(before), flat(now)
    names = [name for name in old | new if name != LENGTH and old.get(name) != new.get(name)]
    return [f"{name} {old.get(name)}, now {new.get(name)}" for name in sorted(names)]


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state, self.log = path / STATE, path / LOG

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other trainers out of the folder; the lock goes with the process, however that ends."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            held = FileLock(self.path / LOCK).acquire(blocking=False)
        except Timeout:
            raise RunError(f"{self.path}: another trainer is at work here; use another --out") from None
        with held:
            yield

    # the state ----------------------------------------------------------------------------------------------------

    def write(self, state: dict[str, Any]) -> None:
        """Writes the state atomically: a kill at any moment leaves the old or the new file, never half a one."""
        buffer = io.BytesIO()  # torch hides what went wrong in a file; a full disk should say so
        torch.save(state | {"checksum": digest(state)}, buffer)
        write_bytes(self.state, buffer.getvalue())

    def read(self, preset: Any, data: str) -> dict[str, Any] | None:
        """The state, if there is one; it goes to the CPU. `data` is the digest of what the run learns from.

        Raises:
            RunError: the file is cut off, damaged, no run's, or of a run with another preset or other data.
        """
        if not self.state.exists():
            return None
        try:
            state = torch.load(self.state, map_location="cpu", weights_only=True)
            whole = state.pop("checksum") == digest(state)
            before = state["preset"]
        except OSError:
            raise
        except Exception as error:  # a cut or foreign file makes torch raise almost anything
            raise RunError(
                f"{self.state}: no whole state of a run ({reason(error)}); delete it to start again"
            ) from error
        if not whole:
            raise RunError(f"{self.state}: damaged, its checksum is another; delete it to start again")
        if changed := differences(before, preset):
            raise RunError(f"{self.state}: made with other settings ({'; '.join(changed[:3])}); use another --out")
        if state.get("data", data) != data:
            raise RunError(
                f"{self.state}: made with other data: train.json or the pictures have changed since; put them back, or "
                f"begin another run with another --out"
            )
        return dict(state)

    # the log ------------------------------------------------------------------------------------------------------

    def write_log(self, rows: Sequence[Sequence[object]]) -> None:
        """Writes log.csv, header first; without rows there is none."""
        if not rows:
            self.log.unlink(missing_ok=True)
            return
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        write_text(self.log, text.getvalue())
