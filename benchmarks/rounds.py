"""Measuring by turns: a machine's speed drifts, ratios within one round do not."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Key = TypeVar("Key")


@dataclass(frozen=True)
class Effort:
    """How long to measure: ``rounds`` turns of each candidate, ``seconds`` a turn.

    ``quick`` asks the sections for a smoke run whose figures mean little.
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


def by_turns(candidates: Mapping[Key, Callable[[], float]], rounds: int) -> dict[Key, list[float]]:
    """What each candidate gives, ``rounds`` times, one after the other in every round."""
    results: dict[Key, list[float]] = {key: [] for key in candidates}
    for _ in range(rounds):
        for key, measure in candidates.items():
            results[key].append(measure())
    return results


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """Of the per-round ratios of two lists of measurements."""
    return Spread.of([a / b for a, b in zip(numerators, denominators, strict=True)])


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def length_for(run: Callable[[int], float], budget: float, chunk: int) -> int:
    """How many iterations, a multiple of ``chunk``, take about ``budget`` seconds.

    ``run(n)`` makes n iterations and gives their seconds. The first call may compile, so it does
    not count.
    """
    run(chunk)
    n = chunk
    while (spent := run(n)) < budget / 4:
        n *= 2
    return max(chunk, round(n * budget / spent / chunk) * chunk)
