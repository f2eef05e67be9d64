"""Many visitors at once: python -m tests.load --visitors 1 5 20 50

Starts the app (or takes one that runs, with --address), lets every visitor call the endpoint one draw after the other,
each for another seed, and compares every picture with its request's reference, drawn beforehand by the generators
themselves. `--engines onnxruntime torch` does so with one engine after the other. With `--own` everybody's own browser
draws: what they fetch for that and tell the server (`tests.visits`). Loopback only, and bounded: --draws a visitor.
Prints a table and, with --json, writes it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm.auto import tqdm

from clevr_demo.engine import ENGINE, ENGINES
from tests import visits
from tests.serving import OBJECTS, call, cpu_seconds, pixels, resident, running_app


def references(seeds: list[int], steps: int) -> dict[int, tuple[bytes, bytes]]:
    """(DDPM's, ACGAN's) picture of every seed, by the generators themselves, one at a time."""
    import torch

    from clevr_demo.serve.studio import Studio

    torch.set_num_threads(1)
    studio = Studio.load()
    found = {}
    for seed in tqdm(seeds, desc="references", unit="picture"):
        ddpm, acgan = (studio.gates[name].model.generate(OBJECTS, seed, steps) for name in ("ddpm", "acgan"))
        found[seed] = (ddpm.image.tobytes(), acgan.image.tobytes())
    return found


class Visitor(threading.Thread):
    """Draws one seed after the other."""

    def __init__(self, address: str, seeds: list[int], steps: int, wanted: dict[int, tuple[bytes, bytes]]) -> None:
        super().__init__(daemon=True)
        self.address, self.seeds, self.steps, self.wanted = address, seeds, steps, wanted
        self.seconds: list[float] = []
        self.errors: list[str] = []
        self.wrong = 0

    def run(self) -> None:
        for seed in self.seeds:
            started = time.monotonic()
            try:
                result = call(self.address, OBJECTS, seed, self.steps)
            except (OSError, RuntimeError) as error:
                self.errors.append(str(error))
                continue
            self.seconds.append(time.monotonic() - started)
            if self.wanted:
                drawn = tuple(pixels(result[model][0]["file"]) for model in ("ddpm", "acgan"))
                self.wrong += drawn != self.wanted[seed]


def measure(
    by: str, address: str, pid: int, seeds: list[list[int]], steps: int, wanted: dict[int, Any]
) -> dict[str, Any]:
    """One row of the table: all visitors at once, served `by` an engine."""
    visitors = [Visitor(address, own, steps, wanted) for own in seeds]
    started, spent = time.monotonic(), cpu_seconds(pid) if pid else 0.0
    for visitor in visitors:
        visitor.start()
    for visitor in tqdm(visitors, desc=f"{len(visitors)} at once", unit="visitor"):
        visitor.join()
    took = time.monotonic() - started
    seconds = sorted(one for visitor in visitors for one in visitor.seconds)
    errors = [error for visitor in visitors for error in visitor.errors]
    return {
        "engine": by,
        "visitors": len(visitors),
        "draws": len(seconds),
        "draws a second": round(len(seconds) / took, 2),
        "CPU s a draw": round((cpu_seconds(pid) - spent) / len(seconds), 2) if pid and seconds else None,
        "median": round(statistics.median(seconds), 2) if seconds else None,
        "95th percentile": round(seconds[math.ceil(0.95 * len(seconds)) - 1], 2) if seconds else None,
        "errors": len(errors),
        "first error": errors[0] if errors else "",
        "wrong pixels": sum(visitor.wrong for visitor in visitors),
        "MB": round(resident(pid)) if pid else None,
    }


def report(rows: list[dict[str, Any]]) -> str:
    """The rows as a table of Markdown."""
    heads = [head for head in rows[0] if head != "first error"]
    lines = [heads, ["---"] * len(heads), *([str(row[head]) for head in heads] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(arguments: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 5, 20, 50], metavar="N", help="at once")
    parser.add_argument("--draws", type=int, default=2, help="draws a visitor")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--equal", action="store_true", help="everybody opens the same link")
    parser.add_argument("--unchecked", action="store_true", help="without the references, which take as long again")
    parser.add_argument("--own", action="store_true", help="everybody's own browser draws")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=[os.environ.get(ENGINE) or ENGINES[0]])
    parser.add_argument("--address", help="of an app that runs on this machine, with the engine that --engines names")
    parser.add_argument("--json", type=Path, help="where to write the table")
    chosen = parser.parse_args(arguments)
    if chosen.address and urlsplit(chosen.address).hostname not in ("127.0.0.1", "localhost"):
        parser.error("only this machine may be loaded")
    if chosen.address and len(chosen.engines) > 1:
        parser.error("an app that runs has one engine")
    if max(chosen.visitors) > 100 or chosen.draws > 20:
        parser.error("at most 100 visitors and 20 draws each")
    rows = by_browsers(chosen) if chosen.own else by_server(chosen)
    print(report(rows))
    for row in rows:
        if row["first error"]:
            print(f"{row[next(iter(row))]}, {row['visitors']} visitors: {row['first error']}")
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=2) + "\n")
    return rows


def app_of(chosen: argparse.Namespace) -> contextlib.AbstractContextManager[tuple[str, Any]]:
    """(address, process) of the app that is named or started."""
    return contextlib.nullcontext((chosen.address, None)) if chosen.address else running_app()


def by_browsers(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of visitors whose browsers draw, each number of them with a server of its own."""
    rows = []
    for count in chosen.visitors:
        with app_of(chosen) as (address, process):
            rows += visits.measure(address, process.pid if process else 0, count, chosen.draws)
    return rows


def by_server(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of visitors whom the server draws for."""
    plans, first = [], 1000
    for count in chosen.visitors:
        numbers = range(first, first + (1 if chosen.equal else count * chosen.draws))
        plans.append([[n for n in numbers if chosen.equal or n % count == own] for own in range(count)])
        first = numbers.stop
    seeds = sorted({seed for plan in plans for own in plan for seed in own})
    rows = []
    for by in chosen.engines:
        os.environ[ENGINE] = by  # of the references and of the app
        wanted = {} if chosen.unchecked else references(seeds, chosen.steps)
        with app_of(chosen) as (address, process):
            pid = process.pid if process else 0
            rows += [measure(by, address, pid, plan, chosen.steps, wanted) for plan in plans]
    return rows


if __name__ == "__main__":
    found = main()
    sys.exit(any(row["errors"] or row.get("wrong pixels") or row.get("wrong files") for row in found))
