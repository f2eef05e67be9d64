"""Makes this project's numbers.

    python -m train.measure scores --model ddpm --data DIR        # how often the right objects are drawn
    python -m train.measure realism --model acgan --data DIR      # how near to real pictures, by nobody's classifier
    python -m train.measure cards                                 # fills README and model cards with what was measured
    python -m train.measure scores --help

Results go to the checkpoint folder: metrics.json, and tables and pictures beside it. `--data`, `--model`,
`--checkpoint` and `--device` mean the same everywhere. `--help` behind a measure says how it works and whose idea it
was. The measures:
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from train.learning.options import clear_errors
from train.measure import (
    anywhere,
    bounds,
    cards,
    compare,
    copies,
    diversity,
    learning,
    places,
    realism,
    robustness,
    scores,
    sheet,
    speed,
    sweep,
)
from train.measure.job import Job, Measure, add_common, command_of

NUMBERS: tuple[Measure, ...] = (
    scores.MEASURE,
    compare.MEASURE,
    bounds.MEASURE,
    anywhere.MEASURE,
    realism.MEASURE,
    diversity.MEASURE,
    copies.MEASURE,
    places.MEASURE,
    robustness.MEASURE,
    sweep.MEASURE,
    speed.MEASURE,
    sheet.MEASURE,
    learning.MEASURE,
)
MEASURES = (*NUMBERS, cards.measure(NUMBERS))


def listed() -> str:
    """The table of measures as --help shows it."""
    first = ((one, one.about.partition("\n")[0].rstrip(".")) for one in MEASURES)
    return "\n".join(f"{one.name}: {what} (needs {', '.join(one.needs) or 'nothing'})" for one, what in first)


def parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """(the command's parser, each measure's own)."""
    formatter, words = argparse.RawDescriptionHelpFormatter, f"{__doc__}\n{listed()}"
    parser = argparse.ArgumentParser("python -m train.measure", description=words, formatter_class=formatter)
    choice = parser.add_subparsers(dest="measure", required=True)
    own = {}
    for measure in MEASURES:
        own[measure.name] = choice.add_parser(
            measure.name, description=measure.about, conflict_handler="resolve", formatter_class=formatter
        )
        add_common(own[measure.name], measure.needs)
        for name, how in measure.options.items():
            own[measure.name].add_argument(name, **how)
    return parser, own


def job_of(argv: Sequence[str] | None = None) -> tuple[Measure, Job]:
    """The measure that a command line asks for, and the run of it."""
    parser, own = parsers()
    options = parser.parse_args(argv)
    measure = next(measure for measure in MEASURES if measure.name == options.measure)
    return measure, Job(options, command_of(own[measure.name], measure.name, options))


@clear_errors
def main(argv: Sequence[str] | None = None) -> None:
    measure, job = job_of(argv)
    job.check()
    measure.run(job)


if __name__ == "__main__":
    main()
