"""README and model cards: they show what was measured, with weights and commands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clevr_demo.checkpoints import ROOT
from clevr_demo.records import write
from tests.test_records import row
from train.measure import bounds, cards, compare
from train.measure.__main__ import NUMBERS, main

# What is measured looks like this; what is set (24 objects, 64x64, 20 steps) does not.
MEASURED = re.compile(
    r"\d+\.\d+|\d+(?:,\d{3})+|\d %|\bmillions?\b|\ba (?:half|third|quarter|fifth|tenth) more\b"
    r"|\d (?:hours?|minutes?|seconds?|ms|MB|M parameters)\b"
)
CODE_AND_SOURCES = re.compile(r"```.*?```|`[^`]*`|^ {4}.*?$|arXiv:\d+\.\d+|\]\([^)]*\)", re.DOTALL | re.MULTILINE)

SCORES = {
    **dict.fromkeys(("exact", "number", "teacher"), {"mean": 0.8, "std": 0.02}),
    "accuracy": {"mean": 0.9125, "low": 0.8984, "high": 0.9266},
    "seconds": {"mean": 0.2, "std": 0.0},
    "seeds": 5,
    "evaluations": 20,
    "command": "python -m train.measure scores --model ddpm",
    "model": "ddpm@12345678",
    "judge": "evaluator@87654321",
}
REAL = {bounds.CEILING: 0.976, bounds.FLOOR: 0.01}
RATIO = {"mean": 1.234, "std": 0.02}
REALISM = {
    "rows": {"drawn": {f"{part} 64 ratio": RATIO for part in ("whole", "crops")}},
    "model": "ddpm@12345678",
    "command": "python -m train.measure realism --model ddpm",
}


def estimate(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a README, a card, and numbers of the DDPM and of the detector."""
    found = tmp_path / "checkpoints"
    for name in ("ddpm", "detector"):
        (found / name).mkdir(parents=True)
    fast = SCORES | {"exact": {"mean": 0.7, "std": 0.03}}
    scores = {"test": SCORES, "new_test": SCORES, "test, 4 steps": fast, "new_test, 4 steps": fast}
    metrics = {"scores": scores, "realism": REALISM, "realism, 4 steps": REALISM}
    metrics["anywhere"] = {"rows": {"one to six": {"exact": 0.9512}, "seven": {"exact": 0.5}}}
    (found / "ddpm" / "metrics.json").write_text(json.dumps(metrics))
    real = {name: {part: estimate(mean) for part in ("exact", "number", "accuracy")} for name, mean in REAL.items()}
    (found / "detector" / "metrics.json").write_text(json.dumps({"bounds": {"rows": real}}))
    (tmp_path / "README.md").write_text("before <!-- scores -->\nold\n<!-- /scores --> after")
    card = "# Card\n\n<!-- scores -->\nold\n<!-- /scores -->\n\nIts story.\n\n<!-- places -->\n<!-- /places -->\n"
    (found / "ddpm" / "README.md").write_text(card)
    return found


