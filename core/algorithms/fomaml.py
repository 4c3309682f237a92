"""First-order MAML (Finn, Abbeel and Levine 2017, section 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, get_args

from core import validation
from core.algorithms.base import LARGEST_BATCH, Algorithm, Budget, MetaBatch, Model, Reduction
from core.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from core.tasks.base import Batches
    from core.tasks.sine_sampler import SineSampler


@dataclass(frozen=True, kw_only=True)
class Fomaml(Algorithm):
    """First-order MAML: adapt on a support set, learn from the query loss after it."""

    name: ClassVar[str] = "fomaml"
    title: ClassVar[str] = "FOMAML"
    training_loss: ClassVar[str] = "query loss after the inner step"
    point_settings: ClassVar[tuple[str, ...]] = ("shots", "query_points")
    drawn: ClassVar[Mapping[tuple[str, ...], int]] = {
        ("tasks", "shots"): 20,
        ("tasks", "query_points"): 4,
    }

    outer_lr: float = 0.01
    inner_lr: float = 0.02
    tasks: int = 3
    shots: int = setting(10, help="Points in a support set (K)")
    query_points: int = setting(50, help="Equally spaced points in a query set")
    inner_steps: int = setting(1, help="Inner gradient steps per task")
    reduction: Reduction = setting(
        "sum",
        help="Reduction of query gradients over tasks: sum (as in the reference code) or mean",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.count("fomaml.shots", self.shots, high=LARGEST_BATCH)
        validation.count("fomaml.query_points", self.query_points, low=2, high=LARGEST_BATCH)
        validation.count("fomaml.inner_steps", self.inner_steps, high=LARGEST_BATCH)
        self._check_data()
        validation.one_of("fomaml.reduction", self.reduction, get_args(Reduction))

    @property
    def budget(self) -> Budget:
        points = self.shots + self.query_points
        return Budget(self.tasks, self.tasks * points, self.tasks * (self.inner_steps + 1))

    def batches(self, sampler: SineSampler, first: int, n: int) -> Batches:
        return sampler.few_shot(first, n, self.tasks, self.shots, self.query_points)

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the loss, and the sum or mean over tasks of grad L_query(phi), applied to theta.

        phi = theta - alpha grad L_support(theta), repeated ``inner_steps`` times. The derivative of
        phi by theta, MAML's second-order term, is left out.
        """
        support_x, support_y = batch.x[:, 0], batch.y[:, 0]
        phi = theta.expand(self.tasks, -1)
        for _ in range(self.inner_steps):
            _, gradient = model.loss_and_gradient(phi, support_x, support_y)
            phi = phi.sub(gradient, alpha=self.inner_lr)
        loss, gradient = model.loss_and_gradient(phi, batch.query_x, batch.query_y)
        combined = gradient.sum(0) if self.reduction == "sum" else gradient.mean(0)
        return loss.mean(), combined
