"""Reptile (Nichol, Achiam and Schulman 2018, algorithm 1 and its batched version)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core import validation
from core.algorithms.base import LARGEST_BATCH, Algorithm, Budget, Kernel, MetaBatch, Model
from core.errors import ConfigError
from core.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from core.tasks.base import Batches
    from core.tasks.sampler import TaskSampler


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

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.count("reptile.points", self.points, low=2, high=LARGEST_BATCH)
        validation.count("reptile.batch_size", self.batch_size, high=self.points)
        validation.count("reptile.inner_epochs", self.inner_epochs, high=LARGEST_BATCH)
        self._check_data()
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
    def kernel(self) -> Kernel:
        return Kernel(self.steps, self.inner_lr, 1.0 / self.tasks)

    def batches(self, sampler: TaskSampler, first: int, n: int) -> Batches:
        return sampler.minibatches(
            first, n, self.tasks, self.points, self.batch_size, self.inner_epochs
        )

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the loss, and the mean over tasks of theta - phi, where SGD ends at phi.

        A descent step of size epsilon along it is theta + epsilon (phi - theta). The training
        loss is the mean over the minibatches of the loss before each step.
        """
        phi = self.start(model, theta, self.tasks)
        losses = theta.new_zeros(())
        for step in range(self.steps):
            x, y = batch.x[:, step], batch.y[:, step]
            loss, _, phi = self.inner_step(model, theta, phi, x, y, self.inner_lr)
            losses = losses + loss.mean()
        return losses / self.steps, theta - phi.mean(0)
