"""Others' accuracies on the course's prompt files, as lines beside ours."""

from __future__ import annotations

from dataclasses import dataclass

WEIGHTS = {"test": 72, "new_test": 84}
"""Labels of both prompt files, by which a pooled accuracy of both counts them."""


@dataclass(frozen=True)
class Claim:
    """Somebody else's accuracy on test.json and new_test.json, by the course's evaluator, and whose it is."""

    name: str
    scores: tuple[float, float]
    source: str

    @property
    def pooled(self) -> float:
        return sum(score * weight for score, weight in zip(self.scores, WEIGHTS.values(), strict=True)) / sum(
            WEIGHTS.values()
        )


CLAIMS = (
    Claim("best public DDPM", (0.972, 0.929), "TTUO809's log of a 97 M U-Net, 1,000 steps"),
    Claim("the course report's DDPM", (0.847, 0.869), "the report that this project starts from, 1,200 steps"),
    Claim("public SNGAN", (0.792, 0.821), "another course report, projection and hinge loss"),
    Claim("the course report's GAN", (0.611, 0.631), "the report that this project starts from"),
)
WHOSE = (
    "Lines of others are their authors' own claims, by the course's evaluator, and ours are by this page's judge. The "
    "course report is of a lab on conditional generation, whose question, GAN or DDPM, this page takes up."
)
