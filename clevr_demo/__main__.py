"""Draws from the command line.

    python -m clevr_demo "red cube, blue sphere" --seed 7 --out pair.png
    python -m clevr_demo "red cube" --model ddpm --gif film.gif --json > result.json
    python -m clevr_demo "red cube, blue sphere" --at "red cube=30,12"         # row and column, of 64
    python -m clevr_demo "red cube, blue sphere" --seed-of pixels=3            # other pixels, the same places

    python -m clevr_demo judge grid.png --prompts test.json                    # marks pictures, see judge --help

The picture, the DDPM's beside the ACGAN's, knows its own request: open it on the page and it is drawn again there.
What the judge sees is printed, a line a model, or everything as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

from PIL import Image
from tqdm.auto import tqdm

from clevr_demo import CheckpointError, InputError, Verdict
from clevr_demo.checkpoints import write_bytes
from clevr_demo.models import MODELS, usual, usual_pair
from clevr_demo.objects import shown
from clevr_demo.pictures import animation, enlarged, film_strip, png
from clevr_demo.request import DEFAULT_STEPS, SAMPLERS, SOURCES, GenerationRequest
from clevr_demo.serve import marker
from clevr_demo.serve.gate import Still
from clevr_demo.serve.studio import Cell, Studio
from clevr_demo.serve.verdicts import plain, plain_places
from clevr_demo.serve.wording import beyond

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
    without = " and ".join(f"the {model.title}'s" for model in MODELS.values() if not model.has_steps)
    steps = f"denoising steps, 1 to 1200 (default: {DEFAULT_STEPS}); {without} picture does not depend on them"
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS, help=steps)
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0], help="of the DDPM (default: dpm)")
    at = "where an object is to stand, its row and column, 0 to 63; may be said for several objects"
    parser.add_argument("--at", action="append", default=[], metavar="OBJECT=ROW,COLUMN", help=at)
    noise = f"the seed of one source of noise alone, {', '.join(SOURCES)}; may be said for several (default: --seed's)"
    parser.add_argument("--seed-of", action="append", default=[], metavar="SOURCE=SEED", help=noise)
    parser.add_argument("--model", choices=("both", *MODELS), default="both")
    parser.add_argument("--checkpoint", type=Path, help="folder of the model's weights; needs one --model")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--out", type=Path, help="the picture, a PNG (default: a new one, named after the request)")
    parser.add_argument("--gif", type=Path, help="also the way to it, as an animated GIF or WebP")
    parser.add_argument("--scale", type=int, default=4, help=f"pixels a pixel in --out, 1 to {LARGEST_SCALE}")
    parser.add_argument("--json", action="store_true", help="print everything as JSON instead of a line a model")
    return parser


def named(field: str, texts: Iterable[str], read: Callable[[str], Any], form: str) -> dict[str, Any]:
    """What NAME=VALUE options say, as a request takes it; an InputError of the field for one of another form."""
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name in found:
            raise InputError(field, f"{shown(name)} is there twice")
        try:
            found[name] = read(value)
        except ValueError:
            raise InputError(field, f"{form}, not {shown(text)}") from None
    return found


def place(text: str) -> tuple[float, ...]:
    """The numbers of "30,12"."""
    return tuple(map(float, text.split(",")))


def checked(options: argparse.Namespace) -> GenerationRequest:
    """The request of the command line; an InputError for what cannot be drawn or written."""
    if options.checkpoint and options.model == "both":
        raise InputError("checkpoint", f"--checkpoint needs one --model, {' or '.join(MODELS)}")
    if not 1 <= options.scale <= LARGEST_SCALE:
        raise InputError("scale", f"--scale must be between 1 and {LARGEST_SCALE}, not {options.scale}")
    if options.out and options.out.suffix.lower() != ".png":
        raise InputError("out", f"--out is a .png, not {options.out.name}")
    if options.gif and options.gif.suffix.lower() not in FILMS:
        raise InputError("gif", f"--gif is a {' or a '.join(FILMS)}, not {options.gif.name}")
    request = GenerationRequest.of(
        options.objects,
        options.seed,
        options.steps,
        options.sampler,
        places=named("places", options.at, place, '--at is OBJECT=ROW,COLUMN, as in "red cube=30,12"'),
        seeds=named("seeds", options.seed_of, int, "--seed-of is SOURCE=SEED, as in places=3"),
    )
    for path in filter(None, (options.out or unused(request), options.gif)):
        check_writable(path)
    return request


def drawn(studio: Studio, request: GenerationRequest, timelines: bool) -> dict[str, list[Still]]:
    """Each contender's frames, or its picture alone, by name and in order; with a progress bar."""
    cells = [Cell(one.name, request, timelines or one.model.has_steps) for one in studio.contenders.values()]
    found: dict[str, list[Still]] = {cell.contender: [] for cell in cells}
    for place, still in tqdm(studio.draw(cells), desc="drawing", unit="frame", leave=False):
        found[cells[place].contender].append(still)
    return found


