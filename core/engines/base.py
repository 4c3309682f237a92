"""The interface of engines: many meta-iterations, or few-shot adaptation, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.algorithms.base import Sizes
from core.algorithms.optimizers import MOMENTS
from core.config import RunConfig
from core.errors import EngineError
from core.models.base import Network
from core.models.mlp import MLP
from core.tasks.base import Floats
from core.tasks.counter_random import uniforms
from core.tasks.sampler import TaskSampler
from core.tasks.streams import Stream


@dataclass(frozen=True)
class TrainState:
    """The state of training; with the configuration it decides all later iterations.

    ``theta`` has all meta-parameters (``MetaParameters``); ``moments`` are the outer optimiser's
    vectors of that shape, by name, empty for SGD. The arrays are made read-only here.
    """

    iteration: int
    theta: Floats
    moments: Mapping[str, Floats]

    def __post_init__(self) -> None:
        for vector in (self.theta, *self.moments.values()):
            vector.flags.writeable = False

    def is_finite(self) -> bool:
        """Return True if no parameter and no moment is NaN or infinite."""
        vectors = (self.theta, *self.moments.values())
        return all(bool(np.isfinite(vector).all()) for vector in vectors)


@dataclass(frozen=True)
class Advance:
    """The result of n meta-iterations: the state after them and training losses ``(n,)``."""

    state: TrainState
    losses: NDArray[np.float64]


@dataclass(frozen=True)
class Adaptation:
    """The result of fine-tuning on each of ``n_tasks`` support sets.

    ``losses`` is ``(n_tasks, n_reported)``, the query loss after each reported step.
    ``predictions`` on the query set are ``(n_tasks, n_reported, n_query, outputs)`` with
    ``every_step``, else those of the first and the last reported step, which may be the same one.
    """

    losses: NDArray[np.float64]
    predictions: Floats

    @classmethod
    def joined(cls, parts: Sequence[Adaptation]) -> Adaptation:
        """Return the result for the tasks of all ``parts``, in their order."""
        return cls(
            np.concatenate([part.losses for part in parts]),
            np.concatenate([part.predictions for part in parts]),
        )

    @property
    def before(self) -> Floats:
        """The predictions after the first reported step, ``(n_tasks, n_query, outputs)``."""
        return self.predictions[:, 0]

    @property
    def after(self) -> Floats:
        """The predictions after the last reported step, ``(n_tasks, n_query, outputs)``."""
        return self.predictions[:, -1]


@dataclass(frozen=True)
class FewShotSets:
    """Tasks to adapt to.

    Support sets are ``(n_tasks, shots, inputs)`` and ``(n_tasks, shots, outputs)``. The query set
    is ``(n_query, inputs)`` for all tasks, or ``(n_tasks, n_query, inputs)``, and its y
    ``(n_tasks, n_query, outputs)``. An oracle alone looks at ``task_parameters`` ``(n_tasks, n)``.
    """

    support_x: Floats
    support_y: Floats
    query_x: Floats
    query_y: Floats
    task_parameters: Floats | None = None

    def part(self, start: int, n: int) -> FewShotSets:
        """Return ``n`` of the tasks, or all that are left, from number ``start`` on."""
        tasks = slice(start, start + n)
        query_x = self.query_x if self.query_x.ndim == 2 else self.query_x[tasks]
        return FewShotSets(
            *(self.support_x[tasks], self.support_y[tasks], query_x, self.query_y[tasks]),
            None if self.task_parameters is None else self.task_parameters[tasks],
        )


def network_of(config: RunConfig) -> Network:
    """Return the network that a run trains, for the inputs and outputs of its tasks.

    Raises ``EngineError`` and ``UnregisteredError`` for a model of the user's own.
    """
    if config.model:
        from core.models.module import module_network  # late: it imports PyTorch

        return module_network(config.model, config.tasks.inputs, config.tasks.outputs)
    return MLP.of(config.network, config.tasks.inputs, config.tasks.outputs)


def sampler_of(config: RunConfig) -> TaskSampler:
    """Return the sampler of a run's training data."""
    return TaskSampler(
        config.tasks,
        config.seed,
        config.precision,
        noise=config.noise,
        fixed_tasks=config.fixed_tasks,
    )


