"""The interface of meta-learning algorithms: common settings, adaptation, and one update.

Nothing here imports PyTorch: an algorithm only calls the methods of the tensors it is given, so
that reading a configuration or printing ``--help`` stays instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, get_args

from core import validation
from core.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from core.tasks.base import Batches, Floats
    from core.tasks.sampler import TaskSampler

OuterOptimizer = Literal["sgd", "momentum", "adam"]
Schedule = Literal["constant", "linear", "cosine"]
Reduction = Literal["sum", "mean"]
Adapted = Literal["all", "head", "all by learned rates"]
"""What an inner step changes: all parameters, those of the last layer, or all by learned rates,
which follow them in the vector of meta-parameters."""

Derivative = Literal["second", "first", "displacement", "zero"]
"""What an outer gradient is: the derivative of the training loss through the inner steps, the same
with the gradients of these held constant, theta - phi as the mean over tasks, or nothing."""

LARGEST_BATCH = 100_000
"""Bound on points and tasks, so that a typing error cannot use up all memory."""

LARGEST_DATA = 2**26
"""Bound on the points of all tasks of a meta-iteration: 2 GiB while they are drawn."""


class Model(Protocol):
    """The network as algorithms use it: losses and gradients for many parameter vectors."""

    @property
    def n_parameters(self) -> int:
        """Length of a parameter vector."""

    @property
    def first_bias(self) -> slice:
        """The place of the first layer's bias in a vector."""

    @property
    def head(self) -> slice:
        """The place of the last layer's parameters in a vector."""

    def predict(self, params: Tensor, x: Tensor) -> Tensor:
        """Return values ``(n_tasks, n_points, outputs)``, of shapes as in the other methods."""

    def hessian_vector(self, params: Tensor, x: Tensor, y: Tensor, vector: Tensor) -> Tensor:
        """Return the Hessian of each task's loss times ``vector``, both ``(n_tasks, n)``."""

    def loss_and_gradient(self, params: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return squared errors ``(n_tasks,)`` and their gradients ``(n_tasks, n_parameters)``.

        Errors are means over points and outputs. ``params`` is ``(n_tasks, n_parameters)``; ``y``
        is ``(n_tasks, n_points, outputs)`` and ``x`` ``(n_tasks, n_points, inputs)``, or
        ``(n_points, inputs)`` for all tasks.
        """


@dataclass(frozen=True)
class Sizes:
    """The sizes on which those of what is learned beside the network depend.

    ``parameters`` are the network's, ``units`` those of its first layer, 0 where that is not known,
    and ``task_parameters`` the numbers by which tasks differ.
    """

    parameters: int
    inputs: int
    units: int
    task_parameters: int


@dataclass(frozen=True)
class MetaBatch:
    """The data of one meta-iteration.

    ``x`` of the inner loop is ``(n_tasks, n_minibatches, n_points, inputs)``, ``y`` has as many
    values of ``outputs``; ``query_x`` is ``(n_query, inputs)`` for all tasks, or
    ``(n_tasks, n_query, inputs)``, and ``query_y`` ``(n_tasks, n_query, outputs)``, both without
    points for algorithms without a query set. ``task_parameters`` ``(n_tasks, n)`` are known where
    there is one minibatch.
    """

    x: Tensor
    y: Tensor
    query_x: Tensor
    query_y: Tensor
    task_parameters: Tensor | None = None


@dataclass(frozen=True)
class Kernel:
    """A meta-iteration as the fused engine computes it.

    For each task, ``inner_steps`` of SGD with rate ``inner_lr`` lead from theta to phi, step s on
    minibatch s modulo their number. The outer gradient is ``share`` times the sum over tasks: of
    the query gradient at phi, or of theta - phi where there is no query set. With
    ``second_order`` it is the derivative of the query loss by theta, through the inner steps. Those
    change what is ``adapted``, in evaluations too; other than "all", and the second order, want a
    query set and one support set.
    """

    inner_steps: int
    inner_lr: float
    share: float
    adapted: Adapted = "all"
    second_order: bool = False


@dataclass(frozen=True)
class Budget:
    """What one meta-iteration uses.

    ``points`` are those of support and query sets. A gradient evaluation is of one task's loss, on
    all points of a support set, a query set or a minibatch; a Hessian-vector product counts as two,
    since it has their products.
    """

    tasks: int
    points: int
    gradients: int


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """Settings that all algorithms have in common, with their help texts.

    Each algorithm sets its own defaults of the first three.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    training_loss: ClassVar[str]
    """What its training loss is, in a few words."""
    point_settings: ClassVar[tuple[str, ...]] = ()
    """The settings that count the points of one gradient step."""
    drawn: ClassVar[Mapping[tuple[str, ...], int]] = {}
    """The settings whose product counts the points of a meta-iteration, and the bytes that each
    point takes at least while they are drawn."""

    outer_lr: float = setting(
        help="Outer (meta) learning rate: beta of FOMAML, step size epsilon of Reptile"
    )
    tasks: int = setting(help="Tasks per meta-iteration (meta-batch size)")
    inner_lr: float = setting(
        help="Inner learning rate alpha, for training and for few-shot evaluation"
    )
    schedule: Schedule = setting(
        "constant", help="Schedule of the outer learning rate: constant, linear to 0 or cosine to 0"
    )
    outer_optimizer: OuterOptimizer = setting("sgd", help="Outer optimizer")
    momentum: float = setting(0.9, help="Momentum coefficient of the outer optimizer momentum")
    adam_betas: tuple[float, float] = setting(
        (0.9, 0.999), help="Decay rates of the outer moments, for adam"
    )

    def __post_init__(self) -> None:
        prefix = self.name
        validation.positive(f"{prefix}.outer_lr", self.outer_lr)
        validation.positive(f"{prefix}.inner_lr", self.inner_lr)
        validation.count(f"{prefix}.tasks", self.tasks, high=LARGEST_BATCH)
        validation.one_of(f"{prefix}.schedule", self.schedule, get_args(Schedule))
        validation.one_of(
            f"{prefix}.outer_optimizer", self.outer_optimizer, get_args(OuterOptimizer)
        )
        validation.within(f"{prefix}.momentum", self.momentum, 0, 1)
        for beta in self.adam_betas:
            validation.within(f"{prefix}.adam_betas", beta, 0, 1)

    def _check_data(self) -> None:
        """Require that the points of all tasks fit in memory."""
        for settings in self.drawn:
            factors = {f"{self.name}.{name}": getattr(self, name) for name in settings}
            validation.product(factors, LARGEST_DATA)

    @property
    def budget(self) -> Budget:
        """What one meta-iteration uses."""
        raise NotImplementedError

    @property
    def kernel(self) -> Kernel | None:
        """What the fused engine needs to know; None where it cannot compute this algorithm."""
        return None

    @property
    def derivative(self) -> Derivative | None:
        """What the outer gradient is, which ``--check`` proves; None where this is not said."""
        return None

    @property
    def variant(self) -> str:
        """The title, with a setting that makes another algorithm of it."""
        return self.title

    @property
    def steps(self) -> int:
        """Inner gradient steps per task in training."""
        raise NotImplementedError

    @property
    def path(self) -> int:
        """The inner steps whose parameters a meta-iteration keeps."""
        return 0

    def learned(self, sizes: Sizes) -> dict[str, int]:
        """Return what is learned beside the parameters of the network: sizes by name.

        Vectors, which follow the network's parameters in the vector of meta-parameters.
        """
        return {}

    def init(self, sizes: Sizes, draws: Floats) -> dict[str, Floats]:
        """Return the initial values of what is ``learned``, from as many uniform ``draws``."""
        return {}

    def start(self, model: Model, theta: Tensor, n_tasks: int) -> Tensor:
        """Return the parameters before any inner step, ``(n_tasks, n_parameters)``."""
        return theta[: model.n_parameters].expand(n_tasks, -1)

    def rates(self, model: Model, theta: Tensor, lr: float) -> Tensor | float:
        """Return the inner learning rates: ``lr``, or one for each parameter."""
        return lr

    def inner_step(
        self, model: Model, theta: Tensor, phi: Tensor, x: Tensor, y: Tensor, lr: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take a step of adaptation from ``phi``, the same in training and in evaluation.

        Return the losses ``(n_tasks,)`` and their gradients at ``phi``, and phi after the step.
        """
        losses, gradient = model.loss_and_gradient(phi, x, y)
        rates = self.rates(model, theta, lr)
        if isinstance(rates, float):
            return losses, gradient, phi.sub(gradient, alpha=rates)
        return losses, gradient, phi - rates * gradient

    def adapt(
        self,
        model: Model,
        theta: Tensor,
        x: Tensor,
        y: Tensor,
        steps: int,
        lr: float,
        task_parameters: Tensor | None = None,
    ) -> Iterator[Tensor]:
        """Yield the parameters of all tasks before any inner step, and after each of ``steps``.

        Data are as in ``MetaBatch``; step s is taken on minibatch s modulo their number. Nothing
        but an oracle looks at ``task_parameters``.
        """
        yield self.start(model, theta, len(x))
        for _, phi in self.inner_loop(model, theta, x, y, steps, lr):
            yield phi

    def inner_loop(
        self, model: Model, theta: Tensor, x: Tensor, y: Tensor, steps: int, lr: float
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the losses before each of ``steps``, and the parameters after it, as ``adapt``."""
        phi = self.start(model, theta, len(x))
        for step in range(steps):
            minibatch = step % x.shape[1]
            losses, _, phi = self.inner_step(
                model, theta, phi, x[:, minibatch], y[:, minibatch], lr
            )
            yield losses, phi

    def batches(self, sampler: TaskSampler, first: int, n: int) -> Batches:
        """Draw the data of meta-iterations ``first`` to ``first + n - 1``."""
        raise NotImplementedError

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the training loss, a scalar, and the outer gradient, of the shape of ``theta``."""
        raise NotImplementedError
