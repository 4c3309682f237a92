"""The outer gradient of a run, computed again by autograd and by central differences.

What an algorithm says that its outer gradient is, and what it proves to be, are both reported: a
term that was left out shows as the first order in place of the second.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.algorithms.base import Algorithm, Derivative
from core.config import RunConfig
from core.engines import make_engine
from core.errors import EngineError, LabError, in_words
from core.tasks.base import Floats

EQUAL = 1e-9
"""Of the largest element. Rounding leaves some 1e-13."""
EQUAL_SLOPE = 1e-6
"""Of the gradient's length. The third derivative, and rounding, leave some 1e-9."""


@dataclass(frozen=True)
class GradientCheck:
    """How far the outer gradient that ``engine`` computes is from other computations of it.

    ``autograd`` has its largest difference from each known derivative, over the largest element.
    ``slopes`` is the largest difference from central differences, over its length; None where it is
    not the derivative of anything.
    """

    algorithm: Algorithm
    engine: str
    size: int
    autograd: Mapping[Derivative, float]
    slopes: float | None

    @property
    def proved(self) -> tuple[Derivative, ...]:
        """What the gradient equals: nothing, or several where these are the same."""
        return tuple(name for name, far in self.autograd.items() if far <= EQUAL)

    @property
    def expected(self) -> Derivative:
        """What the algorithm says that it is; the nearest, if it does not say."""
        nearest = min(self.autograd.items(), key=lambda item: _rank(item[1]))
        return self.algorithm.derivative or nearest[0]

    @property
    def slopes_agree(self) -> bool:
        """True unless central differences show another gradient."""
        return self.slopes is None or self.slopes <= EQUAL_SLOPE

    @property
    def agrees(self) -> bool:
        """True if the gradient is what it should be."""
        return self.expected in self.proved and self.slopes_agree


def check_gradient(
    config: RunConfig, on_prepare: Callable[[str], None] = lambda _: None
) -> GradientCheck:
    """Compute the outer gradient of the first iteration in float64, in every way.

    The training loss is differentiated by autograd through all that the algorithm does, with the
    gradients of its inner steps (second order), and with these held constant (first order).
    ``on_prepare`` is called with a description before each slow preparation. Raises ``LabError``.

    >>> from core import Fomaml, Maml, RunConfig, check_gradient
    >>> check_gradient(RunConfig(algorithm=Maml())).proved
    ('second',)
    >>> check_gradient(RunConfig(algorithm=Fomaml())).proved
    ('first',)
    """
    try:
        return _check(config, on_prepare)
    except LabError:
        raise
    except Exception as error:
        raise EngineError(config.algorithm.title, in_words(error)) from error


def _check(config: RunConfig, on_prepare: Callable[[str], None]) -> GradientCheck:
    from core.analysis.other_gradients import OtherGradients  # late: it imports PyTorch

    algorithm = dataclasses.replace(
        config.algorithm, outer_optimizer="sgd", schedule="constant", outer_lr=1.0
    )
    config = dataclasses.replace(config, algorithm=algorithm, precision="float64")
    engine = make_engine(config, on_prepare)
    start = engine.initial_state()
    # With this optimizer and rate, the step is the gradient.
    gradient = start.theta - engine.advance(start, 1).state.theta
    again = OtherGradients(config, start)
    references: dict[Derivative, Floats] = {
        "second": again.derivative("second"),
        "first": again.derivative("first"),
        "displacement": again.displacement(),
        "zero": np.zeros_like(gradient),
    }
    scale = float(np.abs(gradient).max()) or 1.0
    autograd: dict[Derivative, float] = {}
    for name, reference in references.items():
        scaled = [factor * reference for factor in again.factors]
        autograd[name] = min(float(np.abs(gradient - one).max()) / scale for one in scaled)
    found = GradientCheck(config.algorithm, engine.name, len(gradient), autograd, None)
    if found.expected not in ("second", "first"):
        return found
    return dataclasses.replace(found, slopes=again.slopes(gradient, found.expected))


def _rank(far: float) -> float:
    """Return a distance that can be compared: one that is not a number is the largest."""
    return far if np.isfinite(far) else np.inf
