"""Random initialisation: a network that is not trained, adapted in evaluations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.algorithms.base import Derivative, Kernel, MetaBatch, Model
from core.algorithms.joint import JointTraining

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class RandomInitialisation(JointTraining):
    """Joint training whose outer gradient is zero: what adaptation reaches without learning."""

    name: ClassVar[str] = "random"
    title: ClassVar[str] = "Random"

    @property
    def kernel(self) -> Kernel:
        return Kernel(inner_steps=1, inner_lr=self.inner_lr, share=0.0)

    @property
    def derivative(self) -> Derivative:
        return "zero"

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the loss at theta, and zero."""
        loss, _ = super().outer_gradient(model, theta, batch)
        return loss, theta.new_zeros(theta.shape)
