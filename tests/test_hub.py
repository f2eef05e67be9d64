"""The Hub: checkpoints come and go unchanged, cards say what the metrics say, and a dry run sends nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, ModelCard

from clevr_demo import checkpoints, hub
from clevr_demo.checkpoints import CheckpointError, fingerprint, save_weights
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


def test_a_folder_is_loaded_by_name_and_draws(folder: Path) -> None:
    model = hub.DDPM.from_pretrained(folder).load(device="cpu")
    assert model.name == f"ddpm@{fingerprint(folder)}"
    assert model.generate(["red cube"], 1, 1).image.size == (64, 64)


def test_what_is_saved_is_the_same_model_with_a_card(folder: Path, tmp_path: Path) -> None:
    hub.DDPM(folder).save_pretrained(tmp_path / "saved")
    for name in ("model.safetensors", "config.json", "metrics.json"):
        assert (tmp_path / "saved" / name).read_bytes() == (folder / name).read_bytes()
    card = ModelCard.load(tmp_path / "saved" / "README.md")
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
    assert "*.safetensors filter=lfs" in (tmp_path / "saved" / ".gitattributes").read_text()


def test_a_saved_card_is_made_anew_not_headed_twice(folder: Path, tmp_path: Path) -> None:
    hub.DDPM(folder).save_pretrained(tmp_path / "one")
    hub.DDPM(tmp_path / "one").save_pretrained(tmp_path / "two")
    assert (tmp_path / "two" / "README.md").read_text() == (tmp_path / "one" / "README.md").read_text()


def test_fetching_from_the_hub_takes_a_revision(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def fetched(name: str, **options: Any) -> str:
        asked.update(options, name=name)
        return str(folder)

    monkeypatch.setattr(hub, "snapshot_download", fetched)
    monkeypatch.setattr("huggingface_hub.hub_mixin.hf_hub_download", lambda **options: str(folder / "config.json"))
    found = hub.DDPM.from_pretrained("someone/clevr-ddpm", revision="0123abc", local_files_only=True)
    assert found.folder == folder
    assert (asked["name"], asked["revision"], asked["local_files_only"]) == ("someone/clevr-ddpm", "0123abc", True)


def test_pushing_uploads_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, set[str]] = {}

    class Created:
        repo_id = "someone/clevr-ddpm"

    def upload(self: HfApi, *, repo_id: str, folder_path: Path, **_: Any) -> str:
        sent[repo_id] = {path.name for path in Path(folder_path).iterdir()}
        return "address"

    monkeypatch.setattr(HfApi, "create_repo", lambda self, **_: Created())
    monkeypatch.setattr(HfApi, "upload_folder", upload)
    assert hub.DDPM(folder).push_to_hub("someone/clevr-ddpm") == "address"
    assert sent == {
        "someone/clevr-ddpm": {"model.safetensors", "config.json", "metrics.json", "README.md", ".gitattributes"}
    }


@pytest.mark.parametrize("content", [None, "{", "[]", '{"model": {"x": 1}}'])
def test_a_bad_folder_is_a_checkpoint_error(content: str | None, folder: Path) -> None:
    path = folder / "config.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(CheckpointError, match=str(folder)):
        hub.DDPM.from_pretrained(folder).load(device="cpu")


@pytest.mark.parametrize("name", ["", "no such/name/at all", "a" * 200, "someone/absent"])
def test_what_cannot_be_fetched_is_a_checkpoint_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        hub.DDPM.from_pretrained(name, local_files_only=True, cache_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_dry_run_lists_everything_and_sends_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for model in hub.PUBLISHED:
        shutil.copytree(folder, tmp_path / "root" / "checkpoints" / model)
    monkeypatch.setattr(checkpoints, "ROOT", tmp_path / "root" / "checkpoints")
    monkeypatch.setattr(hub, "ROOT", tmp_path / "root" / "checkpoints")

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a dry run reached the network")

    for call in ("create_repo", "upload_folder"):
        monkeypatch.setattr(HfApi, call, refuse)
    hub.main(["someone", "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        *(f"model someone/clevr-{kind}" for kind in hub.PUBLISHED), "space someone/clevr-duel",
    ]  # fmt: skip


def test_shipped_checkpoints_have_a_whole_head() -> None:
    for kind in hub.PUBLISHED:
        card = hub.card_of(shipped(kind), kind)
        assert card.data.to_dict()["license"] == "apache-2.0"
        assert str(card).startswith("---\n")