def sizes_of(config: RunConfig) -> Sizes:
    """Return the sizes that an algorithm may need to know."""
    network, tasks = network_of(config), config.tasks
    bias = network.first_bias
    units = bias.stop - bias.start
    return Sizes(network.n_parameters, tasks.inputs, units, len(tasks.parameters))


@dataclass(frozen=True)
class MetaParameters:
    """The parts of a run's meta-parameters, which are one flat vector.

    The parameters of ``network`` come first, then what the algorithm learns beside them: vectors of
    these sizes, by name.
    """

    network: Network
    others: Mapping[str, int]

    @classmethod
    def of(cls, config: RunConfig) -> MetaParameters:
        """Return those of the runs of ``config``."""
        network, title = network_of(config), config.algorithm.title
        others = config.algorithm.learned(sizes_of(config))
        if taken := others.keys() & network.shapes.keys():
            problem = f"{title} learns something of that name; rename the parameter"
            raise EngineError(f"{config.model}: {min(taken)!r}", problem)
        if config.model and 0 in others.values():
            problem = f"{title} adds to the first layer's bias, which a module need not have"
            raise EngineError(config.model, problem, "choose another algorithm")
        return cls(network, others)

    @property
    def size(self) -> int:
        """Length of the vector."""
        return self.network.n_parameters + sum(self.others.values())

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name, in the order of the vector."""
        return {**self.network.shapes, **{name: (size,) for name, size in self.others.items()}}

    def named(self, theta: Floats) -> dict[str, Floats]:
        """Split ``theta`` into named tensors, each a view in its own shape."""
        tensors, start = self.network.named(theta), self.network.n_parameters
        for name, size in self.others.items():
            tensors[name] = theta[start : start + size]
            start += size
        return tensors

    def flat(self, tensors: Mapping[str, Floats]) -> Floats:
        """Join named ``tensors`` to a flat vector; the inverse of ``named``."""
        return np.concatenate([tensors[name].reshape(-1) for name in self.shapes])


def untrained(config: RunConfig) -> TrainState:
    """Return the state before the first iteration: the same for every engine."""
    parameters = MetaParameters.of(config)
    theta = parameters.network.initial(config.seed, config.precision)
    if parameters.others:
        width = sum(parameters.others.values())
        draws = uniforms(config.seed, Stream.ALGORITHM, 0, 1, width)[0]
        others = config.algorithm.init(sizes_of(config), draws)
        theta = np.concatenate([theta, *others.values()], dtype=theta.dtype, casting="same_kind")
    names = MOMENTS[config.algorithm.outer_optimizer]
    return TrainState(0, theta, {name: np.zeros_like(theta) for name in names})


class Engine(Protocol):
    """Runs one configuration. An engine belongs to one thread and holds no state of a run."""

    name: str
    device: str
    note: str
    """A remark for users about its preparation; empty where there is none."""

    def initial_state(self) -> TrainState:
        """Return the state before the first iteration."""

    def advance(self, state: TrainState, n: int) -> Advance:
        """Run ``n`` meta-iterations from ``state``, which is left untouched."""

    def adapt(
        self,
        theta: Floats,
        sets: FewShotSets,
        steps: Sequence[int],
        lr: float,
        *,
        every_step: bool = False,
    ) -> Adaptation:
        """Run full-batch SGD from ``theta`` on each support set, with steps of size ``lr``.

        The query loss is reported after each of ``steps``, which increase; 0 is before any step.
        With ``every_step`` the predictions of all reported steps are kept; no number depends on it.
        """
