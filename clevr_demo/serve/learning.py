"""How both models learn: pictures of the same requests at moments of their runs, as `train.measure learning` made them.

learned()            # {"requests", "models": {name: {"moments", "shares", "curves", "picture"}}, "looks"}, or None
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import ROOT

FOLDER = ROOT / "learning"
FILE = "learning.json"
MOST_BYTES = 3_000_000
"""Of all sheets together."""


def there(folder: Path = FOLDER) -> bool:
    """Whether there is anything to show."""
    return (folder / FILE).is_file()


def learned(folder: Path = FOLDER) -> dict[str, Any] | None:
    """What the page shows, with the sheets in base64; None where it was not made or is broken."""
    try:
        found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        for one in found["models"].values():
            one["picture"] = base64.b64encode((folder / Path(one["sheet"]).name).read_bytes()).decode()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found