def described(name: str, last: Still, verdict: Verdict) -> dict[str, Any]:
    """One picture as plain values."""
    return {
        "model": name,
        "seconds": round(last.seconds, 3),
        "evaluations": last.evaluations,
        "places": plain_places(last.places),
        "verdict": plain(verdict),
    }


def film(results: Iterable[Sequence[Still]]) -> list[Image.Image]:
    """The timelines side by side; a shorter one waits at its first frame, so that both end together."""
    backwards = [[Image.fromarray(still.predicted) for still in reversed(stills)] for stills in results]
    columns = [side + [side[-1]] * (max(map(len, backwards)) - len(side)) for side in backwards]
    return [film_strip([row]) for row in reversed(list(zip(*columns, strict=True)))]


def check_writable(path: Path) -> None:
    """An OSError, before anything is drawn, if a file cannot be written there."""
    there = path.exists()
    path.open("ab").close()
    if not there:
        path.unlink()


def unused(request: GenerationRequest) -> Path:
    """A file name of the request that no file has yet: another request of the same seed must not be lost."""
    paths = (Path(f"{request.stem}{f'_{number}' * (number > 1)}.png") for number in count(1))
    return next(path for path in paths if not path.exists())


def write(
    options: argparse.Namespace, request: GenerationRequest, query: str, results: Mapping[str, Sequence[Still]]
) -> dict[str, str]:
    """Writes the files; what they are called, by kind."""
    pair = film_strip([[Image.fromarray(stills[-1].predicted) for stills in results.values()]])
    out = options.out or unused(request)
    write_bytes(out, png(enlarged(pair, options.scale), query))
    if options.gif is None:
        return {"picture": str(out)}
    kind = FILMS[options.gif.suffix.lower()]
    write_bytes(options.gif, animation(film(results.values()), query, kind=kind, scale=options.scale))
    return {"picture": str(out), "film": str(options.gif)}


def run(options: argparse.Namespace) -> None:
    request = checked(options)
    contenders = usual_pair() if options.model == "both" else (usual(options.model, options.checkpoint),)
    studio = Studio.load(contenders, options.device)
    results = drawn(studio, request, timelines=bool(options.gif))
    files = write(options, request, studio.query(request), results)
    found = {}
    for name, stills in results.items():
        verdict = studio.verdicts([stills[-1].predicted], request)[0]
        found[name] = described(studio.gates[name].model.name, stills[-1], verdict)
    notice = beyond(request)
    if options.json:
        told = {"notice": notice} if notice else {}
        print(json.dumps({"query": request.query(), "objects": request.names, **told, **files, **found}, indent=2))
        return
    for name, one in found.items():
        cost = f"{one['seconds']:.2f} s, {one['evaluations']} evaluations"
        print(f"{studio.contenders[name].title}: {one['verdict']['sentence']} ({cost})")
    if notice:
        print(notice)
    print(f"Written: {', '.join(files.values())}")


def asked_for(argv: list[str] | None) -> Callable[[], None]:
    """What a command line asks for: to judge pictures, or to draw some."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["judge"]:
        how = argparse.RawDescriptionHelpFormatter
        parser = Parser(prog=f"{PROGRAM} judge", description=marker.__doc__, formatter_class=how)
        marker.add_options(parser)
        return partial(marker.run, parser.parse_args(words[1:]))
    return partial(run, arguments().parse_args(words))


def main(argv: list[str] | None = None) -> None:
    act = asked_for(argv)
    try:
        act()
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
