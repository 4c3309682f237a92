"""Meta-SGD: the inner learning rates are learned too (Li, Zhou, Chen and Li 2017, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.algorithms.base import Adapted, MetaBatch, Model, OuterOptimizer, Sizes
from core.algorithms.maml import Maml
from core.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from core.tasks.base import Floats


@dataclass(frozen=True, kw_only=True)
class MetaSgd(Maml):
    """MAML with an inner rate for each parameter, all of which start at ``inner_lr``.

    The rates are learned for the inner steps of training: more steps in an evaluation may diverge.
    An evaluation uses them whatever its own inner rate is.
    """

    name: ClassVar[str] = "metasgd"
    title: ClassVar[str] = "Meta-SGD"
    adapted: ClassVar[Adapted] = "all by learned rates"

    outer_lr: float = 0.001
    inner_lr: float = setting(0.05, help="Initial value of all inner learning rates")
    outer_optimizer: OuterOptimizer = "adam"

    def learned(self, sizes: Sizes) -> dict[str, int]:
        return {"alpha": sizes.parameters}

    def init(self, sizes: Sizes, draws: Floats) -> dict[str, Floats]:
        """Return the vector alpha of the inner rates."""
        return {"alpha": 0 * draws + self.inner_lr}

    def rates(self, model: Model, theta: Tensor, lr: float) -> Tensor | float:
        return theta[model.n_parameters :]

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the loss, and its derivative by theta followed by that by alpha."""
        loss, by_theta, by_rates = self.derivatives(model, theta, batch)
        both = by_theta.new_zeros(2 * model.n_parameters)
        both[: model.n_parameters] = self.over_tasks(by_theta)
        both[model.n_parameters :] = self.over_tasks(by_rates)
        return loss, both
