"""Meta-parameters as the bench has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.config import RunConfig
from core.tasks.base import Floats


@dataclass(frozen=True)
class Theta:
    """Meta-parameters ``(n_parameters,)`` of ``iteration``, and what they belong to."""

    config: RunConfig
    iteration: int
    values: Floats
    moments: Mapping[str, Floats] | None
