"""Hypothesis strategies for valid settings, small enough to be trained twice."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from core.algorithms.anil import Anil
from core.algorithms.base import Algorithm
from core.algorithms.cavia import Cavia
from core.algorithms.fomaml import Fomaml
from core.algorithms.joint import JointTraining
from core.algorithms.maml import Maml
from core.algorithms.metasgd import MetaSgd
from core.algorithms.oracle import Oracle
from core.algorithms.random import RandomInitialisation
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.models.settings import NetworkConfig
from core.tasks.family import TaskFamily
from core.tasks.functions import usual_height
from core.tasks.registry import FAMILIES, chosen_family
from core.tasks.sine import SineTasks

SEEDS = st.integers(0, 2**63 - 1)
OPTIMIZERS = st.sampled_from(["sgd", "momentum", "adam"])
REDUCTIONS = st.sampled_from(["sum", "mean"])
ORDERS = st.sampled_from(["first", "second"])
GRID = st.just("grid")


def intervals(low: float, high: float) -> st.SearchStrategy[tuple[float, float]]:
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(
        lambda pair: (min(pair), max(pair))
    )


def _common(draw: st.DrawFn, optimizers: st.SearchStrategy[str]) -> dict[str, Any]:
    return {
        "outer_lr": draw(st.floats(1e-4, 0.1)),
        "inner_lr": draw(st.floats(1e-3, 0.05)),
        "tasks": draw(st.integers(1, 4)),
        "schedule": draw(st.sampled_from(["constant", "linear", "cosine"])),
        "outer_optimizer": draw(optimizers),
        "momentum": draw(st.floats(0, 0.99)),
        "adam_betas": draw(st.tuples(st.floats(0, 0.99), st.floats(0.5, 0.999))),
    }


@st.composite
def fomamls(
    draw: st.DrawFn,
    optimizers: st.SearchStrategy[str] = OPTIMIZERS,
    reductions: st.SearchStrategy[str] = REDUCTIONS,
    queries: st.SearchStrategy[str] = GRID,
) -> Fomaml:
    """FOMAML with any option, a few tasks, points and steps."""
    return Fomaml(
        **_common(draw, optimizers),
        shots=draw(st.integers(1, 12)),
        query_points=draw(st.integers(2, 20)),
        inner_steps=draw(st.integers(1, 4)),
        reduction=draw(reductions),  # type: ignore[arg-type]
        query=draw(queries),  # type: ignore[arg-type]
    )


@st.composite
def mamls(
    draw: st.DrawFn,
    optimizers: st.SearchStrategy[str] = OPTIMIZERS,
    kind: type[Maml] = Maml,
    orders: st.SearchStrategy[str] = ORDERS,
    queries: st.SearchStrategy[str] = GRID,
) -> Maml:
    """MAML, or a relative, with any option, a few tasks, points and steps."""
    common = _common(draw, optimizers)
    # Rates that are learned, and second derivatives, diverge at rates that FOMAML survives.
    common["outer_lr"] /= 10
    return kind(
        **common,
        shots=draw(st.integers(1, 12)),
        query_points=draw(st.integers(2, 20)),
        inner_steps=draw(st.integers(1, 4)),
        reduction=draw(REDUCTIONS),  # type: ignore[arg-type]
        order=draw(orders),  # type: ignore[arg-type]
        query=draw(queries),  # type: ignore[arg-type]
    )


@st.composite
def cavias(draw: st.DrawFn, optimizers: st.SearchStrategy[str] = OPTIMIZERS) -> Cavia:
    """CAVIA with any option, a few tasks, points, steps and context inputs."""
    common = _common(draw, optimizers)
    common["outer_lr"] /= 10
    return Cavia(
        **{**common, "inner_lr": draw(st.floats(1e-3, 1.0))},
        shots=draw(st.integers(1, 12)),
        query_points=draw(st.integers(2, 20)),
        inner_steps=draw(st.integers(1, 4)),
        reduction=draw(REDUCTIONS),  # type: ignore[arg-type]
        context_inputs=draw(st.integers(1, 4)),
    )


@st.composite
def joints(
    draw: st.DrawFn,
    optimizers: st.SearchStrategy[str] = OPTIMIZERS,
    kind: type[JointTraining] = JointTraining,
) -> JointTraining:
    """Joint training, or a relative, with any option, and a few tasks and points."""
    return kind(**_common(draw, optimizers), points=draw(st.integers(1, 20)))


@st.composite
def reptiles(
    draw: st.DrawFn,
    optimizers: st.SearchStrategy[str] = OPTIMIZERS,
    inner: st.SearchStrategy[str] = st.just("sgd"),  # noqa: B008  (immutable)
) -> Reptile:
    """Reptile with any option, a few tasks, minibatches and epochs."""
    batch_size = draw(st.integers(1, 8))
    batches = draw(st.integers(1 if batch_size > 1 else 2, 4))
    return Reptile(
        **_common(draw, optimizers),
        points=batch_size * batches,
        batch_size=batch_size,
        inner_epochs=draw(st.integers(1, 3)),
        inner_optimizer=draw(inner),  # type: ignore[arg-type]
        inner_betas=draw(st.tuples(st.floats(0, 0.99), st.floats(0.5, 0.999))),
    )


def algorithms(engine: str = "torch") -> st.SearchStrategy[Algorithm]:
    """Any algorithm that ``engine`` can compute, with any option."""
    random = st.just("random")
    relatives = [mamls(kind=kind, queries=GRID | random) for kind in (Maml, Anil, MetaSgd)]
    relatives.append(fomamls(queries=random))
    if engine != "fused":
        relatives += [reptiles(inner=st.just("adam")), cavias(), joints(kind=Oracle)]
    relatives += [joints(), joints(kind=RandomInitialisation)]
    return st.one_of(fomamls(), reptiles(), *relatives)


NETWORKS = st.builds(
    NetworkConfig,
    hidden=st.lists(st.integers(1, 19), min_size=1, max_size=3).map(tuple),
    activation=st.sampled_from(["tanh", "relu"]),
    init=st.sampled_from(["torch", "normal"]),
    init_deviation=st.floats(0.01, 1.0),
)

FAMILY_EXAMPLES: list[TaskFamily] = [
    *(kind() for kind in FAMILIES.values()),
    SineTasks(frequency=(0.8, 1.2)),
    chosen_family({"tasks": "sine+line+quadratic+cubic", "waves": {"frequency": [0.8, 1.2]}}),
    chosen_family({"tasks": "line+surface+ripple", "line": {"x": [0.0, 5.0]}}),
    chosen_family({"tasks": "sine+polynomial", "waves": {"x": [-2.0, 2.0]}}),
    chosen_family({"tasks": "sine+ripple", "waves": {"x": [0.0, 5.0]}}),
]
"""Every family, and those whose tasks have other parameters."""


def families() -> st.SearchStrategy[TaskFamily]:
    """Any family of functions no higher than the usual waves."""
    return st.sampled_from([one for one in FAMILY_EXAMPLES if usual_height(one) < 8])


WAVES = st.builds(
    SineTasks,
    amplitude=intervals(0.1, 5.0),
    phase=intervals(0.0, 2 * math.pi),
    frequency=st.just((1.0, 1.0)) | intervals(0.5, 2.0),
    x=intervals(-5.0, 5.0),
)


def configs(
    engine: str = "torch",
    precision: str = "float64",
    algorithm: st.SearchStrategy[Algorithm] | None = None,
) -> st.SearchStrategy[RunConfig]:
    """Runs of any kind in one precision on one engine."""
    return st.builds(
        RunConfig,
        algorithm=algorithms(engine) if algorithm is None else algorithm,
        network=NETWORKS,
        tasks=WAVES,
        seed=SEEDS,
        iterations=st.integers(1, 100),
        eval_interval=st.integers(1, 50),
        engine=st.just(engine),
        precision=st.just(precision),
    )
