"""Settings and data that FOMAML, MAML and their relatives share: support and query sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, get_args

from core import validation
from core.algorithms.base import LARGEST_BATCH, Adapted, Algorithm, Budget, Kernel, Reduction
from core.settings import setting
from core.tasks.family import QueryPoints

if TYPE_CHECKING:
    from torch import Tensor

    from core.tasks.base import Batches
    from core.tasks.sampler import TaskSampler


@dataclass(frozen=True, kw_only=True)
class QueryAlgorithm(Algorithm):
    """An algorithm that adapts on a support set and learns from the query loss after it."""

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
    query_points: int = setting(50, help="Points in a query set")
    query: QueryPoints = setting(
        "grid", help="Query points: equally spaced, or random ones for each task", added=True
    )
    inner_steps: int = setting(1, help="Inner gradient steps per task")
    reduction: Reduction = setting(
        "sum",
        help="Reduction of query gradients over tasks: sum (as in the reference code) or mean",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        prefix = self.name
        validation.count(f"{prefix}.shots", self.shots, high=LARGEST_BATCH)
        validation.count(f"{prefix}.query_points", self.query_points, low=2, high=LARGEST_BATCH)
        validation.count(f"{prefix}.inner_steps", self.inner_steps, high=LARGEST_BATCH)
        validation.one_of(f"{prefix}.query", self.query, get_args(QueryPoints))
        self._check_data()
        validation.one_of(f"{prefix}.reduction", self.reduction, get_args(Reduction))

    @property
    def budget(self) -> Budget:
        points = self.shots + self.query_points
        return Budget(self.tasks, self.tasks * points, self.tasks * (self.inner_steps + 1))

    @property
    def steps(self) -> int:
        return self.inner_steps

    def fused(self, adapted: Adapted = "all", *, second_order: bool = False) -> Kernel:
        """Return the iteration of the fused engine."""
        share = 1.0 if self.reduction == "sum" else 1.0 / self.tasks
        return Kernel(self.inner_steps, self.inner_lr, share, adapted, second_order)

    def batches(self, sampler: TaskSampler, first: int, n: int) -> Batches:
        return sampler.few_shot(first, n, self.tasks, self.shots, self.query_points, self.query)

    def over_tasks(self, gradients: Tensor) -> Tensor:
        """Return the sum or the mean of ``gradients`` ``(n_tasks, n)`` over tasks."""
        return gradients.sum(0) if self.reduction == "sum" else gradients.mean(0)