def cells(lines: list[str], start: str) -> list[str]:
    line = next(line for line in lines if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_the_overview_shows_both_models_beside_the_report_and_real_pictures(root: Path) -> None:
    lines = cards.overview(root).splitlines()
    expected = (
        ["0.800 ± 0.020 / 0.800 ± 0.020"] * 2
        + ["0.912 (0.898 to 0.927) / 0.912 (0.898 to 0.927)"]
        + ["0.951", *["1.23 ± 0.02"] * 2]
    )
    assert cells(lines, "DDPM, this project |") == expected
    assert cells(lines, "DDPM, this project, 4 steps")[:4:3] == ["0.700 ± 0.030 / 0.700 ± 0.030", "-"]
    assert cells(lines, "DDPM, the course report")[2] == "0.847 / 0.869"
    assert cells(lines, "ACGAN, the course report")[2] == "0.611 / 0.631"
    assert cells(lines, "ACGAN, this project")[0] == "- / -"
    assert cells(lines, bounds.CEILING) == [*["0.976 (0.966 to 0.986)"] * 3, "-", "1", "1"]
    assert cells(lines, bounds.FLOOR) == [*["0.010 (0.000 to 0.020)"] * 3, "-", "-", "-"]


def test_both_models_records_are_compared_pair_by_pair_in_the_readme(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "fingerprint", lambda folder: "1")
    assert "same prompts and seeds" not in cards.overview(root)
    (root / "acgan").mkdir()
    for kind, share in (("ddpm", 1), ("acgan", 2)):
        steps, sampler = (20, "dpm") if kind == "ddpm" else (0, "")
        rows = [
            row(seed, seed % 8, seed % share == 0, model=f"{kind}@1", prompts="test", steps=steps, sampler=sampler)
            for seed in range(40)
        ]
        write(root / kind, rows)
    lines = cards.overview(root).splitlines()
    assert "DDPM - ACGAN, over pictures of the same prompts and seeds:" in lines
    assert cells(lines, "test")[0].startswith("+0.500 (+0.")
    assert cells(lines, "test")[-1] == "40"


def test_only_what_stands_between_markers_is_made_anew(root: Path) -> None:
    command = ["cards", "--checkpoint", str(root / "detector")]
    with pytest.raises(SystemExit, match="out of date"):
        main([*command, "--check"])
    main(command)
    main([*command, "--check"])
    readme, card = (root.parent / "README.md").read_text(), (root / "ddpm" / "README.md").read_text()
    assert readme.startswith("before <!-- scores -->\n| ")
    assert readme.endswith("\n<!-- /scores --> after")
    for fact in (
        "# Card",
        "Its story.",
        f"| {bounds.CEILING} | 0.976",
        "ddpm@12345678",
        "evaluator@87654321",
        SCORES["command"],
        "| new_test |",
    ):
        assert str(fact) in card
    assert f"<!-- places -->\n{cards.NOTHING}\n<!-- /places -->" in card


def test_numbers_of_weights_that_are_gone_are_called_earlier(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = cards.model_block(NUMBERS[0])
    assert "Earlier weights `ddpm@12345678`" in block(root / "ddpm")
    monkeypatch.setattr(cards, "weights_of", lambda folder: "12345678")
    assert "Weights `ddpm@12345678`" in block(root / "ddpm")


def test_a_classifiers_card_shows_what_its_trainer_found(tmp_path: Path) -> None:
    found: dict[str, Any] = {"pictures": 903, "counted_exact": 0.9876, "blobs_counted_exact": {"filled": 0.01}}
    bins = [{"answers": 10, "said": 0.05, "so": 0.04}]
    reliability = {"pictures": 451, "calibrated": {"calibration_error": 0.001, "curve": bins}}
    reliability["uncalibrated"] = {"calibration_error": 0.002, "curve": bins}
    metrics = {"held_out": found, "temperature": 1.3, "reliability": reliability}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    assert "| counted exact | 0.9876 |" in cards.held_out(tmp_path)
    assert "| blobs counted exact filled | 0.0100 |" in cards.held_out(tmp_path)
    assert "| 10 | 0.050 | 0.040 |" in cards.reliability(tmp_path)
    assert "1.3" in cards.reliability(tmp_path)


def test_a_card_tells_of_one_run_or_of_each_stages(tmp_path: Path) -> None:
    run = {"pictures_seen": 80_000, "hours": 1.04, "device": "CPU, 1 threads"}
    (tmp_path / "config.json").write_text(json.dumps({"training": run}))
    assert cards.training(tmp_path) == "Trained on 80,000 examples, 1.0 h on CPU, 1 threads."
    second = run | {"pictures_seen": 9000, "hours": 0.1, "device": "a GPU", "start": run}
    (tmp_path / "config.json").write_text(json.dumps({"training": second}))
    words = "Trained on 80,000 examples, 1.0 h on CPU, 1 threads, then on 9,000 examples, 6 minutes on a GPU."
    assert cards.training(tmp_path) == words
    (tmp_path / "config.json").write_text(json.dumps({"training": {"where": run, "what": run | {"hours": 2}}}))
    assert cards.training(tmp_path).startswith("The planner (where) was trained on 80,000 examples, 1.0 h")
    assert "; the painter (what) was trained on 80,000 examples, 2.0 h" in cards.training(tmp_path)


def test_the_committed_tables_are_those_of_the_metrics() -> None:
    main(["cards", "--check"])
    for page in (ROOT.parent / "README.md", ROOT / "ddpm" / "README.md", ROOT / "acgan" / "README.md"):
        assert "<!-- scores -->" in page.read_text(encoding="utf-8")


def test_the_players_gap_is_told_from_the_first_to_the_last_part_of_the_run(tmp_path: Path) -> None:
    assert cards.curves(cards.PLAYERS, tmp_path) == cards.NOTHING
    (tmp_path / "log-where.csv").write_text("step,gap\n" + "".join(f"{step},{step / 10}\n" for step in range(20)))
    header = "step,gap_window,gap_patch,g_named,g_distance\n"
    (tmp_path / "log-what.csv").write_text(header + "".join(f"{step},1,2,3,{step}\n" for step in range(10)))
    table = cards.curves(cards.PLAYERS, tmp_path).splitlines()
    assert len(table) == 12
    first, last = ([cell.strip() for cell in table[row].split("|")[1:-1]] for row in (2, -1))
    assert first == ["10 %", "0.0500", "1.0000", "2.0000", "3.0000", "0.0000"]
    assert last == ["100 %", "1.8500", "1.0000", "2.0000", "3.0000", "9.0000"]


def typed(text: str) -> list[str]:
    """What looks measured in a page's prose, beside blocks that a command makes, code and sources."""
    return MEASURED.findall(CODE_AND_SOURCES.sub("", cards.BLOCK.sub("", text)))


@pytest.mark.parametrize(
    "text", ["7,000,000 windows", "fell by 3 % at the end", "to 0.062 (2)", "two million layouts", "9 minutes on a GPU"]
)
def test_a_typed_figure_is_seen(text: str) -> None:
    assert typed(f"The painter: {text}.")
    assert not typed(f"<!-- training -->\n{text}\n<!-- /training --> of 64x64 in 20 steps (arXiv:2501.05441)")


@pytest.mark.parametrize("card", sorted(ROOT.glob("*/README.md")), ids=lambda card: card.parent.name)
def test_no_figure_of_a_card_is_typed(card: Path) -> None:
    assert not typed(card.read_text(encoding="utf-8"))


def test_no_figure_of_the_models_in_the_readme_is_typed() -> None:
    text = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    told = text[text.index("<!-- scores -->") : text.index("\n## Test")]
    assert not typed(told)


def test_curves_are_the_means_of_the_parts_of_a_run(tmp_path: Path) -> None:
    rows = "".join(f"{step},{step // 2}\n" for step in range(20))
    (tmp_path / "log.csv").write_text(f"step,heat\n{rows}")
    shown = cards.curves({"log.csv": {"heat": "loss"}, "log-start.csv": {"heat": "first"}}, tmp_path).splitlines()
    assert shown[0] == "| run, up to | loss |"
    assert shown[2] == "| 10 % | 0.0000 |"
    assert shown[-1] == "| 100 % | 9.0000 |"
    (tmp_path / "log.csv").write_text("step,heat\n1,2\n")
    assert cards.curves({"log.csv": {"heat": "loss"}}, tmp_path) == cards.NOTHING


def test_a_mean_of_runs_is_told_and_a_run_that_learnt_nothing_is_not() -> None:
    first = {"pictures_seen": 7000, "hours": 1.0, "device": "CPU, 1 threads"}
    second = {"pictures_seen": 400, "hours": 0.25, "device": "CPU, 1 threads", "start": first, "preset": {"rate": 1e-3}}
    taken = {"pictures_seen": 8, "hours": 0.0, "device": "CPU, 1 threads", "preset": {"rate": 0}}
    one = "on 7,000 examples, 1.0 h on CPU, 1 threads"
    other = f"{one}, then on 400 examples, 15 minutes on CPU, 1 threads"
    assert cards.told(second) == other
    assert cards.told(taken | {"start": {"mean of": [first, second]}}) == f"as the mean of 2, one {one} and one {other}"
    assert cards.told(taken | {"start": second}) == other
