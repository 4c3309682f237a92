"""MAML with its second-order term (Finn, Abbeel and Levine 2017, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from core import validation
from core.algorithms.base import Adapted, Budget, Derivative, Kernel, MetaBatch, Model
from core.algorithms.query import QueryAlgorithm
from core.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

Order = Literal["first", "second"]


@dataclass(frozen=True, kw_only=True)
class Maml(QueryAlgorithm):
    """MAML: differentiate the query loss after the inner steps by the parameters before them."""

    name: ClassVar[str] = "maml"
    title: ClassVar[str] = "MAML"
    training_loss: ClassVar[str] = "query loss after the inner steps"
    adapted: ClassVar[Adapted] = "all"

    order: Order = setting(
        "second", help="Order of the derivative: second, or first, which leaves the Hessian out"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.one_of(f"{self.name}.order", self.order, get_args(Order))

    @property
    def kernel(self) -> Kernel | None:
        return self.fused(self.adapted, second_order=self.order == "second")

    @property
    def derivative(self) -> Derivative:
        return self.order

    @property
    def budget(self) -> Budget:
        plain = super().budget
        products = self.tasks * self.inner_steps if self.order == "second" else 0
        return Budget(plain.tasks, plain.points, plain.gradients + 2 * products)

    @property
    def path(self) -> int:
        return self.inner_steps

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the loss, and the sum or mean over tasks of the derivative of L_query by theta."""
        loss, by_theta, _ = self.derivatives(model, theta, batch)
        return loss, self.over_tasks(by_theta)

    def derivatives(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the mean query loss, and each task's derivatives by theta and by the inner rates.

        With phi_0 = theta and phi_i+1 = phi_i - D grad L_support(phi_i), where D is the diagonal of
        the inner rates, the derivative is followed back from v_k = grad L_query(phi_k):
        v_i = v_i+1 - H(phi_i) D v_i+1, with the Hessian H of the support loss. v_0 is that by
        theta; that by the rates is the sum of - v_i+1 grad L_support(phi_i). The first order leaves
        H out.
        """
        x, y = batch.x[:, 0], batch.y[:, 0]
        path, gradients = [self.start(model, theta, len(x))], []
        for _ in range(self.inner_steps):
            _, gradient, phi = self.inner_step(model, theta, path[-1], x, y, self.inner_lr)
            gradients.append(gradient)
            path.append(phi)
        loss, back = model.loss_and_gradient(path[-1], batch.query_x, batch.query_y)
        rates = self.rates(model, theta, self.inner_lr)
        by_rates = back.new_zeros(back.shape)
        for phi, gradient in zip(path[-2::-1], reversed(gradients), strict=True):
            by_rates = by_rates - back * gradient
            if self.order == "second":
                back = back - model.hessian_vector(phi, x, y, rates * back)
        return loss.mean(), back, by_rates
