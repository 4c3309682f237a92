"""The check of outer gradients: what it proves, and what it says of wrong ones."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from core.algorithms.base import Algorithm, Derivative
from core.algorithms.cavia import Cavia
from core.algorithms.fomaml import Fomaml
from core.algorithms.maml import Maml
from core.algorithms.metasgd import MetaSgd
from core.algorithms.registry import ALGORITHMS
from core.algorithms.reptile import Reptile
from core.analysis.gradient_check import check_gradient
from core.config import RunConfig
from core.errors import EngineError
from core.models.settings import NetworkConfig
from core.tasks.polynomials import LineTasks

SMALL = NetworkConfig(hidden=(12, 12))

VARIANTS: dict[str, Algorithm] = {
    **{name: kind() for name, kind in ALGORITHMS.items()},  # type: ignore[call-arg]
    "maml, first order": Maml(order="first", inner_steps=3),
    "maml, three steps": Maml(inner_steps=3, reduction="mean"),
    "cavia, three steps": Cavia(inner_steps=3),
    "meta-sgd, first order": MetaSgd(order="first", inner_steps=2),
    "reptile, adam": Reptile(inner_optimizer="adam", inner_lr=0.001, tasks=2),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_outer_gradient_of_every_algorithm_is_what_it_says(name: str) -> None:
    algorithm = VARIANTS[name]
    for activation in ("tanh", "relu"):
        network = dataclasses.replace(SMALL, activation=activation)  # type: ignore[arg-type]
        found = check_gradient(RunConfig(algorithm=algorithm, network=network, engine="torch"))
        assert algorithm.derivative == found.expected
        assert found.expected in found.proved
        assert found.agrees
        assert (found.slopes is None) == (found.expected in ("displacement", "zero"))


def test_the_gradient_is_that_of_the_engine_that_trains() -> None:
    found = check_gradient(RunConfig(algorithm=Fomaml(), network=SMALL))
    assert (found.engine, found.proved) == ("fused", ("first",))


def test_a_second_order_gradient_is_not_of_the_first_order() -> None:
    found = check_gradient(RunConfig(algorithm=Maml(), network=SMALL, tasks=LineTasks()))
    assert found.proved == ("second",)
    assert found.autograd["first"] > 1e-3


@dataclass(frozen=True, kw_only=True)
class Wrong(Maml):
    """MAML with another inner step, whose derivative it does not know."""

    name, title = "wrong", "Wrong"

    def inner_step(self, model, theta, phi, x, y, lr):  # type: ignore[no-untyped-def]
        losses, gradient = model.loss_and_gradient(phi, x, y)
        return losses, gradient, phi - lr * gradient - 0.1 * phi


@dataclass(frozen=True, kw_only=True)
class Undeclared(Maml):
    name, title = "undeclared", "Undeclared"

    @property
    def derivative(self) -> Derivative | None:
        return None


@dataclass(frozen=True, kw_only=True)
class Mistaken(Fomaml):
    """FOMAML that says it is MAML."""

    name, title = "mistaken", "Mistaken"

    @property
    def derivative(self) -> Derivative:
        return "second"


@dataclass(frozen=True, kw_only=True)
class Broken(Fomaml):
    name, title, kernel = "broken", "Broken", None  # type: ignore[assignment]

    def inner_step(self, model, theta, phi, x, y, lr):  # type: ignore[no-untyped-def]
        return model.losses(phi)


def test_a_wrong_gradient_is_found_by_autograd_and_by_differences() -> None:
    found = check_gradient(RunConfig(algorithm=Wrong(), network=SMALL))
    assert not found.agrees
    assert found.proved == ()
    assert found.autograd["second"] > 0.01
    assert found.slopes is not None
    assert found.slopes > 0.01


def test_the_first_order_in_place_of_the_second_is_named() -> None:
    found = check_gradient(RunConfig(algorithm=Mistaken(), network=SMALL))
    assert (found.agrees, found.expected, found.proved) == (False, "second", ("first",))


def test_what_is_not_declared_is_recognised() -> None:
    found = check_gradient(RunConfig(algorithm=Undeclared(), network=SMALL))
    assert (found.agrees, found.expected) == (True, "second")


def test_an_error_in_an_algorithm_is_one_line_with_its_title() -> None:
    with pytest.raises(EngineError, match=r"Broken: AttributeError: .* no attribute 'losses'"):
        check_gradient(RunConfig(algorithm=Broken(), network=SMALL))
