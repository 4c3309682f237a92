"""Measurements in alternation: a machine's speed drifts, ratios within one round do not."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Key = TypeVar("Key")


@dataclass(frozen=True)
class Effort:
    """The amount of measuring: ``rounds`` turns of each candidate, ``seconds`` each.

    ``quick`` asks the sections for a smoke run without meaningful figures.
    """

    rounds: int = 15
    seconds: float = 0.25
    quick: bool = False


@dataclass(frozen=True)
class Spread:
    """The median of ``n`` measurements and the quartiles around it."""

    median: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        if len(values) < 2:
            return cls(values[0], values[0], values[0], 1)
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high, len(values))


def alternate(candidates: Mapping[Key, Callable[[], float]], rounds: int) -> dict[Key, list[float]]:
    """Call every candidate once per round; return the results of each."""
    results: dict[Key, list[float]] = {key: [] for key in candidates}
    for _ in range(rounds):
        for key, measure in candidates.items():
            results[key].append(measure())
    return results


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """Return the spread of the per-round ratios of two lists of measurements."""
    return Spread.of([a / b for a, b in zip(numerators, denominators, strict=True)])


def seconds(action: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def calibrate_length(run: Callable[[int], float], budget: float, chunk: int) -> int:
    """Return the number of iterations, a multiple of ``chunk``, that take ``budget`` seconds.

    ``run(n)`` runs n iterations and returns their seconds. The first call may compile and does not
    count.
    """
    run(chunk)
    n = chunk
    while (elapsed := run(n)) < budget / 4:
        n *= 2
    return max(chunk, round(n * budget / elapsed / chunk) * chunk)
