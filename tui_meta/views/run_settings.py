"""The settings of a run in words, from the plain values of its snapshot."""

from collections.abc import Iterable

from core.algorithms.registry import ALGORITHMS
from core.events import Snapshot


def settings_words(snapshot: Snapshot) -> str:
    """Return the settings that decide most: rates, optimizer, tasks, shots, network and seed."""
    if not snapshot.config:
        return ""
    algorithm, network = snapshot.config["algorithm"], snapshot.config["network"]
    tasks = algorithm["tasks"]
    points = next(name for name in ("shots", "points") if name in algorithm)
    return " · ".join(
        (
            f"inner {algorithm['inner_lr']:g}",
            f"outer {algorithm['outer_lr']:g} {algorithm['outer_optimizer']}",
            f"{tasks:,} task{'s' if tasks > 1 else ''}",
            f"{algorithm[points]:,} {points}",
            f"{'-'.join(map(str, network['hidden']))} {network['activation']}",
            f"seed {snapshot.config['seed']}",
        )
    )


def is_validated(snapshot: Snapshot) -> bool:
    """Return True if the run is validated from time to time."""
    return bool(snapshot.config and snapshot.config["validation"]["interval"])


def validation_words(snapshots: Iterable[Snapshot]) -> str:
    """Return what the runs are validated on: ``64 tasks, 10 points, 32 steps``."""
    words = dict.fromkeys(
        "{tasks:,} tasks, {shots:,} points, {steps[0]:,} steps".format_map(
            one | {"steps": one["steps"][-1:]}
        )
        for one in (run.config["validation"] for run in snapshots if is_validated(run))
    )
    return " or ".join(words)


def training_loss_words(snapshots: Iterable[Snapshot]) -> str:
    """Return what the training loss of each algorithm is, and that they cannot be compared."""
    words = dict.fromkeys(
        f"{run.title}: {ALGORITHMS[run.algorithm].training_loss}"
        for run in snapshots
        if run.algorithm in ALGORITHMS
    )
    return "; ".join((*words, "not comparable") if len(words) > 1 else words)
