"""JAX in its fastest form here: one jit, ``lax.scan`` over meta-iterations, vmap over tasks.

Alternatives that were slower, or not faster: batches from ``jax.random`` within the scan (1.5 times
the time for FOMAML, 1.9 for Reptile), so NumPy draws a chunk at once; features before points; a
Python loop over tasks; the scan unrolled, or the inner one of Reptile not; XLA's flags for 512-bit
vectors, XNNPACK, oneDNN and several threads.
"""

# JAX is in benchmarks/.venv only, where no types are checked.
# mypy: disable-error-code="import-not-found, untyped-decorator"

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from benchmarks.protocol import FOMAML, REPTILE, UNITS

GRID = np.linspace(-5, 5, 50, dtype=np.float32)
LR = FOMAML.inner_lr


class JaxScan:
    """Compiled at the first call; ``jax.block_until_ready`` ends every chunk."""

    chunk = 1_000

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        initial = parameters(self._random)
        self._thetas = {"fomaml": initial, "reptile": initial}

    def run(self, algorithm: str, iterations: int) -> None:
        train, draw = (fomaml, few_shot) if algorithm == "fomaml" else (reptile, minibatches)
        for _ in range(iterations // self.chunk):
            theta, _ = train(self._thetas[algorithm], draw(self._random, self.chunk))
            self._thetas[algorithm] = jax.block_until_ready(theta)


def parameters(random: np.random.Generator) -> list[Any]:
    """Draw weights ``(n_in, n_out)`` and biases of the source's network."""
    layers = []
    for n_in, n_out in ((1, UNITS), (UNITS, UNITS), (UNITS, 1)):
        bound = n_in**-0.5
        shapes = ((n_in, n_out), (n_out,))
        layers.append(
            tuple(jnp.asarray(random.uniform(-bound, bound, s), jnp.float32) for s in shapes)
        )
    return layers


def few_shot(random: np.random.Generator, n: int) -> tuple[NDArray[np.float32], ...]:
    """Draw support x and y ``(n, 3, 10)`` and query y ``(n, 3, 50)``."""
    amplitude, phase = waves(random, (n, FOMAML.tasks, 1))
    x = random.random((n, FOMAML.tasks, FOMAML.shots), np.float32) * 10 - 5
    return x, amplitude * np.sin(x + phase), amplitude * np.sin(GRID + phase)


def minibatches(random: np.random.Generator, n: int) -> tuple[NDArray[np.float32], ...]:
    """Draw the shuffled grid, x and y ``(n, 5, 10)``."""
    amplitude, phase = waves(random, (n, 1, 1))
    order = random.random((n, REPTILE.points), np.float32).argsort(1)
    x = GRID[order].reshape(n, -1, REPTILE.batch_size)
    return x, amplitude * np.sin(x + phase)


def waves(random: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, Any]:
    amplitude = random.random(shape, np.float32) * 4.9 + 0.1
    return amplitude, random.random(shape, np.float32) * (2 * np.pi)


def loss(theta: Any, x: Any, y: Any) -> Any:
    (w1, b1), (w2, b2), (w3, b3) = theta
    hidden = jnp.tanh(x[:, None] * w1[0] + b1)
    hidden = jnp.tanh(hidden @ w2 + b2)
    return jnp.mean((hidden @ w3[:, 0] + b3[0] - y) ** 2)


def moved(theta: Any, direction: Any, by: float) -> Any:
    return jax.tree.map(lambda a, d: a + by * d, theta, direction)


@jax.jit
def fomaml(theta: Any, batches: Any) -> Any:
    """Train a chunk; return the parameters and the mean query losses."""

    def task(theta: Any, x: Any, y: Any, query_y: Any) -> Any:
        phi = moved(theta, jax.grad(loss)(theta, x, y), -LR)
        return jax.value_and_grad(loss)(phi, jnp.asarray(GRID), query_y)

    def iteration(theta: Any, batch: Any) -> Any:
        losses, gradients = jax.vmap(task, (None, 0, 0, 0))(theta, *batch)
        total = jax.tree.map(lambda gradient: gradient.sum(0), gradients)
        return moved(theta, total, -FOMAML.outer_lr), losses.mean()

    return jax.lax.scan(iteration, theta, batches)


@jax.jit
def reptile(theta: Any, batches: Any) -> Any:
    """Train a chunk; return the parameters and the mean minibatch losses."""

    def step(phi: Any, batch: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(phi, *batch)
        return moved(phi, gradient, -LR), value

    def iteration(theta: Any, batch: Any) -> Any:
        phi, losses = jax.lax.scan(step, theta, batch, unroll=True)
        towards = jax.tree.map(lambda a, b: a - b, phi, theta)
        return moved(theta, towards, REPTILE.outer_lr), losses.mean()

    return jax.lax.scan(iteration, theta, batches)
