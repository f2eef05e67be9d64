"""Publishes the weights with their cards, and the Space beside them, on the Hugging Face Hub.

    python -m clevr_demo.hub someone --dry-run         # what would go where; without --dry-run it goes there
    clevr_demo.load("ddpm", "someone/clevr-ddpm")      # anybody's way to them then, at a `revision=` if one is named

The files go as they are, so that a model is the same model under the same fingerprint wherever it came from. Publishing
needs a network and a token (`hf auth login`).
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, HfApi, ModelCard, ModelCardData

from clevr_demo.checkpoints import FILES, ROOT, folder_of, read_metrics, reason, write_text
from clevr_demo.engine import RUNTIME, RUNTIME_FILES
from clevr_demo.models import MODELS

CARD = "README.md"
JUDGE = ("detector", "classifier")
DATASET = "i-CLEVR"
MEASURES = {
    "exact": ("exact_match", "Counted exact: every requested object once and nothing else, by the detector"),
    "accuracy": ("accuracy", "Pooled top-k accuracy, the course's measure, by the classifier"),
}
"""The scores of metrics.json that a card's head gives: their kinds on the Hub, and what they are called there."""
ATTRIBUTES = """*.safetensors filter=lfs diff=lfs merge=lfs -text
*.onnx filter=lfs diff=lfs merge=lfs -text
*.wasm filter=lfs diff=lfs merge=lfs -text
*.png filter=lfs diff=lfs merge=lfs -text
*.webp filter=lfs diff=lfs merge=lfs -text
*.gz filter=lfs diff=lfs merge=lfs -text
"""
"""The .gitattributes of a repository on the Hub, where files of more than 10 MB have to be stored apart."""
SPACE = ("app.py", "requirements.txt", CARD, "LICENSE", "NOTICE", "clevr_demo", "docs", "checkpoints")
NOT_SHOWN = ("__pycache__", ".cache", "*.part", "teacher")
"""What the page reads nothing of."""


def evaluations(metrics: Mapping[str, Any]) -> Iterator[EvalResult]:
    """The scores in a metrics.json, as the Hub wants them."""
    rows = dict(metrics.get("scores", {}))
    if "rows" in metrics.get("robustness", {}):
        rows["held-out pictures"] = metrics["robustness"]["rows"].get("as they are", {})
    if "held_out" in metrics:
        rows["held-out pictures"] = metrics["held_out"]
    for prompts, scores in rows.items():
        for field, (kind, name) in MEASURES.items():
            value = scores.get(field)
            if value is not None:
                yield EvalResult(
                    task_type="unconditional-image-generation" if "seeds" in scores else "object-detection",
                    dataset_type="i-clevr",
                    dataset_name=f"{DATASET}, {prompts}",
                    dataset_config=prompts,  # scores of one configuration are listed together
                    metric_type=kind,
                    metric_name=name,
                    metric_value=value["mean"] if isinstance(value, Mapping) else value,
                )


def card_data(kind: str, metrics: Mapping[str, Any]) -> ModelCardData:
    """The head of a model's card: licence, data set, and every score of its metrics.json."""
    results = list(evaluations(metrics))
    return ModelCardData(
        license="apache-2.0",
        library_name="pytorch",
        pipeline_tag="unconditional-image-generation" if kind in MODELS else "object-detection",
        tags=["clevr", "i-clevr", kind],
        datasets=["i-clevr"],
        metrics=sorted({result.metric_type for result in results}) or None,
        model_name=f"clevr-{kind}",
        eval_results=results or None,
    )


def card_of(folder: Path, kind: str) -> ModelCard:
    """The card of a checkpoint folder: its README.md under a head that is made from its metrics.json."""
    body = (folder / CARD).read_text(encoding="utf-8") if (folder / CARD).is_file() else f"# {kind}\n"
    body = re.sub(r"\A---\n.*?\n---\n", "", body, flags=re.DOTALL)  # the head of a card that came from the Hub
    return ModelCard(f"---\n{card_data(kind, read_metrics(folder)).to_yaml()}\n---\n\n{body.strip()}\n")


def copied(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, to)


def stage_model(kind: str, folder: Path) -> None:
    """Copies the files of the model's checkpoint into the folder, with its card."""
    checkpoint = folder_of(kind)
    for path in (path for pattern in FILES for path in checkpoint.glob(pattern)):
        copied(path, folder / path.relative_to(checkpoint))
    write_text(folder / CARD, str(card_of(checkpoint, kind)))
    write_text(folder / ".gitattributes", ATTRIBUTES)


def stage_space(folder: Path) -> None:
    """Copies what the Space needs, its weights included, into the folder."""
    root = ROOT.parent
    for name in SPACE:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns(*NOT_SHOWN))
        elif source.is_file():
            shutil.copyfile(source, folder / name)
    for name in ("package.json", *RUNTIME_FILES.values()):  # a Space has no npm; the licence is in package.json
        if (root / RUNTIME / name).is_file():
            copied(root / RUNTIME / name, folder / RUNTIME / name)
    write_text(folder / ".gitattributes", ATTRIBUTES)


def listed(folder: Path) -> str:
    """What a folder would send."""
    sizes = {path: path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    large = [f"\n  {path.relative_to(folder)}: over 10 MB, stored as LFS" for path in sizes if sizes[path] > 10e6]
    return f"{len(sizes)} files, {sum(sizes.values()) / 1e6:.1f} MB" + "".join(large)


def send(name: str, kind: str, folder: Path) -> str:
    """Uploads a folder to a "model" or "space" on the Hub, which is made if need be; its address."""
    api = HfApi()
    api.create_repo(name, repo_type=kind, exist_ok=True, space_sdk="gradio" if kind == "space" else None)
    message = "Weights and card" if kind == "model" else "The Space"
    return str(api.upload_folder(repo_id=name, repo_type=kind, folder_path=folder, commit_message=message))


def publish(user: str, space: str, dry: bool) -> None:
    """Sends every checkpoint and the Space, or lists what would go."""
    jobs: list[tuple[str, str, Callable[[Path], None]]] = [
        (f"{user}/clevr-{kind}", "model", partial(stage_model, kind)) for kind in (*MODELS, *JUDGE)
    ]
    for name, kind, stage in [*jobs, (f"{user}/{space}", "space", stage_space)]:
        with tempfile.TemporaryDirectory() as place:
            stage(Path(place))
            print(f"{kind} {name}: {listed(Path(place))}")
            if not dry:
                print(send(name, kind, Path(place)))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("user", help="whose repositories: your name on the Hub, or an organisation's")
    parser.add_argument("--space", default="clevr-duel", help="name of the Space (default: clevr-duel)")
    parser.add_argument("--dry-run", action="store_true", help="list what would be published and stop")
    options = parser.parse_args(argv)
    try:
        publish(options.user, options.space, options.dry_run)
    except Exception as error:  # no token, no network, no such user: each is an error of its own there
        sys.exit(f"error: {reason(error)}")


if __name__ == "__main__":
    main()
