"""The battery: losses of several networks on the same random tasks, and their statistics."""

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.analysis.answers import (
    QUANTILES,
    WORST_TASKS,
    BatteryResult,
    Cancelled,
    HardTask,
    Pair,
    SourceResult,
)
from core.analysis.callbacks import OnProgress
from core.analysis.executors import require_affordable
from core.analysis.lab_tasks import explicit
from core.analysis.questions import LARGEST_NUMBER, Battery
from core.analysis.theta_cache import Theta
from core.engines.base import Engine
from core.errors import ConfigError
from core.evaluation.few_shot_tasks import ManyTasks, draw_many
from core.evaluation.statistics import Statistics, has_diverged, number, numbers
from core.tasks.base import Floats
from core.tasks.family import Interval

PART = 128
"""Tasks between two checks for cancellation. A multiple of the number that the reference engine
adapts together, so that no loss depends on it."""

BINS = 30
ROWS = 8
"""Cells of the heat map along the first parameter of the tasks."""
COLUMNS = 12
"""Cells along the second."""

Losses = NDArray[np.float64]


def run_battery(
    question: Battery,
    sources: Sequence[tuple[Theta, Engine]],
    progress: OnProgress,
    cancelled: Callable[[], bool],
) -> BatteryResult | Cancelled:
    """Evaluate all sources on the same tasks.

    Raises ``ConfigError`` for tasks and networks that are too large.
    """
    protocol = question.protocol
    drawn = draw_many(protocol, sources[0][0].config.tasks)
    _require_nameable(drawn)
    points = 3 * protocol.shots + protocol.query_points
    for theta, _ in sources:
        require_affordable(theta.config, "updates", protocol.last_step, PART * points)
    columns = []
    total = protocol.tasks * len(sources)
    ends = sorted({0, protocol.last_step})
    for index, (theta, engine) in enumerate(sources):
        lr = protocol.inner_lr or theta.config.algorithm.inner_lr
        parts = []
        for start in range(0, protocol.tasks, PART):
            if cancelled():
                return Cancelled()
            part = drawn.sets.part(start, PART)
            parts.append(engine.adapt(theta.values, part, ends, lr).losses[:, [0, -1]])
            done = index * protocol.tasks + min(start + PART, protocol.tasks)
            progress(done, total)
        before, after = np.concatenate(parts).T
        # A loss that is NaN has grown beyond all others.
        columns.append(np.where(has_diverged(after, before), np.inf, after))
    return _result(question, [theta for theta, _ in sources], drawn, columns)


def _require_nameable(drawn: ManyTasks) -> None:
    """Refuse tasks with numbers too large for a question about one of them."""
    family = drawn.family
    values = dict(zip(family.parameters, drawn.parameters.T, strict=True))
    for name, numbers_drawn in {**values, "x": drawn.sets.query_x}.items():
        largest = float(np.abs(numbers_drawn).max())
        if not largest <= LARGEST_NUMBER:
            problem = f"must be at most {LARGEST_NUMBER:g} for a battery"
            raise ConfigError(f"{family.table}.{name}", largest, problem)


def _result(
    question: Battery,
    thetas: Sequence[Theta],
    drawn: ManyTasks,
    columns: Sequence[Losses],
) -> BatteryResult:
    bins = _bins(columns)
    axes = _axes(drawn)
    (row_name, row_edges, rows), (column_name, column_edges, columns_of) = axes
    cell = rows * COLUMNS + columns_of
    tasks = np.bincount(cell, minlength=(len(row_edges) - 1) * COLUMNS)
    return BatteryResult(
        protocol=question.protocol,
        bins=tuple(bins.tolist()),
        axes=(row_name, column_name),
        rows=row_edges,
        columns=column_edges,
        names=drawn.family.groups,
        tasks=tuple(tuple(row) for row in tasks.reshape(-1, COLUMNS).tolist()),
        sources=tuple(
            _source(question, theta, losses, bins, drawn, cell, tasks)
            for theta, losses in zip(thetas, columns, strict=True)
        ),
        pairs=tuple(
            _pair(first, second, columns[first], columns[second])
            for first, second in combinations(range(len(columns)), 2)
        ),
    )


