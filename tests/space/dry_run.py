"""A dry run of the Space: python -m tests.space.dry_run

Makes a fresh environment with exactly what requirements.txt says (or takes --python), sets the variables that a Space
has, cuts the network off where the system lets it, starts the app, draws by the endpoint and looks at the link. Prints
how long the start took and how much memory the app takes.
"""

from __future__ import annotations

import argparse
import ctypes
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from tests.serving import ROOT, call, pixels, resident, running_app

SPACE = {
    "SYSTEM": "spaces",
    "SPACE_ID": "someone/clevr-duel",
    "SPACE_HOST": "someone-clevr-duel.hf.space",
    "GRADIO_SSR_MODE": "True",
    "HF_HUB_OFFLINE": "1",
}
START, MEMORY = 10.0, 1200.0
"""Seconds from the start to a drawn picture and MB, at most, on two idle cores."""


def front_matter() -> dict[str, str]:
    """The README's settings of the Space, lists as they stand."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    pairs = re.findall(r"^(\w+):\s*(.*(?:\n  - .*)*)$", text, flags=re.MULTILINE)
    return {name: value.strip().strip('"') for name, value in pairs}


def fresh_python(folder: Path) -> str:
    """The interpreter of a new environment with the project's requirements and nothing else."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", str(ROOT / "requirements.txt")], check=True)
    return python


def without_network() -> bool:
    """Moves this process and its children to a network of their own, with the loopback alone: whether that went."""
    try:
        if ctypes.CDLL(None).unshare(0x40000000):  # CLONE_NEWNET; os.unshare is Python 3.12's
            return False
    except AttributeError:  # no Linux
        return False
    return shutil.which("ip") is not None and subprocess.run(["ip", "link", "set", "lo", "up"]).returncode == 0


def act(python: str) -> tuple[float, float]:
    """(seconds to the first picture, MB) of the app as a Space starts it."""
    started = time.monotonic()
    with running_app(python, **SPACE) as (address, process):
        result = call(address, ["red cube", "blue sphere"], 7)
        took = time.monotonic() - started
        assert result["link"] == f"https://huggingface.co/spaces/{SPACE['SPACE_ID']}?{result['query']}", result["link"]
        assert all(len(pixels(result[model][0]["file"])) == 64 * 64 * 3 for model in ("ddpm", "acgan"))
        return took, resident(process.pid)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", help="an interpreter that has the requirements already")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clevr-space-") as folder:
        python = chosen.python or fresh_python(Path(folder) / "venv")
        print("network cut off" if without_network() else "network left on: this system or user may not cut it off")
        seconds, memory = act(python)
    print(f"{seconds:.1f} s to the first picture, {memory:.0f} MB")
    sys.exit(seconds > START or memory > MEMORY)


if __name__ == "__main__":
    main()
