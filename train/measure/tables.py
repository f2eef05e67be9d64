"""The one place for tables: Markdown rows, CSV files, and numbers with their spread."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import write_text

DASH = "-"  # what was not measured


def spread(values: Sequence[float], digits: int = 4) -> dict[str, float]:
    """Mean and standard deviation (of the sample) of repeated measurements."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": round(statistics.fmean(values), digits), "std": round(deviation, digits)}


def shown(value: Any, digits: int = 3) -> str:
    """A cell's text: an interval as "0.912 (0.898 to 0.926)", a spread as "0.912 ± 0.014", a float to so many digits,
    nothing as a dash."""
    if value is None or value == "":
        return DASH
    if isinstance(value, Mapping):
        if "low" in value:
            return f"{value['mean']:.{digits}f} ({value['low']:.{digits}f} to {value['high']:.{digits}f})"
        # One draw has no spread; to show "± 0" would claim one.
        return shown(value["mean"], digits) + (f" ± {value['std']:.{digits}f}" if value["std"] else "")
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def markdown(header: Sequence[str], rows: Iterable[Sequence[Any]], digits: int = 3) -> str:
    """A Markdown table."""
    lines = [list(header), ["---"] * len(header), *([shown(cell, digits) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def named_table(head: str, columns: Mapping[str, str], rows: Mapping[str, Mapping[str, Any]], digits: int = 3) -> str:
    """A Markdown table of rows by their names; `columns` are those of a row that are shown, and their headings."""
    cells = ([name, *map(row.get, columns)] for name, row in rows.items())
    return markdown([head, *columns.values()], cells, digits)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, header's name to text; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes all rows, in one go; the first row's names are the header."""
    lines = io.StringIO()
    writer = csv.DictWriter(lines, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, lines.getvalue())


def add_rows(path: Path, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> list[dict[str, str]]:
    """Adds rows to a CSV file; one with the same values under `key` takes the older one's place. Returns all rows."""
    fresh = [{name: str(value) for name, value in row.items()} for row in rows]
    found = {tuple(row.get(name, "") for name in key): row for row in [*read_csv(path), *fresh]}
    write_csv(path, list(found.values()))
    return list(found.values())
