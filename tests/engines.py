"""Whether both engines of the server draw and judge the same: python -m tests.engines --requests 200

Draws requests of one to six objects, with and without given places, in 4 and in 20 steps, by both models through ONNX
Runtime and through torch, and prints how far values are apart and how many verdicts differ.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

import clevr_demo
from clevr_demo.engine import ENGINE, ENGINES
from tests.browser.agree import some_requests


def loaded() -> dict[str, tuple[dict[str, Any], Any]]:
    """Both models and the judge, by the engine."""
    found = {}
    for engine in ENGINES:
        os.environ[ENGINE] = engine
        models = {kind: clevr_demo.load(kind, device="cpu") for kind in ("ddpm", "acgan")}
        found[engine] = models, clevr_demo.load_evaluator(device="cpu")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200, help="how many (default: 200)")
    count = parser.parse_args().requests
    torch.set_num_threads(1)
    engines, found, others = loaded(), [], 0
    for request in tqdm(list(some_requests(count)), desc="requests"):
        for kind in ("ddpm", "acgan"):
            pictures, sentences = [], []
            for models, judge in engines.values():
                [drawn] = models[kind].generate_batch(
                    [request.objects], [request.seed], request.steps, timeline=False, places=[request.given or None]
                )
                pictures.append(np.asarray(drawn.image, dtype=int))
                sentences.append(judge(drawn.image, request.objects).sentence)
            found.append(np.abs(pictures[0] - pictures[1]))
            others += sentences[0] != sentences[1]
    off = np.array(found)
    print(f"{len(off)} pictures: values at most {off.max()} apart, {(off > 0).mean():.1e} of them differ at all")
    print(f"verdicts that differ: {others}")


if __name__ == "__main__":
    main()
