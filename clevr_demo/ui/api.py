"""The page's public endpoint, for gradio_client and plain HTTP."""

from __future__ import annotations

import base64
import io
from typing import Any

import gradio as gr

from clevr_demo.generator import Generation
from clevr_demo.request import DEFAULT_STEPS, GenerationRequest
from clevr_demo.ui.drawing import MODELS_QUEUE
from clevr_demo.ui.studio import Studio


def described(studio: Studio, result: Generation) -> dict[str, Any]:
    """One picture as plain values: a PNG in base64, its cost and its verdict."""
    buffer = io.BytesIO()
    result.image.save(buffer, format="PNG")
    verdict = studio.judge(result.image, result.request.objects)
    return {
        "model": result.model,
        "seed": result.request.seed,
        "png": base64.b64encode(buffer.getvalue()).decode(),
        "seconds": round(result.seconds, 3),
        "evaluations": result.evaluations,
        "accuracy": verdict.accuracy,
        "exact": verdict.exact,
        "missing": list(verdict.missing),
        "extra": list(verdict.extra),
        "probabilities": {name: round(share, 4) for name, share in verdict.probabilities.items()},
    }


def add_api(studio: Studio) -> None:
    """Adds the endpoint `/generate` to the page that is being built."""

    def generate(
        labels: list[str],
        seed: int = 7,
        steps: int = DEFAULT_STEPS,
        sampler: str = "dpm",
        guidance: float | None = None,
        pictures: int = 1,
    ) -> dict[str, Any]:
        """Draws a set of objects with both models and judges the pictures.

        Args:
            labels: objects such as "red cube": a colour (gray, red, blue, green, brown, purple, cyan, yellow) and a
                shape (cube, sphere, cylinder).
            seed: the noise to start from, 0 to 2147483647; picture i has seed + i.
            steps: the DDPM's denoising steps, 1 to 1200.
            sampler: the DDPM's sampler: dpm, unipc, ddim or ddpm.
            guidance: the DDPM's guidance scale, 0 to 10; left out, the model's own.
            pictures: pictures a model, 1 to 8.

        Returns:
            The link's query, and for "ddpm" and "acgan" a list of pictures with PNG (base64), cost and verdict.
        """
        try:
            request = GenerationRequest.of(labels, seed, steps, sampler, guidance, pictures)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None
        singles = [request.single(number) for number in range(request.pictures)]
        objects, seeds = [one.objects for one in singles], [one.seed for one in singles]
        options = {"sampler": request.sampler}
        ddpm = studio.ddpm.generate_batch(objects, seeds, request.steps, timeline=False, **options)  # type: ignore[arg-type]
        acgan = studio.acgan.generate_batch(objects, seeds, request.steps, timeline=False)
        return {
            "query": request.query(studio.weights),
            "ddpm": [described(studio, result) for result in ddpm],
            "acgan": [described(studio, result) for result in acgan],
        }

    gr.api(generate, api_name="generate", **MODELS_QUEUE)
