"""Few-shot evaluations over many tasks: their settings, and those that have a name.

No NumPy is imported: ``--help`` reads them.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from core import validation
from core.settings import setting
from core.tasks.family import Interval, QueryPoints, TaskFamily
from core.tasks.sine import SineTasks

ProtocolName = Literal[
    "source",
    "source-half-range",
    "finn-5-shot",
    "finn-10-shot",
    "finn2017",
    "finn2017-code",
    "meta-curvature2019",
    "metasgd2017",
    "optml2023",
    "parl2021",
    "arml2020-2d",
    "reptile2018",
]
"""Protocols that have a name: of the reference implementation, and of publications."""

MOST_STEPS = 10_000
MOST_SHOTS = 100_000
MOST_TASKS = 100_000
LARGEST_NOISE = 1e6
LARGEST_DATA = 2**26
"""Bound on the points of all tasks: half a GiB."""


@dataclass(frozen=True, kw_only=True)
class EvaluationProtocol:
    """What a network is evaluated on, and how it adapts to it.

    Each of ``tasks`` has ``shots`` uniform support points and a query set of ``query_points`` over
    the whole range of x, a grid or random; each y of both has normal ``noise``. Full-batch SGD
    adapts the network to the support set; losses on the query set are reported after each of
    ``steps``, and before any. Equal protocols mean equal tasks, so the losses of several networks
    can be compared in pairs.
    """

    prefix: ClassVar[str] = ""
    """What precedes the name of a setting in an error."""

    shots: int = setting(10, help="Support points (K)")
    support_interval: tuple[float, float] | None = setting(
        None, help="Interval of x of the support points (default: the whole range)"
    )
    steps: tuple[int, ...] = setting(
        (1, 5, 10, 32), help="Gradient steps after which the loss is reported"
    )
    inner_lr: float | None = setting(None, help="Inner learning rate (default: that of the run)")
    query_points: int = setting(50, help="Points of a query set")
    query: QueryPoints = setting(
        "grid", help="Query points: equally spaced, or random ones for each task", added=True
    )
    noise: float = setting(0.0, help="Standard deviation of the noise of each y", added=True)
    tasks: int = setting(1_000, help="Number of tasks")
    seed: int = setting(0, help="Random seed of the tasks")
    family: SineTasks | None = None
    """The task family; None for that of the run."""

    def __post_init__(self) -> None:
        prefix = self.prefix
        validation.count(f"{prefix}shots", self.shots, high=MOST_SHOTS)
        if self.support_interval is not None:
            validation.interval(f"{prefix}support_interval", self.support_interval)
        validation.increasing(f"{prefix}steps", self.steps, high=MOST_STEPS)
        if self.inner_lr is not None:
            validation.positive(f"{prefix}inner_lr", self.inner_lr)
        validation.count(f"{prefix}query_points", self.query_points, low=2, high=MOST_SHOTS)
        validation.one_of(f"{prefix}query", self.query, get_args(QueryPoints))
        validation.within(f"{prefix}noise", self.noise, 0, LARGEST_NOISE)
        validation.count(f"{prefix}tasks", self.tasks, high=MOST_TASKS)
        validation.seed(f"{prefix}seed", self.seed)
        for points in ("shots", "query_points"):
            factors = {f"{prefix}{name}": getattr(self, name) for name in ("tasks", points)}
            validation.product(factors, LARGEST_DATA)
        reported = {f"{prefix}tasks": self.tasks, f"{prefix}steps": len(self.steps)}
        validation.product(reported, LARGEST_DATA)

    @property
    def reported_steps(self) -> tuple[int, ...]:
        """The steps with a loss: ``steps``, and 0 for the loss before adaptation."""
        return tuple(sorted({0, *self.steps}))

    @property
    def support(self) -> str:
        """Number and interval of the support points in words."""
        points = f"{self.shots:,} support point{'s' if self.shots > 1 else ''}"
        if self.support_interval is None:
            return f"{points} over the whole range"
        low, high = self.support_interval
        return f"{points} from [{low:g}, {high:g}]"

    @property
    def last_step(self) -> int:
        """The number of gradient steps."""
        return self.steps[-1]


def named_protocol(name: ProtocolName, tasks: TaskFamily) -> EvaluationProtocol:
    """Return the protocol ``name`` for networks that are trained on ``tasks``.

    Raises ``ConfigError`` for another name.
    """
    validation.one_of("protocol", name, get_args(ProtocolName))
    return _named_protocols(tasks.x)[name]


@functools.cache
def _named_protocols(x: Interval) -> Mapping[ProtocolName, EvaluationProtocol]:
    low, high = x
    half_turn = SineTasks(phase=(0, math.pi))
    frequencies = dataclasses.replace(half_turn, frequency=(0.8, 1.2))
    grid = EvaluationProtocol(shots=5, steps=(1, 5, 10), inner_lr=0.01, family=half_turn)
    finn = dataclasses.replace(grid, query="random")
    one_step = dataclasses.replace(finn, steps=(1,))
    return {
        "source": EvaluationProtocol(),
        "source-half-range": EvaluationProtocol(
            shots=5, support_interval=((low + high) / 2, high), steps=(1, 5, 10)
        ),
        "finn-5-shot": grid,
        "finn-10-shot": dataclasses.replace(grid, shots=10),
        "finn2017": finn,
        "finn2017-code": dataclasses.replace(finn, inner_lr=0.001),
        "meta-curvature2019": dataclasses.replace(one_step, inner_lr=None),
        "metasgd2017": dataclasses.replace(one_step, family=frequencies),
        "optml2023": dataclasses.replace(grid, steps=(1,), query_points=100),
        "parl2021": dataclasses.replace(finn, steps=(3,), inner_lr=0.001, family=frequencies),
        "arml2020-2d": EvaluationProtocol(steps=(5,), inner_lr=0.001, query="random", noise=0.3),
        "reptile2018": EvaluationProtocol(steps=(8, 16, 24, 32), inner_lr=0.02, family=SineTasks()),
    }