def _source(
    question: Battery,
    theta: Theta,
    losses: Losses,
    bins: NDArray[np.float64],
    drawn: ManyTasks,
    cell: NDArray[np.int64],
    tasks: NDArray[np.int64],
) -> SourceResult:
    finite = losses[np.isfinite(losses)]
    worst = np.argsort(-losses, kind="stable")[:WORST_TASKS]
    # Infinite losses have no mean, no deviation, and no value between them and others.
    with np.errstate(all="ignore"):
        stats = Statistics.of(losses)
        quantiles = np.quantile(losses, QUANTILES)
        heat = np.bincount(cell, losses, len(tasks)) / tasks
    counts, _ = np.histogram(np.clip(finite, bins[0], bins[-1]), bins)
    return SourceResult(
        iteration=theta.iteration,
        lr=question.protocol.inner_lr or theta.config.algorithm.inner_lr,
        mean=number(stats.mean),
        low=number(stats.low),
        high=number(stats.high),
        median=number(stats.median),
        quantiles=numbers(quantiles),
        diverged=len(losses) - len(finite),
        counts=tuple(counts.tolist()),
        worst=tuple(_hard_task(drawn, int(index), losses[index]) for index in worst),
        heat=tuple(numbers(row) for row in heat.reshape(-1, COLUMNS)),
    )


def _hard_task(drawn: ManyTasks, index: int, loss: float) -> HardTask:
    task = drawn.task(index)
    return HardTask(
        index=index,
        loss=number(loss),
        label=task.function.label,
        task=explicit(task) if drawn.family.is_curve else None,
    )


def _pair(first: int, second: int, losses: Losses, others: Losses) -> Pair:
    with np.errstate(all="ignore"):
        stats = Statistics.of(losses - others)
    return Pair(
        first=first,
        second=second,
        mean=number(stats.mean),
        low=number(stats.low),
        high=number(stats.high),
        first_better=float((losses < others).mean()),
    )


def _bins(columns: Sequence[Losses]) -> NDArray[np.float64]:
    """Return bin edges around all finite positive losses, at least a factor of ten apart."""
    losses = np.concatenate(columns)
    shown = losses[np.isfinite(losses) & (losses > 0)]
    low, high = (shown.min(), shown.max()) if len(shown) else (1.0, 1.0)
    lower, upper = math.log10(low), math.log10(high)
    if upper - lower < 1:
        middle = (lower + upper) / 2
        lower, upper = middle - 0.5, middle + 0.5
    # Within the range of a float64 with all its digits: edges must differ.
    return np.logspace(max(lower, -300.0), max(min(upper, 307.0), -299.0), BINS + 1)


_Axis = tuple[str, tuple[float, ...], NDArray[np.int64]]
"""The name of a parameter, the edges of its cells, and the cell of each task."""


def _axes(drawn: ManyTasks) -> tuple[_Axis, _Axis]:
    """Return the axes of the heat map, those of the first two parameters."""
    family = drawn.family
    if family.groups:
        return _grouped_axes(drawn)
    known = list(zip(family.parameters, family.ranges, drawn.parameters.T, strict=True))
    nothing = ("", (0.0, 1.0), np.zeros(len(drawn.parameters)))
    (first, rows, of_rows), (second, columns, of_columns) = (*known, nothing, nothing)[:2]
    return (
        (first, *_cells(of_rows, rows, ROWS)),
        (second, *_cells(of_columns, columns, COLUMNS)),
    )


def _grouped_axes(drawn: ManyTasks) -> tuple[_Axis, _Axis]:
    """Return a row for each family of a mixture, and where its first parameter is in its range."""
    mixture, n = drawn.family, len(drawn.family.groups)
    numbers, first = (*drawn.parameters.T, np.zeros(len(drawn.parameters)))[:2]
    families = [mixture.member(*mixture.reference_of(group))[0] for group in range(n)]
    ranges = np.array([(*one.ranges, (0.0, 1.0))[0] for one in families])
    lows, highs = ranges[numbers.astype(int)].T
    widths = np.where(highs > lows, highs - lows, 1.0)
    return (
        (mixture.parameters[0], *_cells(numbers, (0, n), n)),
        ("first parameter", *_cells((first - lows) / widths, (0, 1), COLUMNS)),
    )


def _cells(
    values: Floats, interval: Interval, n: int
) -> tuple[tuple[float, ...], NDArray[np.int64]]:
    """Return edges ``(n + 1,)`` of equal cells of ``interval``, and the cell of each value."""
    low, high = interval
    share = (values - low) / (high - low) if high > low else np.zeros(len(values))
    cell = np.clip((share * n).astype(np.int64), 0, n - 1)
    return tuple(np.linspace(low, high, n + 1).tolist()), cell
