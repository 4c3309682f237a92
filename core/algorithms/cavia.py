"""CAVIA: the inner loop changes context inputs alone (Zintgraf et al. 2019, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core import validation
from core.algorithms.base import Budget, Derivative, MetaBatch, Model, OuterOptimizer, Sizes
from core.algorithms.query import QueryAlgorithm
from core.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from core.tasks.base import Floats

LARGEST_CONTEXT = 10_000


@dataclass(frozen=True, kw_only=True)
class Cavia(QueryAlgorithm):
    """CAVIA: adapt a few context inputs, which start at 0 for each task; learn all else.

    Inputs c beside x add W c to the bias of the first layer, where W are their weights. So phi is
    the network with another bias b: c <- c - alpha W^T g is b <- b - alpha W W^T g, where g is the
    gradient by b.
    """

    name: ClassVar[str] = "cavia"
    title: ClassVar[str] = "CAVIA"
    training_loss: ClassVar[str] = "query loss after the inner steps"

    outer_lr: float = 0.001
    inner_lr: float = setting(
        1.0, help="Learning rate of the context, for training and for few-shot evaluation"
    )
    outer_optimizer: OuterOptimizer = "adam"
    context_inputs: int = setting(5, help="Context inputs of the network, which adapt to a task")

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.count("cavia.context_inputs", self.context_inputs, high=LARGEST_CONTEXT)

    @property
    def derivative(self) -> Derivative:
        return "second"

    @property
    def budget(self) -> Budget:
        plain = super().budget
        return Budget(
            plain.tasks, plain.points, plain.gradients + 2 * self.tasks * self.inner_steps
        )

    @property
    def path(self) -> int:
        return self.inner_steps

    def learned(self, sizes: Sizes) -> dict[str, int]:
        return {"context": sizes.units * self.context_inputs}

    def init(self, sizes: Sizes, draws: Floats) -> dict[str, Floats]:
        """Return W as PyTorch begins a layer with all these inputs."""
        bound = (sizes.inputs + self.context_inputs) ** -0.5
        return {"context": bound * (2 * draws - 1)}

    def inner_step(
        self, model: Model, theta: Tensor, phi: Tensor, x: Tensor, y: Tensor, lr: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        losses, gradient = model.loss_and_gradient(phi, x, y)
        weights, bias = self._weights(model, theta), model.first_bias
        moved = phi.clone()
        moved[:, bias] -= lr * (gradient[:, bias] @ weights) @ weights.mT
        return losses, gradient, moved

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the loss, and its derivatives by the network's parameters and by W.

        From v_k = grad L_query(phi_k) backwards, with g_i = grad L_support(phi_i), both at the bias
        where they meet W: v_i = v_i+1 - alpha H(phi_i) W W^T v_i+1, with the Hessian H of the
        support loss. The derivative by W is the sum of - alpha (v_i+1 g_i^T + g_i v_i+1^T) W.
        """
        x, y, rate = batch.x[:, 0], batch.y[:, 0], self.inner_lr
        path, gradients = [self.start(model, theta, len(x))], []
        for _ in range(self.inner_steps):
            _, gradient, phi = self.inner_step(model, theta, path[-1], x, y, rate)
            gradients.append(gradient)
            path.append(phi)
        loss, back = model.loss_and_gradient(path[-1], batch.query_x, batch.query_y)
        weights, bias = self._weights(model, theta), model.first_bias
        by_weights = back.new_zeros((len(x), *weights.shape))
        for phi, gradient in zip(path[-2::-1], reversed(gradients), strict=True):
            g, v = gradient[:, bias], back[:, bias]
            by_weights -= rate * _products(v, g @ weights)
            by_weights -= rate * _products(g, v @ weights)
            along = back.new_zeros(back.shape)
            along[:, bias] = rate * (v @ weights) @ weights.mT
            back = back - model.hessian_vector(phi, x, y, along)
        both = theta.new_zeros(theta.shape)
        both[: model.n_parameters] = self.over_tasks(back)
        both[model.n_parameters :] = self.over_tasks(by_weights.flatten(1))
        return loss.mean(), both

    def _weights(self, model: Model, theta: Tensor) -> Tensor:
        """Return the weights of the context inputs, ``(units, context_inputs)``."""
        return theta[model.n_parameters :].view(-1, self.context_inputs)


def _products(rows: Tensor, columns: Tensor) -> Tensor:
    """Return the outer product of each task's two vectors."""
    return rows[:, :, None] * columns[:, None, :]
