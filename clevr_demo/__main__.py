"""Draws from the command line.

    python -m clevr_demo "red cube, blue sphere" --seed 7 --out pair.png
    python -m clevr_demo "red cube" --model ddpm --gif film.gif --json > result.json

The picture, the DDPM's beside the ACGAN's, knows its own request: open it on the page and it is drawn again there.
What the judge sees is printed, a line a model, or everything as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from PIL import Image
from tqdm.auto import tqdm

from clevr_demo import CheckpointError, Generation, Generator, InputError, Verdict, load, load_evaluator
from clevr_demo.objects import slug
from clevr_demo.pictures import animation, film_strip, png
from clevr_demo.request import DEFAULT_STEPS, MODELS, SAMPLERS, GenerationRequest

PROGRAM = "clevr-duel"
FILMS = {".gif": "GIF", ".webp": "WEBP"}
LARGEST_SCALE = 16


class Parser(argparse.ArgumentParser):
    """Its errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROGRAM}: error: {message}\n")


def arguments() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("objects", help='what to draw, e.g. "red cube, blue sphere"')
    parser.add_argument("--seed", type=int, default=0, help="the noise to start from, 0 to 2147483647 (default: 0)")
    steps = f"denoising steps, 1 to 1200 (default: {DEFAULT_STEPS}); the ACGAN's picture does not depend on them"
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS, help=steps)
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0], help="of the DDPM (default: dpm)")
    parser.add_argument("--model", choices=("both", *MODELS), default="both")
    parser.add_argument("--checkpoint", type=Path, help="folder of the model's weights; needs one --model")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--out", type=Path, help="the picture, a PNG (default: named after the request)")
    parser.add_argument("--gif", type=Path, help="also the way to it, as an animated GIF or WebP")
    parser.add_argument("--scale", type=int, default=4, help=f"pixels a pixel in --out, 1 to {LARGEST_SCALE}")
    parser.add_argument("--json", action="store_true", help="print everything as JSON instead of a line a model")
    return parser


def checked(options: argparse.Namespace) -> GenerationRequest:
    """The request of the command line; an InputError for what cannot be drawn or written."""
    if options.checkpoint and options.model == "both":
        raise InputError("checkpoint", "--checkpoint needs one --model, ddpm or acgan")
    if not 1 <= options.scale <= LARGEST_SCALE:
        raise InputError("scale", f"--scale must be between 1 and {LARGEST_SCALE}, not {options.scale}")
    if options.out and options.out.suffix.lower() != ".png":
        raise InputError("out", f"--out is a .png, not {options.out.name}")
    if options.gif and options.gif.suffix.lower() not in FILMS:
        raise InputError("gif", f"--gif is a {' or a '.join(FILMS)}, not {options.gif.name}")
    return GenerationRequest.of(options.objects, options.seed, options.steps, options.sampler)


def drawn(model: Generator, request: GenerationRequest) -> Generation:
    """The picture and the way to it, with a progress bar."""
    settings: dict[str, Any] = {"sampler": request.sampler} if model.kind == "ddpm" else {}
    started = time.perf_counter()
    stream: Iterator[Any] = model.stream(request.objects, request.seed, request.steps, **settings)
    frames = tuple(tqdm(stream, desc=model.kind, unit="frame", leave=False))
    seconds = time.perf_counter() - started
    return Generation(frames, request, model.name, seconds, sum(frame.stage == "what" for frame in frames))


def described(result: Generation, verdict: Verdict) -> dict[str, Any]:
    """One picture as plain values."""
    told = ("sentence", "exact", "accuracy", "counts", "missing", "extra", "doubled", "probabilities")
    places = zip(result.places.objects, result.places.centres, strict=True)
    return {
        "model": result.model,
        "seconds": round(result.seconds, 3),
        "evaluations": result.evaluations,
        "places": [{"name": slug(index), "row": row, "column": column} for index, (row, column) in places],
        "verdict": {field: getattr(verdict, field) for field in told} | {"found": [vars(one) for one in verdict.found]},
    }


def film(results: Sequence[Generation]) -> list[Image.Image]:
    """The timelines side by side; a shorter one waits at its first frame, so that both end together."""
    backwards = [[frame.predicted for frame in reversed(result.frames)] for result in results]
    columns = [side + [side[-1]] * (max(map(len, backwards)) - len(side)) for side in backwards]
    return [film_strip([row]) for row in reversed(list(zip(*columns, strict=True)))]


def write(options: argparse.Namespace, request: GenerationRequest, results: Sequence[Generation]) -> dict[str, str]:
    """Writes the files; what they are called, by kind."""
    query = request.query(dict(result.model.split("@", 1) for result in results))
    pair = film_strip([[result.image for result in results]])
    large = pair.resize((pair.width * options.scale, pair.height * options.scale), Image.Resampling.NEAREST)
    name = "_".join(slug(index) for index in request.objects[:4])
    out = options.out or Path(f"{name}_seed{request.seed}.png")
    out.write_bytes(png(large, query))
    if options.gif is None:
        return {"picture": str(out)}
    options.gif.write_bytes(
        animation(film(results), query, kind=FILMS[options.gif.suffix.lower()], scale=options.scale)
    )
    return {"picture": str(out), "film": str(options.gif)}


def run(options: argparse.Namespace) -> None:
    request = checked(options)
    kinds = MODELS if options.model == "both" else (options.model,)
    judge = load_evaluator(device=options.device)
    models = [load(kind, options.checkpoint, options.device) for kind in kinds]
    results = [drawn(model, request) for model in models]
    files = write(options, request, results)
    found = {kind: described(one, judge(one.image, request.objects)) for kind, one in zip(kinds, results, strict=True)}
    if options.json:
        print(json.dumps({"query": request.query(), "objects": request.names, **files, **found}, indent=2))
        return
    for kind, one in found.items():
        cost = f"{one['seconds']:.2f} s, {one['evaluations']} evaluations"
        print(f"{kind.upper()}: {one['verdict']['sentence']} ({cost})")
    print(f"Written: {', '.join(files.values())}")


def main(argv: list[str] | None = None) -> None:
    options = arguments().parse_args(argv)
    try:
        run(options)
    except InputError as error:
        sys.exit(f"{PROGRAM}: error: {error}")
    except CheckpointError as error:
        sys.exit(f"{PROGRAM}: error: the weights could not be loaded: {error}")
    except OSError as error:
        sys.exit(f"{PROGRAM}: error: {error.filename or 'file'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
