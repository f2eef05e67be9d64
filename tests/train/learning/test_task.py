"""What tasks share: the rate's course, and two players' losses are the papers'."""

from __future__ import annotations

import pytest
import torch

from train.learning.task import gradient_penalty, learning_rate, relativistic


def test_learning_rate_rises_stays_and_falls_in_straight_lines() -> None:
    rates = [learning_rate(step, 100, warmup=10, decay_from=0.6) for step in range(101)]
    assert rates[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert rates[10:61] == [1.0] * 51
    assert rates[60:] == pytest.approx([1 - place / 40 for place in range(41)])
    assert [learning_rate(step, 100, 0, 1.0) for step in (0, 50, 99)] == [1.0] * 3


def test_the_relativistic_loss_compares_pairs() -> None:
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 1.0])
    odds = (real - fake).sigmoid()  # that the real one is the more real
    assert relativistic(real, fake).item() == pytest.approx(-odds.log().mean().item())
    assert relativistic(fake, real).item() == pytest.approx(-(1 - odds).log().mean().item())


def test_the_penalty_is_half_the_squared_gradient() -> None:
    inputs = torch.tensor([[1.0, 2.0], [3.0, -1.0]], requires_grad=True)
    logits = (inputs**2).sum(dim=1)  # gradient 2x
    penalty = gradient_penalty(logits, inputs)
    assert penalty.item() == pytest.approx(0.5 * (4 * 5 + 4 * 10) / 2)
    penalty.backward()  # and it teaches: d/dx of mean 2 x^2
    assert inputs.grad is not None
    assert torch.allclose(inputs.grad, 2 * inputs.detach())
