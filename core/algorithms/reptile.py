"""Reptile (Nichol, Achiam and Schulman 2018, algorithm 1 and its batched version)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from core import validation
from core.algorithms.base import (
    LARGEST_BATCH,
    Algorithm,
    Budget,
    Derivative,
    Kernel,
    MetaBatch,
    Model,
)
from core.errors import ConfigError
from core.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from core.tasks.base import Batches
    from core.tasks.sampler import TaskSampler

InnerOptimizer = Literal["sgd", "adam"]


@dataclass(frozen=True, kw_only=True)
class Reptile(Algorithm):
    """Reptile: train on a task for a few minibatches, move towards the result."""

    name: ClassVar[str] = "reptile"
    title: ClassVar[str] = "Reptile"
    training_loss: ClassVar[str] = "mean minibatch loss on the way"
    point_settings: ClassVar[tuple[str, ...]] = ("batch_size",)
    drawn: ClassVar[Mapping[tuple[str, ...], int]] = {("tasks", "points", "inner_epochs"): 24}

    outer_lr: float = 0.1
    inner_lr: float = 0.02
    tasks: int = 1
    points: int = setting(50, help="Equally spaced points in a task's data")
    batch_size: int = setting(10, help="Minibatch size; must divide the number of points")
    inner_epochs: int = setting(1, help="Inner epochs; data is reshuffled for each")
    inner_optimizer: InnerOptimizer = setting(
        "sgd", help="Inner optimizer, also of evaluations; adam needs a lower inner_lr", added=True
    )
    inner_betas: tuple[float, float] = setting(
        (0.9, 0.999), help="Decay rates of the inner moments, for adam", added=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.count("reptile.points", self.points, low=2, high=LARGEST_BATCH)
        validation.count("reptile.batch_size", self.batch_size, high=self.points)
        validation.count("reptile.inner_epochs", self.inner_epochs, high=LARGEST_BATCH)
        self._check_data()
        validation.one_of("reptile.inner_optimizer", self.inner_optimizer, get_args(InnerOptimizer))
        for beta in self.inner_betas:
            validation.within("reptile.inner_betas", beta, 0, 1)
        if self.points % self.batch_size:
            raise ConfigError(
                "reptile.batch_size", self.batch_size, f"must divide {self.points} points"
            )

    @property
    def budget(self) -> Budget:
        return Budget(self.tasks, self.tasks * self.points, self.tasks * self.steps)

    @property
    def steps(self) -> int:
        return self.inner_epochs * self.points // self.batch_size

    @property
    def kernel(self) -> Kernel | None:
        if self.inner_optimizer == "adam":
            return None
        return Kernel(self.steps, self.inner_lr, 1.0 / self.tasks)

    @property
    def derivative(self) -> Derivative:
        return "displacement"

    @property
    def variant(self) -> str:
        return f"{self.title} with Adam inside" if self.inner_optimizer == "adam" else self.title

    def batches(self, sampler: TaskSampler, first: int, n: int) -> Batches:
        return sampler.minibatches(
            first, n, self.tasks, self.points, self.batch_size, self.inner_epochs
        )

    def inner_loop(
        self, model: Model, theta: Tensor, x: Tensor, y: Tensor, steps: int, lr: float
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Take steps of SGD, or of Adam whose moments start at zero for each task."""
        if self.inner_optimizer == "sgd":
            yield from super().inner_loop(model, theta, x, y, steps, lr)
            return
        from core.algorithms.optimizers import MOMENTS, adam_step  # late: it imports NumPy

        phi = self.start(model, theta, len(x))
        moments = {name: phi.new_zeros(phi.shape) for name in MOMENTS["adam"]}
        for step in range(steps):
            minibatch = step % x.shape[1]
            losses, gradient = model.loss_and_gradient(phi, x[:, minibatch], y[:, minibatch])
            phi, moments = adam_step(phi, gradient, moments, self.inner_betas, lr, step)
            yield losses, phi

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the loss, and the mean over tasks of theta - phi, which ends the inner loop.

        A descent step of size epsilon along it is theta + epsilon (phi - theta). The training
        loss is the mean over the minibatches of the loss before each step.
        """
        losses = theta.new_zeros(())
        for loss, phi in self.inner_loop(model, theta, batch.x, batch.y, self.steps, self.inner_lr):
            losses, end = losses + loss.mean(), phi
        return losses / self.steps, theta - end.mean(0)
