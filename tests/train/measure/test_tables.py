"""Tables: CSV files and Markdown."""

from __future__ import annotations

from pathlib import Path

from train.measure.tables import add_rows, markdown, read_csv, shown, spread


def test_rows_of_a_csv_come_back_and_replace_their_like(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    add_rows(
        path,
        [{"model": "a, b", "seed": 0, "exact": 0.5}, {"model": "a, b", "seed": 1, "exact": 0.25}],
        ("model", "seed"),
    )
    add_rows(path, [{"model": "a, b", "seed": 1, "exact": 0.75}], ("model", "seed"))
    assert read_csv(path) == [
        {"model": "a, b", "seed": "0", "exact": "0.5"},
        {"model": "a, b", "seed": "1", "exact": "0.75"},
    ]
    assert read_csv(tmp_path / "none.csv") == []


def test_a_markdown_table_shows_spreads_numbers_and_gaps() -> None:
    lines = markdown(["a", "b"], [[spread([0.5, 0.7, 0.9]), 0.12345], [None, 3]]).splitlines()
    assert lines == ["| a | b |", "| --- | --- |", "| 0.700 ± 0.200 | 0.123 |", "| - | 3 |"]
    assert spread([0.5]) == {"mean": 0.5, "std": 0.0}
    assert shown("") == "-"
    assert shown({"mean": 0.9125, "low": 0.89, "high": 1.0}) == "0.912 (0.890 to 1.000)"
