"""The settings of a run in words, from the plain values of its snapshot."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from core.algorithms.base import Algorithm
from core.algorithms.registry import ALGORITHMS
from core.config import RunConfig
from core.errors import LabError
from core.events import Snapshot
from core.tasks.family import TaskFamily
from core.tasks.sine import SineTasks


def config_of(snapshot: Snapshot) -> RunConfig | None:
    """Return the configuration of a run; None if it has none, or another version's."""
    return _decoded(msgspec.msgpack.encode(snapshot.config))


@lru_cache(maxsize=128)
def _decoded(config: bytes) -> RunConfig | None:
    try:
        return RunConfig.from_dict(msgspec.msgpack.decode(config))
    except LabError:
        return None


def family_of(snapshot: Snapshot) -> TaskFamily:
    """Return the task family of a run; sine waves if its configuration is unknown."""
    config = config_of(snapshot)
    return SineTasks() if config is None else config.tasks


def main_settings(snapshot: Snapshot) -> dict[str, str]:
    """Return the settings that decide most, by name; none if the configuration is unknown."""
    config = config_of(snapshot)
    if config is None:
        return {}
    algorithm = config.algorithm
    points = next((name for name in ("shots", "points") if hasattr(algorithm, name)), "")
    return {
        "inner rate": f"{algorithm.inner_lr:g}{_inner_optimizer(algorithm)}",
        "outer rate": f"{algorithm.outer_lr:g} {algorithm.outer_optimizer}",
        "per iteration": f"{algorithm.tasks:,} task{'s' if algorithm.tasks > 1 else ''}",
        "per task": f"{getattr(algorithm, points):,} {points}" if points else "",
        **_context(algorithm),
        **({} if isinstance(config.tasks, SineTasks) else {"tasks": config.tasks.plural}),
        **({"data": data} if (data := ", ".join(_data(config))) else {}),
        "network": network_words(config),
        "seed": str(config.seed),
    }


def _inner_optimizer(algorithm: Algorithm) -> str:
    """Return the inner optimizer after a rate, where it is not plain SGD."""
    name = getattr(algorithm, "inner_optimizer", "sgd")
    return "" if name == "sgd" else f" {name}"


def network_words(config: RunConfig) -> str:
    """Return the network of a run: its hidden layers, or the name of the user's own model."""
    network = config.network
    return config.model or f"{'-'.join(map(str, network.hidden))} {network.activation}"


def _context(algorithm: Algorithm) -> dict[str, str]:
    """Return how many context inputs adapt, where such do."""
    inputs = getattr(algorithm, "context_inputs", 0)
    return {"context inputs": f"{inputs:,}"} if inputs else {}


def _data(config: RunConfig) -> Iterator[str]:
    """Yield what is unusual about the data of a run, in words."""
    if isinstance(config.tasks, SineTasks) and "frequency" in config.tasks.parameters:
        yield "frequency {:g} to {:g}".format(*config.tasks.frequency)
    if getattr(config.algorithm, "query", "grid") == "random":
        yield "random query points"
    if config.noise:
        yield f"noise {config.noise:g}"
    if config.fixed_tasks:
        yield f"{config.fixed_tasks:,} fixed tasks"


def settings_words(snapshot: Snapshot) -> str:
    """Return these settings in a line: rates, optimizer, tasks, shots, network and seed."""
    prefixes = {
        "inner rate": "inner ",
        "outer rate": "outer ",
        "context inputs": "context ",
        "seed": "seed ",
    }
    settings = main_settings(snapshot).items()
    return " · ".join(f"{prefixes.get(name, '')}{value}" for name, value in settings if value)


def is_validated(snapshot: Snapshot) -> bool:
    """Return True if the run is validated from time to time."""
    config = config_of(snapshot)
    return config is not None and config.validation.interval > 0


def validation_words(snapshots: Iterable[Snapshot]) -> str:
    """Return what the runs are validated on: ``64 tasks, 10 points, 32 steps``."""
    words: dict[str, None] = {}
    for config in map(config_of, filter(is_validated, snapshots)):
        assert config is not None
        one = config.validation
        words[f"{one.tasks:,} tasks, {one.shots:,} points, {one.last_step:,} steps"] = None
    return " or ".join(words)


def training_loss_words(snapshots: Iterable[Snapshot]) -> str:
    """Return what the training loss of each algorithm is, and that they cannot be compared."""
    words = dict.fromkeys(
        f"{run.title}: {ALGORITHMS[run.algorithm].training_loss}"
        for run in snapshots
        if run.algorithm in ALGORITHMS
    )
    return "; ".join((*words, "not comparable") if len(words) > 1 else words)
