"""What the page says of costs, waiting and results, in words: plain functions of plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clevr_demo.judge.evaluator import Verdict
from clevr_demo.objects import OBJECTS
from clevr_demo.places import Places
from clevr_demo.request import DEFAULT_STEPS, GenerationRequest

SAMPLER_NAMES = {"dpm": "DPM-Solver++ 2M", "unipc": "UniPC", "ddim": "DDIM", "ddpm": "DDPM, ancestral"}
SOURCES_OWN = {
    "places": "where the objects stand, with both models.",
    "looks": "how each object is turned and shaded.",
    "light": "the light and the ground of the whole picture.",
    "grain": "the finest grain, a number a pixel.",
    "pixels": "the noise that the picture is denoised from: all but the places.",
}
"""What each source of noise decides, one a die on the page."""
LONG = 100
"""Steps from which on it is said beforehand how long they take."""
SOON = 3.0
"""Seconds below which nobody needs to be told how long it still takes."""


def many(count: int, thing: str) -> str:
    """ "1 pass", "20 passes"."""
    plural = thing + ("es" if thing.endswith("s") else "s")
    return f"{count:,} {thing if count == 1 else plural}"


def asked(request: GenerationRequest) -> str:
    """A request in words."""
    drawn = f"{many(request.steps, 'step')}, {SAMPLER_NAMES[request.sampler]}, {many(request.pictures, 'picture')}"
    told = f"{', '.join(request.names)}. Seed {request.seed}, {drawn}."
    if request.places:
        places = (f"{OBJECTS[index]} {row:g}, {column:g}" for index, row, column in request.places)
        told += f" Given places (row, column): {'; '.join(places)}."
    if request.seeds:
        told += f" Noise of its own: {', '.join(f'{source} from seed {seed}' for source, seed in request.seeds)}."
    return told


def all_of(names: Sequence[str]) -> str:
    """ "the red cube and the blue sphere"; of many the first three, and how many more."""
    told = [f"the {name}" for name in names]
    if len(told) > 4:
        told = [*told[:3], f"{len(told) - 3} more"]
    return " and ".join(part for part in (", ".join(told[:-1]), told[-1]) if part)


def beyond(request: GenerationRequest) -> str:
    """What is unusual about the places that a request gives, beside the training pictures' ones; mostly nothing."""
    given = Places(tuple(request.given), tuple(request.given.values()), tuple(request.given))
    near, off = given.near, given.beyond
    told = []
    if near:
        told.append(f"Places given to {all_of(near)} are nearer to each other than in 99 of 100 training scenes.")
    if off:
        told.append(f"Training pictures show nothing where {all_of(off)} {'is' if len(off) == 1 else 'are'} to stand.")
    return " ".join(told)


def unusual(request: GenerationRequest) -> str:
    """What a request asks for beyond what the training pictures hold; mostly nothing."""
    crowd = f"{len(request.objects)} objects are more than any training picture holds."
    return " ".join(filter(None, (crowd if request.beyond_training else "", beyond(request))))


def duration(seconds: float) -> str:
    """ "8 ms", "1.4 s", "25 s", "3 min"."""
    if seconds < 0.995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 99.5 else f"{seconds / 60:.0f} min"


def cost(passes: int, seconds: float, base: float = 0.0) -> str:
    """ "1 pass, 8 ms" or, beside another's seconds, "20 passes, 310 ms: 39 times as long"; without seconds the passes
    alone, and "" before the first."""
    if not passes:
        return ""
    if not seconds:
        return many(passes, "pass")
    told = f"{many(passes, 'pass')}, {duration(seconds)}"
    return f"{told}: {seconds / base:.0f} times as long" if base and seconds >= 1.5 * base else told


def left(seconds: float | None) -> str:
    """ ", about 25 s to go", or nothing where that is soon or not known."""
    return f", about {duration(seconds)} to go" if seconds is not None and seconds >= SOON else ""


def drawing(step: int, steps: int, number: int, pictures: int, seconds_left: float | None) -> str:
    """How far a run is."""
    which = f"picture {number} of {pictures}, " if pictures > 1 else ""
    what = f"step {step} of {steps:,}" if step else "where the objects go"
    return f"Drawing: {which}{what}{left(seconds_left)}"


def stopped(step: int, steps: int, finished: int, pictures: int) -> str:
    """What is left of a run that was stopped."""
    kept = f"{many(finished, 'picture')} of {pictures} finished" if pictures > 1 and finished else ""
    if step and step < steps:
        return f"Stopped after step {step} of {steps:,}{', ' + kept if kept else ''}. The last frame is kept."
    if kept:
        return f"Stopped: {kept} and kept."
    return "Stopped before the first step." if not finished else "Stopped."


def done(verdicts: Mapping[str, Sequence[Verdict | None]]) -> str:
    """The result of each model: the judge's sentence, or over several pictures how many are exact."""
    told = []
    for model, seen in verdicts.items():
        all_of = [verdict for verdict in seen if verdict is not None]
        if len(all_of) == 1:
            told.append(f"{model}: {all_of[0].sentence}.")
        elif all_of:
            told.append(f"{model}: {sum(one.exact for one in all_of)} of {len(all_of)} exact.")
    return " ".join(told)


def about(seconds: float | None) -> str:
    """ ", about 7 s", or nothing where it is not known."""
    return "" if seconds is None else f", about {duration(max(1.0, seconds))}"


def warning(request: GenerationRequest, seconds: float | None) -> str:
    """What is worth knowing before so many steps are asked for: how long they take here or, before anything was
    measured, beside the usual number; nothing where that is soon."""
    if request.steps * request.pictures < LONG:
        return ""
    if seconds is not None:
        return f"Takes about {duration(seconds)} on this machine." if seconds >= SOON else ""
    return f"Takes {request.steps * request.pictures / DEFAULT_STEPS:.0f} times as long as {DEFAULT_STEPS} steps."


def ahead(count: int, seconds: float | None) -> str:
    """What somebody in the line is told."""
    return f"{count} ahead of you{about(seconds)}. Stop leaves the line."
