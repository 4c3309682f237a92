"""A family, an algorithm and a network of a user's own, as files outside the package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.algorithms.registry import ALGORITHMS
from core.config import TABLES
from core.errors import USER_FILES
from core.models.registry import MODELS
from core.tasks.registry import FAMILIES, FAMILY_TABLES

PLANES = """
from dataclasses import dataclass
from core import TaskFamily, register

@register
@dataclass(frozen=True, kw_only=True)
class Planes(TaskFamily):
    name, plural, parameters, inputs = "planes", "planes", ("a",), 2
    a: tuple[float, float] = (-1.0, 1.0)
    x: tuple[float, float] = (0.0, 5.0)

    def y(self, x, a):
        return a * x.sum(-1, keepdims=True)
"""

HALVES = """
from dataclasses import dataclass
from core import Algorithm, register
from core.algorithms.base import Budget

@register
@dataclass(frozen=True, kw_only=True)
class Halves(Algorithm):
    name, title, training_loss, steps = "halves", "Halves", "loss on the second half", 1
    outer_lr: float = 0.001
    inner_lr: float = 0.001
    tasks: int = 2
    points: int = 8

    @property
    def budget(self):
        return Budget(self.tasks, self.tasks * self.points, 2 * self.tasks)

    def batches(self, sampler, first, n):
        return sampler.minibatches(first, n, self.tasks, self.points, self.points // 2, 1)

    def outer_gradient(self, model, theta, batch):
        (x, other_x), (y, other_y) = batch.x.unbind(1), batch.y.unbind(1)
        phi = self.start(model, theta, self.tasks)
        _, _, phi = self.inner_step(model, theta, phi, x, y, self.inner_lr)
        losses, gradients = model.loss_and_gradient(phi, other_x, other_y)
        return losses.mean(), gradients.mean(0)
"""

NETS = """
import torch
from core import register

class Residual(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.convolution = torch.nn.Conv1d(1, 3, 3, padding=1)
        self.middle = torch.nn.Linear(3 * inputs, 3 * inputs)
        self.last = torch.nn.Linear(3 * inputs, outputs)

    def forward(self, x):
        h = self.convolution(x[:, None]).flatten(1).tanh()
        return self.last(h + self.middle(h).tanh())

@register
def residual(inputs, outputs):
    return Residual(inputs, outputs)
"""

FILES = {"planes.py": PLANES, "halves.py": HALVES, "nets.py": NETS}


def write_files(folder: Path) -> None:
    """Write the files of a user into ``folder``."""
    for name, text in FILES.items():
        (folder / name).write_text(text)


def forget() -> None:
    """Unregister and forget what was imported, as in a new process without it."""
    for registry in (ALGORITHMS, FAMILIES, FAMILY_TABLES, MODELS, TABLES):
        own = [name for name, one in registry.items() if not one.__module__.startswith("core.")]
        for name in own:
            del registry[name]  # type: ignore[attr-defined]
    for name in [one for one in sys.modules if one.startswith("tui_meta_code_")]:
        del sys.modules[name]


@contextmanager
def restored_registries() -> Iterator[None]:
    """Forget on leaving what was registered within."""
    files = set(USER_FILES)
    try:
        yield
    finally:
        forget()
        USER_FILES.intersection_update(files)
