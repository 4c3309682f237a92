"""The iterations at which a run evaluates itself and keeps its parameters.

All are functions of the configuration alone, so a resumed run has the same ones.
"""

from bisect import bisect_right
from collections.abc import Sequence

from core.algorithms.optimizers import MOMENTS
from core.config import RunConfig

EARLY = (100,)
"""Iterations of early validations, times powers of ten, below the interval of later ones.

A run of 50,000 has 13 validations, of 14 ms each: 4.7 % of FOMAML's training time, 13 % of
Reptile's. ``benchmarks`` measures both.
"""

KEPT = (10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90)
"""Iterations whose parameters are kept for good, times powers of ten: 53 of a run of 50,000."""

KEPT_OF_LARGE = (10, 30)
"""The same for networks of which ``KEPT`` would not fit into ``LARGEST_HISTORY``."""

LARGEST_HISTORY = 2**26
"""Bytes of the parameters that are kept; of a larger network none are."""

DECADES = 7
"""Powers of ten that are reckoned with for ``LARGEST_HISTORY``."""


def is_validated(config: RunConfig, iteration: int) -> bool:
    """Return True if ``iteration`` is validated; none is with an interval of 0."""
    interval = config.validation.interval
    if not interval:
        return False
    early = iteration < interval and (not iteration or _is_round(EARLY, iteration))
    return early or iteration % interval == 0 or iteration == config.iterations


def is_kept(config: RunConfig, iteration: int) -> bool:
    """Return True if the parameters of ``iteration`` are kept for good, as part of the history."""
    rounds = _kept(config)
    return bool(rounds) and (not iteration or _is_round(rounds, iteration))


def next_stop(config: RunConfig, iteration: int) -> int:
    """Return the first iteration after ``iteration`` with an evaluation, or to be kept."""
    stops = [iteration - iteration % config.eval_interval + config.eval_interval]
    if rounds := _kept(config):
        stops.append(_next_round(rounds, iteration))
    if validation := next_validation(config, iteration):
        stops.append(validation)
    return min(stops)


def next_validation(config: RunConfig, iteration: int) -> int | None:
    """Return the first iteration after ``iteration`` that is validated; None if none is."""
    interval = config.validation.interval
    if not interval:
        return None
    stops = [iteration - iteration % interval + interval]
    if iteration < interval:
        stops.append(_next_round(EARLY, iteration))
    if iteration < config.iterations:
        stops.append(config.iterations)
    return min(stops)


def _kept(config: RunConfig) -> Sequence[int]:
    vectors = 1 + len(MOMENTS[config.algorithm.outer_optimizer])
    size = vectors * config.parameters * (8 if config.precision == "float64" else 4)
    for rounds in (KEPT, KEPT_OF_LARGE):
        if size * len(rounds) * DECADES <= LARGEST_HISTORY:
            return rounds
    return ()


def _is_round(rounds: Sequence[int], iteration: int) -> bool:
    """Return True for one of ``rounds`` times a power of ten."""
    return iteration > 0 and _next_round(rounds, iteration - 1) == iteration


def _next_round(rounds: Sequence[int], iteration: int) -> int:
    """Return the first of ``rounds`` times a power of ten that is above ``iteration``."""
    scale = 1
    while rounds[-1] * scale <= iteration:
        scale *= 10
    return rounds[bisect_right(rounds, iteration // scale)] * scale
