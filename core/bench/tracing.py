"""The geometry of one iteration: its inner steps and its outer step, in float64.

The reference engine's gradients, at the theta and on the very data of the iteration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core import outer
from core.algorithms.base import Algorithm, MetaBatch
from core.algorithms.fomaml import Fomaml
from core.bench.answers import Point, Traced, number
from core.bench.theta import Theta
from core.bench.work import require_affordable
from core.config import RunConfig
from core.engines.torch_engine import TorchMLP
from core.errors import ConfigError, QuestionError
from core.network import MLP
from core.tasks import TaskSource

MOST_TRACED = 500
"""Points of all paths: their decomposition takes the square of it."""
MOST_NUMBERS = 2**25
"""Coordinates of all points, 256 MiB of them."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class _Iteration:
    """An iteration, whose ``path`` is ``(k + 1, n_tasks, n_parameters)``, from theta to phi_k.

    ``fomaml`` and ``reptile`` are the directions of both algorithms, ``end`` is theta after it, all
    ``(n_parameters,)``.
    """

    path: Tensor
    fomaml: Tensor
    reptile: Tensor
    end: Tensor
    moments: dict[str, Tensor]


@torch.inference_mode()
def trace(theta: Theta) -> Traced:
    """The next iteration at ``theta``, and for its cosine the one after it.

    Raises ``ConfigError`` for one that is too large, and ``QuestionError`` where it diverges.
    """
    torch.set_num_threads(1)
    exact = theta.moments is not None
    moments = {name: _tensor(vector) for name, vector in (theta.moments or {}).items()}
    first = _iterate(theta.config, _tensor(theta.values), theta.iteration, moments, exact)
    then = _iterate(theta.config, first.end, theta.iteration + 1, first.moments, exact)
    path, end = first.path.numpy(), first.end.numpy()
    if not (np.isfinite(path).all() and np.isfinite(then.end.numpy()).all()):
        raise QuestionError("the next iteration", "it diverges", "ask for an earlier theta")
    n_steps, n_tasks = len(path) - 1, path.shape[1]
    points = np.concatenate([path[:1, 0], path[1:].reshape(n_steps * n_tasks, -1), end[None]])
    places, explained = plane(points)
    paths = places[1:-1].reshape(n_steps, n_tasks, 2).swapaxes(0, 1)
    return Traced(
        iteration=theta.iteration,
        algorithm=theta.config.algorithm.title,
        paths=tuple(tuple(map(_point, steps)) for steps in paths),
        update=_point(places[-1]),
        explained=explained,
        lengths=tuple(np.linalg.norm(np.diff(path, axis=0), axis=2).sum(0).tolist()),
        distances=tuple(np.linalg.norm(path[-1] - path[0], axis=1).tolist()),
        update_norm=float(np.linalg.norm(end - path[0, 0])),
        fomaml_reptile=cosine(first.fomaml.numpy(), first.reptile.numpy()),
        successive=cosine(end - path[0, 0], then.end.numpy() - end),
        exact=exact,
    )


def plane(points: Matrix) -> tuple[Matrix, Point]:
    """``points`` ``(n, dimensions)`` on the plane of their largest variance: ``(n, 2)``.

    The first point is the origin, and the last one is never left of it or below it, which settles
    the signs. Also the share of the variance along each axis, 0 where there is none.
    """
    centred = points - points.mean(0)
    # NumPy's threads would spin for a tenth of a second after it, on the cores of the training.
    decomposed = torch.linalg.svd(torch.from_numpy(centred), full_matrices=False)
    left, sizes = decomposed.U.numpy(), decomposed.S.numpy()
    places = np.zeros((len(points), 2))
    places[:, : len(sizes)] = (left * sizes)[:, :2]
    places -= places[0]
    places *= np.where(places[-1] < 0, -1.0, 1.0)
    variances = np.zeros(2)
    variances[: len(sizes)] = sizes[:2] ** 2
    total = float((sizes**2).sum())
    return places, _point(variances / total if total else variances)


def cosine(one: Matrix, other: Matrix) -> float | None:
    """Of the angle between two vectors; None where one has no length."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return number(min(1.0, max(-1.0, float(one @ other) / lengths))) if lengths else None


def _iterate(
    config: RunConfig, theta: Tensor, iteration: int, moments: dict[str, Tensor], exact: bool
) -> _Iteration:
    algorithm = config.algorithm
    data = algorithm.batches(TaskSource(config.waves, config.seed, config.precision), iteration, 1)
    batch = MetaBatch(
        _tensor(data.x[0]), _tensor(data.y[0]), _tensor(data.query_x), _tensor(data.query_y[0])
    )
    model = TorchMLP(MLP.of(config.network))
    steps = _inner_steps(algorithm, batch)
    _require_affordable(config, batch, steps)
    path = [theta.expand(len(batch.x), -1)]
    for step in range(steps):
        # FOMAML takes every step on the one support set, Reptile each on a minibatch of its own.
        minibatch = step % batch.x.shape[1]
        _, gradient = model.loss_and_gradient(
            path[-1], batch.x[:, minibatch], batch.y[:, minibatch]
        )
        path.append(path[-1].sub(gradient, alpha=algorithm.inner_lr))
    _, at_end = model.loss_and_gradient(path[-1], *_query_set(batch))
    _, gradient = algorithm.outer_gradient(model, theta, batch)
    rate = float(outer.learning_rates(algorithm, iteration, 1, config.iterations)[0])
    if exact:
        end, moments = outer.step(algorithm, theta, gradient, moments, rate, iteration)
    else:
        end = theta.sub(gradient, alpha=rate)
    reptile = theta - path[-1].mean(0)
    return _Iteration(torch.stack(path), at_end.mean(0), reptile, end, moments)


def _query_set(batch: MetaBatch) -> tuple[Tensor, Tensor]:
    """Where FOMAML takes its gradient; for Reptile's tasks, all the data that they have."""
    if batch.query_x.numel():
        return batch.query_x, batch.query_y
    return batch.x.flatten(1), batch.y.flatten(1)


def _inner_steps(algorithm: Algorithm, batch: MetaBatch) -> int:
    return algorithm.inner_steps if isinstance(algorithm, Fomaml) else batch.x.shape[1]


def _require_affordable(config: RunConfig, batch: MetaBatch, steps: int) -> None:
    points = steps * len(batch.x)
    parameters = MLP.of(config.network).n_parameters
    most = min(MOST_TRACED, MOST_NUMBERS // parameters)
    if points > most:
        raise ConfigError(
            "tasks x inner steps", points, f"at most {most:,} with {parameters:,} parameters"
        )
    # Inner loops twice (theirs and ours), the query set twice, for two iterations.
    seen = 6 * (batch.x.shape[2] + batch.query_x.numel())
    require_affordable(config.network, "tasks x inner steps", points, seen)


def _tensor(array: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.array(array, np.float64))


def _point(values: Matrix) -> Point:
    return float(values[0]), float(values[1])
