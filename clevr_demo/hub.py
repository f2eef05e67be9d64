"""Weights on the Hugging Face Hub: fetch them by name, publish them with their cards, and the Space beside them.

    model = DDPM.from_pretrained("someone/clevr-ddpm", revision="main").load()    # or ACGAN, Detector, Classifier
    DDPM("checkpoints/ddpm").push_to_hub("someone/clevr-ddpm")

    python -m clevr_demo.hub someone --dry-run      # what would go where; without --dry-run it goes there

The files go as they are, so that a model is the same model under the same fingerprint wherever it came from, and they
are read by the same strict loaders. Fetching needs a network, publishing a token (`hf auth login`).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from huggingface_hub import EvalResult, HfApi, ModelCard, ModelCardData, ModelHubMixin, snapshot_download

from clevr_demo.checkpoints import CONFIG, ROOT, WEIGHTS, CheckpointError, folder_of, reason, write_text
from clevr_demo.generators.acgan import load_acgan
from clevr_demo.generators.ddpm import load_ddpm
from clevr_demo.judge.detector import load_detector
from clevr_demo.judge.evaluator import load_evaluator

CARD = "README.md"
METRICS = "metrics.json"
FILES = (WEIGHTS, CONFIG, CARD, METRICS, "log*.csv", "*.png")
DATASET = "i-CLEVR"
MEASURES = {
    "exact": ("exact_match", "Counted exact: every requested object once and nothing else, by the detector"),
    "accuracy": ("accuracy", "Pooled top-k accuracy, the course's measure, by the classifier"),
}
"""The scores of metrics.json that a card's head gives: their kinds on the Hub, and what they are called there."""
ATTRIBUTES = """*.safetensors filter=lfs diff=lfs merge=lfs -text
*.png filter=lfs diff=lfs merge=lfs -text
"""
"""The .gitattributes of a repository on the Hub, where files of more than 10 MB have to be stored apart."""
LOADERS: dict[str, Callable[..., Any]] = {
    "ddpm": load_ddpm,
    "acgan": load_acgan,
    "detector": load_detector,
    "classifier": load_evaluator,
}
SPACE = ("app.py", "requirements.txt", CARD, "LICENSE", "NOTICE", "clevr_demo", "docs", "checkpoints")


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
    draws = kind in ("ddpm", "acgan")
    results = list(evaluations(metrics))
    return ModelCardData(
        license="apache-2.0",
        library_name="pytorch",
        pipeline_tag="unconditional-image-generation" if draws else "object-detection",
        tags=["clevr", "i-clevr", kind, "pytorch_model_hub_mixin"],
        datasets=["i-clevr"],
        metrics=sorted({result.metric_type for result in results}) or None,
        model_name=f"clevr-{kind}",
        eval_results=results or None,
    )


def card_of(folder: Path, kind: str) -> ModelCard:
    """The card of a checkpoint folder: its README.md under a head that is made from its metrics.json."""
    body = (folder / CARD).read_text(encoding="utf-8") if (folder / CARD).is_file() else f"# {kind}\n"
    body = ModelCard(body, ignore_metadata_errors=True).text
    try:
        metrics = json.loads((folder / METRICS).read_text(encoding="utf-8")) if (folder / METRICS).is_file() else {}
    except ValueError as error:
        raise CheckpointError(f"{folder / METRICS}: not valid JSON ({error})") from None
    return ModelCard(f"---\n{card_data(kind, metrics).to_yaml()}\n---\n\n{body.strip()}\n")


class Checkpoint(ModelHubMixin):
    """A checkpoint folder, here or on the Hub; `load` gives what draws or judges with it."""

    kind: ClassVar[str]

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = folder_of(self.kind, folder)

    def load(self, device: str = "auto") -> Any:
        """Reads the weights by the strict loader; a CheckpointError names what does not fit."""
        return LOADERS[self.kind](self.folder, device=device)

    @classmethod
    def from_pretrained(cls, *arguments: Any, **named: Any) -> Self:
        """The checkpoint of that name on the Hub, at a `revision` if one is given, or in that folder here.

        Raises:
            CheckpointError: it cannot be fetched, or is no checkpoint.
        """
        try:
            found: Self = super().from_pretrained(*arguments, **named)
        except CheckpointError:
            raise
        except Exception as error:  # a bad name, no network, no such repository: each is an error of its own there
            name = next(iter(arguments), named.get("pretrained_model_name_or_path"))
            raise CheckpointError(f"{name}: cannot be fetched ({reason(error)})") from error
        return found

    @classmethod
    def _from_pretrained(cls, *, model_id: str, revision: str | None = None, **where: Any) -> Self:
        if Path(model_id).is_dir():
            return cls(model_id)
        wanted = {name: where[name] for name in ("cache_dir", "force_download", "local_files_only", "token")}
        return cls(snapshot_download(model_id, revision=revision, allow_patterns=list(FILES), **wanted))

    def _save_pretrained(self, save_directory: Path) -> None:
        for pattern in FILES:
            for path in self.folder.glob(pattern):
                shutil.copyfile(path, save_directory / path.name)
        write_text(save_directory / CARD, str(card_of(self.folder, self.kind)))
        write_text(save_directory / ".gitattributes", ATTRIBUTES)


class DDPM(Checkpoint):
    kind = "ddpm"


class ACGAN(Checkpoint):
    kind = "acgan"


class Detector(Checkpoint):
    """The judge's eye."""

    kind = "detector"


class Classifier(Checkpoint):
    """The judge's classifier; what it loads is the whole judge, with the detector that is here."""

    kind = "classifier"


PUBLISHED: dict[str, type[Checkpoint]] = {model.kind: model for model in (DDPM, ACGAN, Detector, Classifier)}


def stage_space(folder: Path) -> None:
    """Copies what the Space needs, its weights included, into the folder."""
    root = ROOT.parent
    for name in SPACE:
        source = root / name
        if source.is_dir():
            kept = shutil.ignore_patterns("__pycache__", ".cache", "*.part", "log*.csv", "experiments", "teacher")
            shutil.copytree(source, folder / name, ignore=kept)
        elif source.is_file():
            shutil.copyfile(source, folder / name)
    write_text(folder / ".gitattributes", ATTRIBUTES)


def publish(user: str, space: str, dry: bool) -> None:
    """Puts every model and the Space into repositories of the user's; `dry` only tells."""
    jobs: dict[str, tuple[str, Callable[[Path], object]]] = {
        f"{user}/clevr-{kind}": ("model", model().save_pretrained) for kind, model in PUBLISHED.items()
    }
    jobs[f"{user}/{space}"] = ("space", stage_space)
    for name, (kind, stage) in jobs.items():
        with tempfile.TemporaryDirectory() as place:
            stage(Path(place))
            files = sorted(path for path in Path(place).rglob("*") if path.is_file())
            size = sum(path.stat().st_size for path in files)
            print(f"{kind} {name}: {len(files)} files, {size / 1e6:.1f} MB")
            if dry:
                large = [path for path in files if path.stat().st_size > 10_000_000]
                print("".join(f"  {path.relative_to(place)}: over 10 MB, stored as LFS\n" for path in large), end="")
                continue
            api = HfApi()
            sdk = {"space_sdk": "gradio"} if kind == "space" else {}
            api.create_repo(name, repo_type=kind, exist_ok=True, **sdk)  # type: ignore[arg-type]
            message = "Weights and card" if kind == "model" else "The Space"
            print(api.upload_folder(repo_id=name, repo_type=kind, folder_path=place, commit_message=message))


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
