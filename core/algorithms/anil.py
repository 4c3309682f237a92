"""ANIL: almost no inner loop (Raghu, Raghu, Bengio and Vinyals 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.algorithms.base import Adapted, Model
from core.algorithms.maml import Maml

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Anil(Maml):
    """MAML whose inner loop changes the last layer only, in training and in evaluation."""

    name: ClassVar[str] = "anil"
    title: ClassVar[str] = "ANIL"
    adapted: ClassVar[Adapted] = "head"

    def rates(self, model: Model, theta: Tensor, lr: float) -> Tensor | float:
        """Return ``lr`` for the last layer, and 0 for all others."""
        rates = theta.new_zeros(model.n_parameters)
        rates[model.head] = lr
        return rates
