"""The memory that runs need at least, compared with the memory that this process may use.

The need is a lower bound from the settings alone, measured once for each engine: what is refused
could not have been trained. What is not refused may still run out of memory.
"""

import math
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from core.algorithms.optimizers import MOMENTS
from core.config import RunConfig
from core.errors import EngineError
from core.evaluation.few_shot_tasks import drawn_bytes
from core.evaluation_protocol import EvaluationProtocol
from core.tasks.family import TaskFamily
from core.training.control_groups import MEMORY, group_files, text_of

PARAMETER_COPIES = 6
"""Vectors of parameters that a run keeps: theta, phi, their sum or gradient, and the saved ones."""

TASK_COPIES = 3
"""Vectors of parameters that PyTorch keeps for each further task."""


class Limit(NamedTuple):
    """Memory in bytes that is available, and what limits it."""

    size: int
    source: str


def require_memory(configs: Sequence[RunConfig], at_once: int | None = None) -> None:
    """Raise ``EngineError`` if the runs, or any ``at_once`` of them, need more than there is."""
    needs = sorted(map(required_memory, configs), reverse=True)[:at_once]
    if needs:
        _require(sum(size for size, _ in needs), needs[0][1])
    validated = [one for one in configs if one.validation.interval]
    if validated:
        _require(*max(drawn_bytes(one.validation, one.tasks) for one in validated))


def require_evaluation_memory(protocol: EvaluationProtocol, family: TaskFamily) -> None:
    """Raise ``EngineError`` if the data of an evaluation need more than there is."""
    _require(*drawn_bytes(protocol, family))


def _require(needed: int, settings: str) -> None:
    limit = min(memory_limits(), default=None)
    if limit is not None and needed > limit.size:
        problem = f"at least {_words(needed)} of memory are needed, and {_words(limit.size)} are"
        problem += f" available ({limit.source})"
        raise EngineError(settings, problem, "choose lower values")


def required_memory(config: RunConfig) -> tuple[int, str]:
    """Return the bytes that a run needs at least, and the settings that most of them are due to.

    A model is made for that; raises as that does.
    """
    algorithm = config.algorithm
    number = 4 if config.precision == "float32" else 8
    at_once = algorithm.tasks if config.adapts_all_tasks_at_once else 1
    drawn = {
        " * ".join(f"{algorithm.name}.{name}" for name in names): size
        * math.prod(getattr(algorithm, name) for name in names)
        for names, size in algorithm.drawn.items()
    }
    if config.device not in ("auto", "cpu"):
        return sum(drawn.values()), max(drawn, key=drawn.__getitem__, default="")
    copies = PARAMETER_COPIES + TASK_COPIES * (at_once - 1)
    copies += len(MOMENTS[algorithm.outer_optimizer])
    network = "model" if config.model else "network.hidden"
    units = 0 if config.model else sum(config.network.hidden)
    parameters = {network: copies * config.parameters * number}
    values = {
        f"{algorithm.name}.{name} * {network}": at_once * getattr(algorithm, name) * units * number
        for name in algorithm.point_settings
    }
    path = {f"{algorithm.name}.inner_steps * {network}": _path(config) * at_once * number}
    parts = {**drawn, **parameters, **values, **path}
    # A gradient step follows once the data are drawn.
    steps = max([sum(drawn.values()), *values.values()])
    needed = sum(parameters.values()) + sum(path.values()) + steps
    return needed, max(parts, key=parts.__getitem__)


def _path(config: RunConfig) -> int:
    """Return the parameters that the inner steps of a task keep, for the derivative through them.

    The fused engine keeps none for the first order, and only those of the head for ANIL.
    """
    kernel = None if config.adapts_all_tasks_at_once else config.algorithm.kernel
    if kernel and (not kernel.second_order or kernel.adapted == "head"):
        return 0
    return config.algorithm.path * config.parameters


def memory_limits(
    proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> Iterator[Limit]:
    """Yield the limits on what this process may still allocate, as far as they are known."""
    for kind, name, used in (
        (resource.RLIMIT_AS, "ulimit -v", "VmSize"),
        (resource.RLIMIT_DATA, "ulimit -d", "VmData"),
    ):
        limit, _ = resource.getrlimit(kind)
        if limit != resource.RLIM_INFINITY:
            in_use = _kilobytes(proc / "self" / "status", used) or 0
            yield Limit(max(0, limit - in_use), name)
    available = _kilobytes(proc / "meminfo", "MemAvailable")
    if available is not None:
        swap = _kilobytes(proc / "meminfo", "SwapFree") or 0
        yield Limit(available + swap, "free memory of this machine")
    for file in group_files(MEMORY, proc, cgroups):
        text = text_of(file).strip()
        if text.isdecimal():
            yield Limit(int(text), "limit of the control group, as of a container or a job")


def _kilobytes(file: Path, name: str) -> int | None:
    """Return a value of a file of ``/proc`` in bytes; None where it is not there."""
    for line in text_of(file).splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1_024
    return None


def _words(size: int) -> str:
    """Return a number of bytes with its unit."""
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.0f} MiB"
