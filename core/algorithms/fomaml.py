"""First-order MAML (Finn, Abbeel and Levine 2017, section 5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.algorithms.base import Derivative, Kernel, MetaBatch, Model
from core.algorithms.query import QueryAlgorithm

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Fomaml(QueryAlgorithm):
    """First-order MAML: adapt on a support set, learn from the query loss after it."""

    name: ClassVar[str] = "fomaml"
    title: ClassVar[str] = "FOMAML"

    @property
    def kernel(self) -> Kernel:
        return self.fused()

    @property
    def derivative(self) -> Derivative:
        return "first"

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the loss, and the sum or mean over tasks of grad L_query(phi), applied to theta.

        phi = theta - alpha grad L_support(theta), repeated ``inner_steps`` times. The derivative of
        phi by theta, MAML's second-order term, is left out.
        """
        *_, phi = self.adapt(model, theta, batch.x, batch.y, self.inner_steps, self.inner_lr)
        loss, gradient = model.loss_and_gradient(phi, batch.query_x, batch.query_y)
        return loss.mean(), self.over_tasks(gradient)
