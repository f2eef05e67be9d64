"""The classifiers' networks: the project's own, and the course's."""

from __future__ import annotations

import torch

from clevr_demo.judge.classifier import ClassifierNetwork
from clevr_demo.judge.course import CourseResNet18


def test_a_classifier_answers_for_24_objects() -> None:
    torch.manual_seed(0)
    network = ClassifierNetwork().eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 24)


def test_the_judges_features_are_what_its_last_layer_reads() -> None:
    torch.manual_seed(0)
    network = CourseResNet18().eval()
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        probabilities = network.resnet18(pixels)
        assert torch.allclose(network(pixels).sigmoid(), probabilities, atol=1e-6)
        assert torch.allclose(network.resnet18.fc(network.features(pixels)), probabilities, atol=1e-6)
