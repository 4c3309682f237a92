"""JAX's second derivatives in their fastest form here: one jit, ``lax.scan`` over meta-iterations.

The loss of a meta-batch is differentiated once, reverse over reverse, with vmap over tasks inside.
"""

# JAX is in benchmarks/.venv only, where no types are checked.
# mypy: disable-error-code="import-not-found, untyped-decorator"

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.protocol import SECOND_ORDER
from core.algorithms.maml import Maml
from core.config import RunConfig

LOW, HIGH = -5.0, 5.0


class JaxSecondOrder:
    """Compiled at the first call; ``jax.block_until_ready`` ends every chunk."""

    chunk = 1_000

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._train = {name: trainer(config) for name, config in SECOND_ORDER.items()}
        self._states = {name: initial(self._random, c) for name, c in SECOND_ORDER.items()}

    def run(self, algorithm: str, iterations: int) -> None:
        config = SECOND_ORDER[algorithm]
        for _ in range(iterations // self.chunk):
            batches = few_shot(self._random, config, self.chunk)
            state, _ = self._train[algorithm](self._states[algorithm], batches)
            self._states[algorithm] = jax.block_until_ready(state)


def few_shot(random: np.random.Generator, config: RunConfig, n: int) -> tuple[Any, ...]:
    """Draw support x and y ``(n, tasks, shots)``; the query set's x, unless it is a grid, and y."""
    algorithm = config.algorithm
    assert isinstance(algorithm, Maml), "all of them are"
    shape = (n, algorithm.tasks, 1)
    amplitude = random.random(shape, np.float32) * 4.9 + 0.1
    phase = random.random(shape, np.float32) * (2 * np.pi)

    def points(count: int) -> Any:
        return random.random((*shape[:2], count), np.float32) * (HIGH - LOW) + LOW

    x = points(algorithm.shots)
    y = amplitude * np.sin(x + phase)
    if algorithm.query == "random":
        query_x = points(algorithm.query_points)
        return x, y, query_x, amplitude * np.sin(query_x + phase)
    grid = np.linspace(LOW, HIGH, algorithm.query_points, dtype=np.float32)
    return x, y, amplitude * np.sin(grid + phase)


def initial(random: np.random.Generator, config: RunConfig) -> Any:
    """Return the meta-parameters, and zeros for Adam's moments and its count of steps."""
    layers = []
    sizes = (1, *config.network.hidden, 1)
    for n_in, n_out in pairwise(sizes):
        bound = n_in**-0.5
        shapes = ((n_in, n_out), (n_out,))
        layers.append(
            tuple(jnp.asarray(random.uniform(-bound, bound, s), jnp.float32) for s in shapes)
        )
    learned: Any = (layers,)
    if config.algorithm.name == "metasgd":
        rate = config.algorithm.inner_lr
        learned = (layers, jax.tree.map(lambda weights: jnp.full_like(weights, rate), layers))
    zeros = jax.tree.map(jnp.zeros_like, learned)
    return learned, zeros, zeros, jnp.zeros((), jnp.float32)


def trainer(config: RunConfig) -> Callable[..., Any]:
    """Return the compiled training of a chunk."""
    algorithm = config.algorithm
    assert isinstance(algorithm, Maml), "all of them are"
    grid = jnp.linspace(LOW, HIGH, algorithm.query_points, dtype=jnp.float32)
    loss = partial(squared_error, jnp.tanh if config.network.activation == "tanh" else jax.nn.relu)

    def adapted(learned: Any, x: Any, y: Any) -> Any:
        phi = learned[0]
        for _ in range(algorithm.inner_steps):
            if algorithm.adapted == "head":
                gradient = jax.grad(lambda head, body=phi[:-1]: loss([*body, head], x, y))(phi[-1])
                head = jax.tree.map(lambda p, g: p - algorithm.inner_lr * g, phi[-1], gradient)
                phi = [*phi[:-1], head]
            elif algorithm.adapted == "all":
                gradient = jax.grad(loss)(phi, x, y)
                phi = jax.tree.map(lambda p, g: p - algorithm.inner_lr * g, phi, gradient)
            else:
                gradient = jax.grad(loss)(phi, x, y)
                phi = jax.tree.map(lambda p, rate, g: p - rate * g, phi, learned[1], gradient)
        return phi

    def of_batch(learned: Any, *batch: Any) -> Any:
        def task(x: Any, y: Any, *query: Any) -> Any:
            return loss(adapted(learned, x, y), *(query if len(query) == 2 else (grid, *query)))

        losses = jax.vmap(task)(*batch)
        return losses.sum() if algorithm.reduction == "sum" else losses.mean()

    def iteration(state: Any, batch: Any) -> Any:
        learned, mean, square, count = state
        value, gradient = jax.value_and_grad(of_batch)(learned, *batch)
        if algorithm.outer_optimizer == "sgd":
            learned = jax.tree.map(lambda p, g: p - algorithm.outer_lr * g, learned, gradient)
            return (learned, mean, square, count), value
        beta_1, beta_2 = algorithm.adam_betas
        count = count + 1
        mean = jax.tree.map(lambda m, g: beta_1 * m + (1 - beta_1) * g, mean, gradient)
        square = jax.tree.map(lambda s, g: beta_2 * s + (1 - beta_2) * g * g, square, gradient)
        unbias_1, unbias_2 = 1 / (1 - beta_1**count), 1 / (1 - beta_2**count)

        def moved(p: Any, m: Any, s: Any) -> Any:
            return p - algorithm.outer_lr * m * unbias_1 / (jnp.sqrt(s * unbias_2) + 1e-8)

        return (jax.tree.map(moved, learned, mean, square), mean, square, count), value

    train: Callable[..., Any] = jax.jit(
        lambda state, batches: jax.lax.scan(iteration, state, batches)
    )
    return train


def squared_error(activation: Any, theta: Any, x: Any, y: Any) -> Any:
    (first, bias), *hidden, (last, last_bias) = theta
    outputs = activation(x[:, None] * first[0] + bias)
    for weight, bias in hidden:
        outputs = activation(outputs @ weight + bias)
    return jnp.mean((outputs @ last[:, 0] + last_bias[0] - y) ** 2)
