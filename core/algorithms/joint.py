"""Joint training: a plain network on the data of all tasks, the field's "pretrained" baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

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
from core.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from core.tasks.base import Batches
    from core.tasks.sampler import TaskSampler

_KERNEL_RATE = 64.0
"""A power of two: the fused engine finds a gradient as a displacement, which keeps more digits if
it is long."""


@dataclass(frozen=True, kw_only=True)
class JointTraining(Algorithm):
    """Train on random tasks without an inner loop; adapt to a task in evaluations only."""

    name: ClassVar[str] = "joint"
    title: ClassVar[str] = "Joint"
    training_loss: ClassVar[str] = "loss without adaptation"
    point_settings: ClassVar[tuple[str, ...]] = ("points",)
    drawn: ClassVar[Mapping[tuple[str, ...], int]] = {("tasks", "points"): 20}

    outer_lr: float = 0.01
    inner_lr: float = setting(0.02, help="Learning rate of few-shot evaluations")
    tasks: int = 3
    points: int = setting(50, help="Random points in a task's data")

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.count(f"{self.name}.points", self.points, high=LARGEST_BATCH)
        self._check_data()

    @property
    def budget(self) -> Budget:
        return Budget(self.tasks, self.tasks * self.points, self.tasks)

    @property
    def kernel(self) -> Kernel | None:
        """One inner step: its displacement is the gradient, times its rate."""
        return Kernel(1, _KERNEL_RATE, 1.0 / (_KERNEL_RATE * self.tasks))

    @property
    def derivative(self) -> Derivative:
        return "second"

    @property
    def steps(self) -> int:
        return 0

    def batches(self, sampler: TaskSampler, first: int, n: int) -> Batches:
        return sampler.few_shot(first, n, self.tasks, self.points, 0)

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient at theta, both means over tasks."""
        same = self.start(model, theta, self.tasks)
        loss, gradient = model.loss_and_gradient(same, batch.x[:, 0], batch.y[:, 0])
        return loss.mean(), gradient.mean(0)
