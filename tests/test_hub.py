"""Publishing: checkpoints go as they are, cards say what the metrics say, and a dry run sends nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, ModelCard

import clevr_demo
from clevr_demo import checkpoints, hub
from clevr_demo.checkpoints import fingerprint, save_weights
from clevr_demo.engine import RUNTIME, RUNTIME_FILES
from clevr_demo.models import MODELS
from tests.conftest import TINY, shipped, tiny_ddpm

SCORES = {
    "scores": {
        "test": {"exact": {"mean": 0.71, "std": 0.02}, "accuracy": {"mean": 0.93, "std": 0.01}, "seeds": 20},
        "new_test": {"exact": {"mean": 0.61, "std": 0.03}, "accuracy": {"mean": 0.92, "std": 0.01}, "seeds": 20},
    },
    "realism": {"rows": {}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint folder of a tiny DDPM with scores and a card."""
    made = tmp_path / "checkpoint"
    save_weights(tiny_ddpm().network, {"kind": "ddpm", "model": asdict(TINY)}, made)
    (made / "metrics.json").write_text(json.dumps(SCORES))
    (made / "README.md").write_text("# The DDPM\n\nIt draws.\n")
    return made


@pytest.fixture
def root(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose every checkpoint is that folder."""
    for kind in (*MODELS, *hub.JUDGE):
        shutil.copytree(folder, tmp_path / "root" / "checkpoints" / kind)
    (tmp_path / "root" / "app.py").write_text("")
    for module in (checkpoints, hub):
        monkeypatch.setattr(module, "ROOT", tmp_path / "root" / "checkpoints")
    return tmp_path / "root"


def test_what_is_sent_is_the_same_model_with_a_card(folder: Path, root: Path, tmp_path: Path) -> None:
    (tmp_path / "sent").mkdir()
    hub.stage_model("ddpm", tmp_path / "sent")
    for name in ("model.safetensors", "config.json", "metrics.json"):
        assert (tmp_path / "sent" / name).read_bytes() == (folder / name).read_bytes()
    assert clevr_demo.load("ddpm", tmp_path / "sent", "cpu").name == f"ddpm@{fingerprint(folder)}"
    card = ModelCard.load(tmp_path / "sent" / "README.md")
    assert card.text.strip() == "# The DDPM\n\nIt draws."
    assert (card.data.license, card.data.datasets, card.data.metrics) == (
        "apache-2.0",
        ["i-clevr"],
        ["accuracy", "exact_match"],
    )
    found = {(one.dataset_name, one.metric_type): one.metric_value for one in card.data.eval_results or []}
    assert found == {
        ("i-CLEVR, test", "exact_match"): 0.71,
        ("i-CLEVR, test", "accuracy"): 0.93,
        ("i-CLEVR, new_test", "exact_match"): 0.61,
        ("i-CLEVR, new_test", "accuracy"): 0.92,
    }
    assert "*.safetensors filter=lfs" in (tmp_path / "sent" / ".gitattributes").read_text()


def test_a_card_that_was_sent_is_made_anew_not_headed_twice(folder: Path) -> None:
    card = str(hub.card_of(folder, "ddpm"))
    (folder / "README.md").write_text(card)
    assert str(hub.card_of(folder, "ddpm")) == card


def test_every_checkpoint_and_the_space_are_sent(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: dict[str, Any] = {}
    sent: dict[str, set[str]] = {}

    def upload(self: HfApi, *, repo_id: str, folder_path: Path, **_: Any) -> str:
        sent[repo_id] = {path.name for path in Path(folder_path).iterdir()}
        return f"https://hub/{repo_id}"

    monkeypatch.setattr(HfApi, "create_repo", lambda self, name, repo_type, **_: made.update({name: repo_type}))
    monkeypatch.setattr(HfApi, "upload_folder", upload)
    hub.main(["someone", "--space", "duel"])
    models = [f"someone/clevr-{kind}" for kind in ("ddpm", "acgan", "detector", "classifier")]
    assert made == {**dict.fromkeys(models, "model"), "someone/duel": "space"}
    weights = {"model.safetensors", "config.json", "metrics.json", "README.md", ".gitattributes"}
    assert sent == {**dict.fromkeys(models, weights), "someone/duel": {"app.py", "checkpoints", ".gitattributes"}}
    assert "https://hub/someone/duel" in capsys.readouterr().out


def test_a_space_gets_what_browsers_draw_with_where_it_is_installed(root: Path, tmp_path: Path) -> None:
    for name in ("package.json", "dist/other.wasm", *RUNTIME_FILES.values()):
        (root / RUNTIME / name).parent.mkdir(parents=True, exist_ok=True)
        (root / RUNTIME / name).write_text(name)
    (tmp_path / "sent").mkdir()
    hub.stage_space(tmp_path / "sent")
    sent = {
        str(path.relative_to(tmp_path / "sent" / RUNTIME)) for path in (tmp_path / "sent").rglob(f"{RUNTIME}/**/*.*")
    }
    assert sent == {"package.json", *RUNTIME_FILES.values()}
    assert "*.wasm filter=lfs" in (tmp_path / "sent/.gitattributes").read_text()


SHOWN = """
import json
from clevr_demo.checkpoints import ROOT, fingerprint, former
from clevr_demo.models import MODELS, usual_pair
from clevr_demo.serve.claims import facts
from clevr_demo.serve.learning import learned
from clevr_demo.serve.scoreboard.board import board_of
from clevr_demo.serve.scoreboard.table import table_csv
from clevr_demo.serve.scoreboard.whole import markup

board = board_of({one.name: one for one in usual_pair()}, lambda name: fingerprint(ROOT / name))
found = {"facts": facts(), "old": {kind: former(kind) for kind in MODELS}}
print(json.dumps(found | {"board": markup(board), "csv": table_csv(board), "sheets": learned()}))
"""


def shown_in(folder: Path) -> Any:
    """What a page that runs in a folder reads of its files."""
    how = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", SHOWN], cwd=folder, env=how, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_space_shows_what_the_page_shows_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records, figures, sheets of learning: with the weights that ship, and sheets where none ship."""
    here, sent = tmp_path / "here", tmp_path / "sent"
    shutil.copytree(Path(hub.__file__).parent, here / "clevr_demo", ignore=shutil.ignore_patterns("__pycache__"))
    (here / "checkpoints").mkdir()
    for kind in (*MODELS, *hub.JUDGE):
        (here / "checkpoints" / kind).symlink_to(shipped(kind), target_is_directory=True)
    sheets = here / "checkpoints" / "learning"
    sheets.mkdir()
    (sheets / "acgan.webp").write_bytes(b"a sheet")
    (sheets / "learning.json").write_text(json.dumps({"models": {"acgan": {"sheet": "acgan.webp"}}}))
    monkeypatch.setattr(hub, "ROOT", here / "checkpoints")
    sent.mkdir()
    hub.stage_space(sent)
    shown = shown_in(here)
    assert shown["sheets"] is not None
    assert "data-choice" in shown["board"]
    assert shown_in(sent) == shown


@pytest.mark.parametrize("kind", [*MODELS, *hub.JUDGE])
def test_a_cards_pictures_go_with_it(kind: str, tmp_path: Path) -> None:
    (weights := tmp_path / kind).mkdir()
    shipped(kind)
    hub.stage_model(kind, weights)
    linked = re.findall(r"\]\(<?([^)>:]+\.(?:png|svg|webp))>?\)", (weights / "README.md").read_text(encoding="utf-8"))
    assert all((weights / one).is_file() for one in linked), linked
    assert linked or kind not in MODELS
    assert (weights / "records.csv.gz").is_file() or kind not in MODELS


def test_a_dry_run_lists_everything_and_sends_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a dry run reached the network")

    for call in ("create_repo", "upload_folder"):
        monkeypatch.setattr(HfApi, call, refuse)
    hub.main(["someone", "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        *(f"model someone/clevr-{kind}" for kind in ("ddpm", "acgan", "detector", "classifier")),
        "space someone/clevr-duel",
    ]


@pytest.mark.parametrize("broken", ["config.json", "metrics.json"])
def test_what_cannot_be_sent_is_one_line(broken: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = root / "checkpoints" / "ddpm" / broken
    path.write_text("{") if broken == "metrics.json" else path.unlink()
    with pytest.raises(SystemExit, match=f"error: .*{path}") as caught:
        hub.main(["someone", "--dry-run"])
    assert "\n" not in str(caught.value)


def test_shipped_checkpoints_have_a_whole_head() -> None:
    for kind in (*MODELS, *hub.JUDGE):
        card = hub.card_of(shipped(kind), kind)
        assert card.data.to_dict()["license"] == "apache-2.0"
        assert str(card).startswith("---\n")
