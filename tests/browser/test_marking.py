"""Somebody's own grid is scored on the page."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from clevr_demo.checkpoints import folder_of
from tests.browser.helpers import tick

SHEET = folder_of("ddpm") / "test.png"  # 32 pictures


def give(page: Any, field: str, path: Path) -> None:
    page.set_input_files(f"#{field} input[type=file]", str(path))
    page.get_by_text(path.stem).first.wait_for()


def test_a_grid_is_scored_by_its_prompts_and_kept_as_a_table(page: Any, tmp_path: Path) -> None:
    prompts = tmp_path / "mine.json"
    prompts.write_text(json.dumps([["red cube"]] * 31 + [["gray cube", "cyan sphere"]]))
    page.get_by_role("tab", name="Score yours").click()
    give(page, "marking-files", SHEET)
    give(page, "marking-prompts", prompts)
    page.locator("#marking-go").click()
    page.wait_for_selector('#marking .pictures[data-state="done"]')
    told = page.locator("#note-marking-told").inner_text()
    assert told.startswith("Counted exact: ")
    assert "The judge itself" in told
    assert page.locator("#marking td img").count() == 32
    assert "of 1" in page.locator("#marking td .below").first.inner_text(), "failures come first"
    with page.expect_download() as started:
        page.locator("#marking-csv").click()
    started.value.save_as(tmp_path / "verdicts.csv")
    rows = list(csv.DictReader((tmp_path / "verdicts.csv").open()))
    assert [row["asked"] for row in rows[30:]] == ["red cube", "gray cube; cyan sphere"]


def test_without_prompts_all_pictures_should_show_what_is_ticked(page: Any, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Score yours").click()
    page.locator("#marking-go").click()
    page.locator("#note-marking").get_by_text("no pictures").or_(
        page.locator("#note-marking").get_by_text("Tick")
    ).wait_for()
    tick(page, "red cube")
    (tmp_path / "broken.png").write_text("no picture")
    give(page, "marking-files", tmp_path / "broken.png")
    page.locator("#marking-go").click()
    page.locator("#note-marking").get_by_text("broken.png: no picture that can be read").wait_for()
