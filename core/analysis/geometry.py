"""The geometry of one iteration: its inner steps and its outer step, in float64.

Uses the gradients of the reference engine, on the data that training would draw.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.algorithms import optimizers as outer
from core.algorithms.base import MetaBatch, Model
from core.analysis.answers import Point, Traced
from core.analysis.executors import require_affordable
from core.analysis.theta_cache import Theta
from core.config import RunConfig
from core.engines.base import network_of, sampler_of
from core.engines.torch.engine import torch_model
from core.errors import ConfigError, QuestionError
from core.evaluation.statistics import number

MOST_TRACED = 500
"""Points of all paths; the time of their decomposition grows with the square."""
MOST_NUMBERS = 2**25
"""Coordinates of all points: 256 MiB."""

Matrix = NDArray[np.float64]


@torch.inference_mode()
def trace(theta: Theta) -> Traced:
    """Compute the next iteration at ``theta``, and for a cosine the one after it.

    Raises ``ConfigError`` for one that is too large, and ``QuestionError`` where it diverges.
    """
    torch.set_num_threads(1)
    config, start = theta.config, _tensor(theta.values)
    batch, next_batch = (_batch(config, theta.iteration + later) for later in (0, 1))
    model = torch_model(network_of(config))
    inner = _inner_path(config, model, start, batch)
    fomaml, reptile = _directions(model, inner, batch)
    known = theta.moments
    before = None if known is None else {name: _tensor(one) for name, one in known.items()}
    first, moments = _outer_step(config, model, theta.iteration, start, batch, before)
    second, _ = _outer_step(config, model, theta.iteration + 1, first, next_batch, moments)
    path = inner.numpy()
    # Of the network alone: what an algorithm learns beside it does not follow the inner path.
    end, after = (one[: model.n_parameters].numpy() for one in (first, second))
    if not (np.isfinite(path).all() and np.isfinite(after).all()):
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
        fomaml_reptile=cosine(fomaml.numpy(), reptile.numpy()),
        successive=cosine(end - path[0, 0], after - end),
        exact=known is not None,
    )


def plane(points: Matrix) -> tuple[Matrix, Point]:
    """Project ``points`` ``(n, dimensions)`` on the plane of their largest variance: ``(n, 2)``.

    The first point is the origin, and the last one is never left of it or below it, which fixes
    the signs. Also returns the share of the variance along each axis, 0 where there is none.
    """
    centred = points - points.mean(0)
    # NumPy's threads would spin for a tenth of a second afterwards, on the cores that train.
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
    """Return the cosine of the angle between two vectors; None where one has no length."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return number(min(1.0, max(-1.0, float(one @ other) / lengths))) if lengths else None


def _batch(config: RunConfig, iteration: int) -> MetaBatch:
    """Return the data of an iteration, exactly as training draws it."""
    data = config.algorithm.batches(sampler_of(config), iteration, 1)
    return MetaBatch(*map(_tensor, data.iteration(0)))


def _inner_path(config: RunConfig, model: Model, theta: Tensor, batch: MetaBatch) -> Tensor:
    """Return the inner path from theta to phi_k, ``(k + 1, n_tasks, n_parameters)``."""
    algorithm = config.algorithm
    if not algorithm.steps:
        raise QuestionError(algorithm.title, "it has no inner loop", "ask for another run")
    _require_affordable(config, batch, algorithm.steps)
    rate = algorithm.inner_lr
    path = algorithm.adapt(model, theta, batch.x, batch.y, algorithm.steps, rate)
    return torch.stack(list(path))


def _directions(model: Model, path: Tensor, batch: MetaBatch) -> tuple[Tensor, Tensor]:
    """Return the directions of FOMAML and of Reptile at the end of the same inner ``path``.

    FOMAML's is the gradient on its query set; for Reptile's tasks, on all their data.
    """
    query = batch.query_x, batch.query_y
    if not batch.query_x.numel():
        query = batch.x.flatten(1, 2), batch.y.flatten(1, 2)
    _, at_end = model.loss_and_gradient(path[-1], *query)
    return at_end.mean(0), path[0, 0] - path[-1].mean(0)


def _outer_step(
    config: RunConfig,
    model: Model,
    iteration: int,
    theta: Tensor,
    batch: MetaBatch,
    moments: Mapping[str, Tensor] | None,
) -> tuple[Tensor, Mapping[str, Tensor] | None]:
    """Return theta and moments after the step; without moments, after a step of plain SGD."""
    algorithm = config.algorithm
    _, gradient = algorithm.outer_gradient(model, theta, batch)
    rate = float(outer.learning_rates(algorithm, iteration, 1, config.iterations)[0])
    if moments is None:
        return theta.sub(gradient, alpha=rate), None
    return outer.step(algorithm, theta, gradient, dict(moments), rate, iteration)


def _require_affordable(config: RunConfig, batch: MetaBatch, steps: int) -> None:
    points = steps * len(batch.x)
    most = min(MOST_TRACED, MOST_NUMBERS // config.parameters)
    if points > most:
        raise ConfigError(
            "tasks x inner steps",
            points,
            f"must be at most {most:,} with {config.parameters:,} parameters",
        )
    # Three passes a gradient: of this iteration, outer step and path, and of the next one.
    seen = 9 * (batch.x.shape[2] + batch.query_y.shape[1])
    require_affordable(config, "tasks x inner steps", points, seen)


def _tensor(array: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.array(array, np.float64))


def _point(values: Matrix) -> Point:
    return float(values[0]), float(values[1])
