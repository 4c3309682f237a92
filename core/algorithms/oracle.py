"""The oracle: a network that is given each task's parameters (Finn, Abbeel and Levine 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.algorithms.base import Kernel, MetaBatch, Model, OuterOptimizer, Sizes
from core.algorithms.joint import JointTraining
from core.errors import EngineError

if TYPE_CHECKING:
    from torch import Tensor

    from core.tasks.base import Floats


@dataclass(frozen=True, kw_only=True)
class Oracle(JointTraining):
    """Joint training of a network that has the task's parameters as inputs, and never adapts.

    Inputs p beside x, such as amplitude and phase, add W p to the bias of the first layer, where W
    are their weights.
    """

    name: ClassVar[str] = "oracle"
    title: ClassVar[str] = "Oracle"
    training_loss: ClassVar[str] = "loss, given the task's parameters"

    outer_lr: float = 0.001
    outer_optimizer: OuterOptimizer = "adam"

    @property
    def kernel(self) -> Kernel | None:
        return None

    def learned(self, sizes: Sizes) -> dict[str, int]:
        return {"given": sizes.units * sizes.task_parameters}

    def init(self, sizes: Sizes, draws: Floats) -> dict[str, Floats]:
        """Return W as PyTorch begins a layer with all these inputs."""
        bound = (sizes.inputs + sizes.task_parameters) ** -0.5
        return {"given": bound * (2 * draws - 1)}

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
        """Yield the same parameters for each step."""
        phi = self._informed(model, theta, task_parameters)
        for _ in range(steps + 1):
            yield phi

    def outer_gradient(
        self, model: Model, theta: Tensor, batch: MetaBatch
    ) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient, by the network's parameters and by W."""
        phi = self._informed(model, theta, batch.task_parameters)
        assert batch.task_parameters is not None
        loss, gradient = model.loss_and_gradient(phi, batch.x[:, 0], batch.y[:, 0])
        by_bias = gradient[:, model.first_bias]
        both = theta.new_zeros(theta.shape)
        both[: model.n_parameters] = gradient.mean(0)
        both[model.n_parameters :] = (by_bias.mT @ batch.task_parameters).flatten() / len(phi)
        return loss.mean(), both

    def _informed(self, model: Model, theta: Tensor, given: Tensor | None) -> Tensor:
        """Return the network's parameters for tasks whose parameters are ``given``."""
        bias = model.first_bias
        weights = theta[model.n_parameters :].view(bias.stop - bias.start, -1)
        if given is None or given.shape[1] != weights.shape[1]:
            problem = f"it must be given {weights.shape[1]} parameters of each task"
            raise EngineError("oracle", problem, "evaluate it on the tasks of its training")
        phi = self.start(model, theta, len(given)).clone()
        phi[:, bias] += given @ weights.mT
        return phi
