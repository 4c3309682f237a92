"""The fused kernel against autograd, written here from the definitions of the algorithms."""

from __future__ import annotations

import dataclasses
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.registry import cpu_target

from core.algorithms.base import Adapted
from core.engines.fused import network as fused_network
from core.engines.fused.build import kernel
from core.engines.fused.layout import Column, Layout, Place, Through
from core.engines.fused.machine import CPU, FEATURES, MACHINE, machine
from core.engines.fused.native import Function
from core.engines.fused.network import FusedNetwork
from core.engines.fused.signatures import Array, Values, Variant
from tests.support.soak import soak

# Rounding of one update in float64, with room for sums over a thousand points and units.
EXACT = 1e-10


# --- the definitions --------------------------------------------------------------------------


def model(theta: torch.Tensor, hidden: tuple[int, ...], activation: str, x: torch.Tensor) -> Any:
    """Predictions ``(n_points,)`` of the network with flat parameters ``theta``."""
    h, start = x, 0
    sizes = list(pairwise((x.shape[1], *hidden, 1)))
    for layer, (n_in, n_out) in enumerate(sizes):
        weight = theta[start : start + n_in * n_out].reshape(n_out, n_in)
        start += n_in * n_out
        h = h @ weight.T + theta[start : start + n_out]
        start += n_out
        if layer < len(sizes) - 1:
            h = torch.tanh(h) if activation == "tanh" else torch.relu(h)
    return h[:, 0]


@dataclass
class Case:
    """One call of `FusedNetwork.advance`, and the same by autograd."""

    inputs: int = 1
    hidden: tuple[int, ...] = (7, 5)
    activation: str = "tanh"
    optimizer: str = "sgd"
    reptile: bool = False
    adapted: Adapted = "all"
    second_order: bool = False
    query_per_task: bool = False
    n: int = 3
    tasks: int = 2
    minibatches: int = 1
    points: int = 4
    inner_steps: int = 2
    query: int = 6
    share: float = 0.5
    inner_lr: float = 0.02
    rate: float = 0.01
    seed: int = 0
    decays: tuple[float, float] = (0.9, 0.99)
    iteration: int = 5

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        self.theta = np.concatenate(
            [
                random.uniform(-1, 1, (n_in + 1) * n_out) / np.sqrt(n_in)
                for n_in, n_out in pairwise((self.inputs, *self.hidden, 1))
            ]
        )
        if self.adapted == "all by learned rates":
            rates = random.uniform(0.5, 1.5, self.theta.size) * self.inner_lr
            self.theta = np.concatenate([self.theta, rates])
        n_moments = {"sgd": 0, "momentum": 1, "adam": 2}[self.optimizer]
        self.moments = random.uniform(0, 0.1, (n_moments, self.theta.size))
        batches = (self.n, self.tasks, self.minibatches, self.points)
        self.x = random.uniform(-5, 5, (*batches, self.inputs))
        self.y = random.uniform(-3, 3, batches)
        n_query = 0 if self.reptile else self.query
        of_each = (self.n, self.tasks, n_query)
        shape = of_each if self.query_per_task else (n_query,)
        self.query_x = random.uniform(-5, 5, (*shape, self.inputs))
        self.query_y = random.uniform(-3, 3, of_each)
        self.rates = self.rate * random.uniform(0.5, 1.5, self.n)

    def network(self, dtype: str) -> FusedNetwork:
        return FusedNetwork(
            *(self.inputs, self.hidden, self.activation, dtype, self.adapted, self.second_order)
        )

    def run(self, dtype: str, start: int = 0, stop: int | None = None, state: Any = None) -> Any:
        """The kernel's theta, moments and losses for iterations ``start`` to ``stop``."""
        theta, moments = state or (self.theta.astype(dtype), self.moments.astype(dtype))
        part = slice(start, stop)
        return self.network(dtype).advance(
            theta,
            moments,
            x=self.x[part].astype(dtype),
            y=self.y[part].astype(dtype),
            query_x=(self.query_x[part] if self.query_per_task else self.query_x).astype(dtype),
            query_y=self.query_y[part].astype(dtype),
            rates=self.rates[part],
            inner_steps=self.inner_steps,
            inner_lr=self.inner_lr,
            share=self.share,
            optimizer=self.optimizer,
            decays=self.decays,
            iteration=self.iteration + start,
        )

    def by_autograd(self) -> tuple[Any, Any, Any]:
        """Theta, moments and losses from the definitions, in float64."""
        theta, moments = torch.tensor(self.theta), torch.tensor(self.moments)
        losses = []
        for i in range(self.n):
            parts = [self.of_task(theta, i, task) for task in range(self.tasks)]
            losses.append(np.mean([loss for loss, _ in parts]))
            outer = torch.stack([gradient for _, gradient in parts]).sum(0)
            theta = self.outer_step(theta, moments, self.share * outer, i)
        return theta.numpy(), moments.numpy(), np.array(losses)

    def of_task(self, theta: Any, i: int, task: int) -> tuple[float, Any]:
        """Training loss and outer gradient of one task."""
        theta = theta.clone().requires_grad_()
        phi, met = theta[: self.n_parameters], []
        for step in range(self.inner_steps):
            batch = step % self.minibatches
            loss = self.loss(phi, self.x[i, task, batch], self.y[i, task, batch])
            (gradient,) = torch.autograd.grad(loss, phi, create_graph=self.second_order)
            phi = phi - self.inner_rates(theta) * gradient
            met.append(loss.item())
        if self.reptile:
            return float(np.mean(met)), (theta - phi).detach()
        query_x = self.query_x[i, task] if self.query_per_task else self.query_x
        loss = self.loss(phi, query_x, self.query_y[i, task])
        (gradient,) = torch.autograd.grad(loss, theta)
        return loss.item(), gradient

    @property
    def n_parameters(self) -> int:
        return len(self.theta) // (2 if self.adapted == "all by learned rates" else 1)

    def inner_rates(self, theta: Any) -> Any:
        if self.adapted == "all by learned rates":
            return theta[self.n_parameters :]
        head = torch.arange(self.n_parameters) >= self.n_parameters - self.hidden[-1] - 1
        return self.inner_lr * (head.double() if self.adapted == "head" else 1)

    def loss(self, theta: Any, x: Any, y: Any) -> Any:
        """The loss; ``theta`` keeps its graph."""
        difference = model(theta, self.hidden, self.activation, torch.tensor(x)) - torch.tensor(y)
        return (difference**2).mean()

    def outer_step(self, theta: Any, moments: Any, gradient: Any, i: int) -> Any:
        rate, (beta_1, beta_2) = self.rates[i], self.decays
        if self.optimizer == "sgd":
            return theta - rate * gradient
        if self.optimizer == "momentum":
            moments[0] = beta_1 * moments[0] + gradient
            return theta - rate * moments[0]
        moments[0] = beta_1 * moments[0] + (1 - beta_1) * gradient
        moments[1] = beta_2 * moments[1] + (1 - beta_2) * gradient**2
        step = self.iteration + i + 1
        mean, square = moments[0] / (1 - beta_1**step), moments[1] / (1 - beta_2**step)
        return theta - rate * mean / (square.sqrt() + 1e-8)


def assert_equal_to_autograd(case: Case) -> None:
    for mine, theirs in zip(case.run("float64"), case.by_autograd(), strict=True):
        scale = max(1.0, np.abs(theirs).max(initial=0))
        np.testing.assert_allclose(mine, theirs, rtol=EXACT, atol=EXACT * scale)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    counts = st.integers(1, 4)
    return Case(
        inputs=draw(st.sampled_from([1, 1, 2, 5])),
        hidden=tuple(
            draw(st.lists(st.sampled_from([1, 2, 7, 8, 16, 23, 40]), min_size=1, max_size=3))
        ),
        activation=draw(st.sampled_from(["tanh", "relu"])),
        optimizer=draw(st.sampled_from(["sgd", "momentum", "adam"])),
        reptile=draw(st.booleans()),
        n=draw(counts),
        tasks=draw(counts),
        minibatches=draw(counts),
        points=draw(st.integers(1, 13)),
        inner_steps=draw(st.integers(1, 6)),
        query=draw(st.integers(1, 13)),
        share=draw(st.sampled_from([1.0, 0.25])),
        seed=draw(st.integers(0, 2**31)),
        query_per_task=draw(st.booleans()),
    )


@st.composite
def cases_through_steps(draw: st.DrawFn) -> Case:
    """Of the kernels of `second_order`: with a query set, and one support set."""
    case, adapted = draw(cases()), draw(st.sampled_from(get_args(Adapted)))
    second_order = adapted == "all" or draw(st.booleans())
    # Derivatives by inner rates are large: at the usual outer rate many a case diverges.
    changes = {"adapted": adapted, "second_order": second_order, "rate": 1e-4}
    return dataclasses.replace(case, reptile=False, minibatches=1, **changes)


# --- promises ---------------------------------------------------------------------------------


@settings(max_examples=100)
@given(cases())
def test_every_update_equals_autograd(case: Case) -> None:
    assert_equal_to_autograd(case)


@settings(max_examples=100)
@given(cases_through_steps())
def test_every_update_through_the_inner_steps_equals_autograd(case: Case) -> None:
    assert_equal_to_autograd(case)


def test_relu_units_with_any_thresholds_equal_autograd() -> None:
    """Also without a slope, with equal thresholds, and with one beyond all points."""
    case = Case(hidden=(10, 3), activation="relu", adapted="head", second_order=True, points=9)
    case.theta[:20] = [
        *(0.0, 0.0, 0.0, -0.0, 1.0, 1.0, -1.0, 2.0, -2.0, 0.5),
        *(1.0, -1.0, 0.0, 1.0, 0.5, 0.5, 0.5, 100.0, -100.0, 0.25),
    ]
    assert_equal_to_autograd(case)


@pytest.mark.parametrize("reptile", [False, True])
@pytest.mark.parametrize(
    "sizes",
    [
        {"hidden": (1,), "points": 1, "query": 1},
        {"hidden": (1, 1, 1, 1), "points": 3},
        {"hidden": (64, 64), "points": 10, "query": 50},
        {"hidden": (40, 24), "points": kernel.FEW, "query": kernel.FEW + 1},
        {"hidden": (65, 64), "points": 5},
        {"hidden": (1000,), "points": 3},
        {"hidden": (1000, 999), "n": 1},
        {"hidden": (17, 1000), "points": 1000, "query": 1000, "n": 1},
    ],
)
def test_extreme_sizes_equal_autograd(sizes: dict[str, Any], reptile: bool) -> None:
    # A thousand units make gradients large enough to diverge at the usual step sizes.
    assert_equal_to_autograd(Case(**sizes, reptile=reptile, inner_lr=1e-3, rate=1e-3))


@pytest.mark.parametrize("reptile", [False, True])
def test_float32_stays_within_rounding_of_float64_for_300_iterations(reptile: bool) -> None:
    case = Case(
        hidden=(64, 64),
        reptile=reptile,
        n=300,
        tasks=1 if reptile else 3,
        minibatches=5 if reptile else 1,
        inner_steps=5 if reptile else 1,
        points=10,
        query=50,
        share=1.0,
        rate=0.1 if reptile else 0.01,
    )
    case.y = np.sin(case.x[..., 0])
    case.query_y = np.broadcast_to(np.sin(case.query_x[:, 0]), case.query_y.shape)
    single, double = case.run("float32"), case.run("float64")
    # Each step rounds at 6e-8, and training at a stable step size does not amplify that much.
    np.testing.assert_allclose(single[0], double[0], atol=3e-4)
    np.testing.assert_allclose(single[2], double[2], rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize(("reptile", "tasks"), [(False, 3), (True, 1), (True, 3)])
def test_chunks_give_the_same_bits_as_one_call(
    dtype: str, optimizer: str, reptile: bool, tasks: int
) -> None:
    case = Case(
        hidden=(20, 64), optimizer=optimizer, reptile=reptile, tasks=tasks, n=7, points=10, query=11
    )
    whole = case.run(dtype)
    state, losses = None, []
    for start, stop in [(0, 1), (1, 5), (5, 7)]:
        *state, part = case.run(dtype, start, stop, state)
        losses.extend(part)
    assert state is not None
    assert np.array_equal(state[0], whole[0])
    assert np.array_equal(state[1], whole[1])
    assert np.array_equal(losses, whole[2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(
    "kind", [{"reptile": False}, {"reptile": True}, {"adapted": "head", "second_order": True}]
)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_reach_the_result(
    dtype: str, activation: str, kind: dict[str, Any], bad: float
) -> None:
    for name in ("theta", "x", "y"):
        case = Case(hidden=(20, 20), activation=activation, **kind)
        # tanh saturates at an infinite input, here as in PyTorch: only a NaN must come through.
        getattr(case, name).flat[1] = bad if name == "y" else np.nan
        theta, _, losses = case.run(dtype)
        assert not np.isfinite(losses).all()
        assert not np.isfinite(theta).all()


def test_divergence_reaches_the_losses() -> None:
    theta, _, losses = Case(activation="relu", n=60, inner_lr=100.0, rate=100.0).run("float32")
    assert not np.isfinite(losses[-1])
    assert not np.isfinite(theta).all()


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 6e-7), ("float64", 3e-15)])
def test_tanh_is_accurate_and_never_beyond_one(dtype: str, bound: float) -> None:
    # One unit with weight 1 into an output with weight 1: the predictions are the activations.
    x = np.concatenate([np.linspace(-30, 30, 99_999), np.geomspace(1e-30, 1, 1000)]).astype(dtype)
    theta = np.array([1.0, 0.0, 1.0, 0.0], dtype)
    targets = np.zeros((1, x.size), dtype)
    query_x = x[:, None]
    sets = {"x": query_x[None, :1], "y": targets[:, :1], "query_x": query_x, "query_y": targets}
    _, predictions = FusedNetwork(1, (1,), "tanh", dtype).adapt(theta, **sets, steps=(0,), lr=0.1)
    # In units of the result: relative accuracy, also near zero.
    np.testing.assert_allclose(predictions[0, 0], np.tanh(x.astype("float64")), rtol=bound, atol=0)
    assert np.abs(predictions).max() <= 1


@pytest.mark.parametrize(("inputs", "query_per_task"), [(1, False), (1, True), (3, True)])
@pytest.mark.parametrize("adapted", get_args(Adapted))
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_adapt_equals_autograd(
    activation: str, adapted: Adapted, inputs: int, query_per_task: bool
) -> None:
    case = Case(inputs=inputs, hidden=(30, 9), activation=activation, adapted=adapted)
    random = np.random.default_rng(3)
    x, y = random.uniform(-5, 5, (3, 5, inputs)), random.uniform(-5, 5, (3, 5))
    query_x, query_y = np.linspace(-5, 5, 21)[:, None], random.uniform(-3, 3, (3, 21))
    if query_per_task:
        query_x = random.uniform(-5, 5, (3, 21, inputs))
    sets = {"x": x, "y": y, "query_x": query_x, "query_y": query_y}
    losses, predictions = case.network("float64").adapt(
        case.theta, **sets, steps=range(5), lr=0.02, every_step=True
    )
    assert losses.shape == (3, 5)
    assert predictions.shape == (3, 5, 21)
    for task in range(3):
        theta = torch.tensor(case.theta)
        phi = theta[: case.n_parameters]
        task_x = query_x[task] if query_per_task else query_x
        for update in range(5):
            loss = case.loss(phi, task_x, query_y[task]).item()
            assert losses[task, update] == pytest.approx(loss, rel=EXACT)
            prediction = model(phi, case.hidden, activation, torch.tensor(task_x)).numpy()
            np.testing.assert_allclose(
                predictions[task, update], prediction, rtol=EXACT, atol=EXACT
            )
            phi = phi.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(case.loss(phi, x[task], y[task]), phi)
            phi = (phi - case.inner_rates(theta) * gradient).detach()


def test_arguments_stay_untouched() -> None:
    case = Case(optimizer="adam")
    theta, moments = case.theta.copy(), case.moments.copy()
    for array in (case.theta, case.moments, case.x, case.y, case.query_x, case.query_y):
        array.flags.writeable = False
    case.run("float64", state=(case.theta, case.moments))
    assert np.array_equal(case.theta, theta)
    assert np.array_equal(case.moments, moments)


def test_two_threads_give_the_bits_of_one() -> None:
    case = Case(hidden=(64, 64), optimizer="adam", n=200, points=10, query=50)
    alone = case.run("float32")
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda _: case.run("float32"), range(4)))
    for result in together:
        for mine, theirs in zip(result, alone, strict=True):
            assert np.array_equal(mine, theirs)


@pytest.mark.parametrize(
    "through", [None, Through(3, 5), Through(2, 5, learned_rates=True), Through(2, 5, together=13)]
)
@pytest.mark.parametrize("lanes", [2, 4, 8, 16])
@pytest.mark.parametrize("hidden", [(1,), (7, 16, 65), (64, 64)])
@pytest.mark.parametrize("inputs", [1, 3])
def test_parts_of_the_buffer_are_whole_registers_and_do_not_overlap(
    inputs: int, hidden: tuple[int, ...], lanes: int, through: Through | None
) -> None:
    layout = Layout.of(inputs, hidden, 13, lanes, through)
    head = layout.plan[: len(Place)]
    layers = layout.plan[len(Place) :].reshape(-1, len(Column))
    widths = layers[:, Column.WIDTH]
    assert (widths % lanes == 0).all()
    assert (widths - layers[:, Column.UNITS] < lanes).all()
    used = [place for place in Place if place >= Place.THETA and (through or place < Place.TURNED)]
    places = [head[place] for place in used if place != Place.KEPT_SIZE]
    starts = sorted([*places, *layers[:-1, Column.OUTPUT], layout.size])
    assert all(start % lanes == 0 for start in starts)
    sizes = {int(start): int(end - start) for start, end in pairwise(starts)}
    if through:
        kept = sorted([*layers[:-1, Column.KEPT], head[Place.KEPT_SIZE]])
        assert kept[0] >= 2 * through.support or through.together
        assert sizes[int(head[Place.KEPT])] >= through.steps * head[Place.KEPT_SIZE]
        assert sizes[int(head[Place.PATH])] >= through.steps * head[Place.BLOCK_SIZE]
    blocks = map(Place, range(Place.THETA, Place.MOMENT_2 + 1))
    assert all(sizes[int(head[place])] >= head[Place.BLOCK_SIZE] for place in blocks)
    assert all(
        sizes[int(layer[Column.OUTPUT])] >= 13 * layer[Column.WIDTH] for layer in layers[:-1]
    )
    assert layout.buffer("float32").ctypes.data % 64 == 0


def test_the_machine_follows_its_features() -> None:
    assert machine("+avx2,+fma,+avx512f").name == "avx512"
    assert machine("+avx2,+fma,-avx512f").name == "avx2"
    assert machine("+neon,+fp-armv8").name == "neon"
    assert machine("+sse2").name == "generic"


def test_the_processor_is_that_of_numba() -> None:
    _, *found = cpu_target.target_context.codegen().magic_tuple()
    assert found == [CPU, FEATURES]


def test_a_function_refuses_arrays_that_it_would_misread() -> None:
    signature = (Array("float32"), Array("int64", writable=False), Values("int64", 2))
    function = Function(0, signature, None)
    call = function._call = Mock(return_value=0)
    floats, numbers = np.zeros(4, np.float32), np.zeros(3, np.int64)
    read_only = np.zeros(4, np.float32)
    read_only.flags.writeable = False
    for wrong in (
        (floats.astype(np.float64), numbers, (1, 2)),
        (floats[::2], numbers, (1, 2)),
        (floats.reshape(2, 2), numbers, (1, 2)),
        (read_only, numbers, (1, 2)),
        (floats, [0, 0, 0], (1, 2)),
        (floats, numbers, (1, 2, 3)),
    ):
        with pytest.raises(TypeError):
            function(*wrong)
    function(floats, numbers, (1, 2))
    assert call.call_count == 1


# --- other instruction sets and the cache -----------------------------------------------------
# Compiling takes 15 s of processor time, 4 of them for training: only the soak compiles that too.


def in_another_process(script: str, cache: Path, **environment: str) -> str:
    """The output of ``script``, with the cache of compiled code under ``cache``."""
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(fused_network.__file__).parents[3],
        env={**os.environ, "XDG_CACHE_HOME": str(cache), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


ADAPT = """
import numpy as np
from core.engines.fused.network import FusedNetwork, cache_problem, must_compile
from core.engines.fused.machine import MACHINE
from core.engines.fused.signatures import Variant
DOUBLE = Variant("float64")
before = must_compile(DOUBLE)
theta = np.sin(np.arange(2 * 37 + 37 * 21 + 21 + 21 + 1.0))
x = np.linspace(-5, 5, 33)
losses, predictions = FusedNetwork(1, (37, 21), "tanh", "float64").adapt(
    theta,
    **{"x": x[None, :, None], "y": np.sin(x)[None]},
    **{"query_x": x[:, None], "query_y": np.sin(x)[None]},
    **{"steps": range(6), "lr": 0.001},
)
print(MACHINE.name, before, must_compile(DOUBLE), cache_problem(DOUBLE))
print(*losses[0].tolist(), *predictions[0, -1].tolist())
"""


WITHOUT_TRAINING = """
from core.engines.fused.build import kernel
from tests.support.stub_kernel import advance
kernel.advance = advance
"""
"""Put before `ADAPT`, it saves the compilation of the training kernel, which is not called."""


COMPILE_STUBS = """
from core.engines.fused.build import kernel
from core.engines.fused.network import compiled_kernels, must_compile
from core.engines.fused.signatures import Variant
from tests.support import stub_kernel
kernel.advance, kernel.adapt = stub_kernel.advance, stub_kernel.adapt
DOUBLE = Variant("float64")
before = must_compile(DOUBLE)
compiled_kernels(DOUBLE)
print(before, must_compile(DOUBLE))
"""
"""Compile and cache kernels that take a moment."""


@dataclass(frozen=True)
class Adaptation:
    """The output of `ADAPT`: instruction set, state of the cache before and after, results."""

    machine: str
    compiled_first: bool
    must_compile_again: bool
    problem: str
    numbers: list[float]

    @classmethod
    def parse(cls, printed: str) -> Adaptation:
        head, numbers = printed.splitlines()
        name, before, after, problem = head.split(" ", maxsplit=3)
        values = [float(number) for number in numbers.split()]
        return cls(name, before == "True", after == "True", problem, values)


def adapted_here() -> list[float]:
    """The results of `ADAPT` with the instruction set of this process."""
    results: dict[str, Any] = {"print": lambda *_: None}
    exec(ADAPT, results)
    return [*results["losses"][0].tolist(), *results["predictions"][0, -1].tolist()]


def instruction_set(name: str) -> dict[str, str]:
    """Environment variables that make numba compile for another x86 processor."""
    if platform.machine() != "x86_64":
        return {}
    avx2 = "+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+avx,+avx2,+fma"
    cpu, features = {"avx2": ("haswell", avx2), "generic": ("x86-64", "+sse2")}[name]
    if MACHINE.name == "generic":  # it cannot run the instructions of a newer one
        return {}
    return {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": features}


def assert_equal_numbers(adaptation: Adaptation) -> None:
    np.testing.assert_allclose(adaptation.numbers, adapted_here(), rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_code_of_each_precision_comes_from_the_cache(dtype: str) -> None:
    variant = Variant(dtype)
    fused_network.compiled_kernels(variant)
    assert not fused_network.must_compile(variant)
    assert not fused_network.cache_problem(variant)
    reports: list[str] = []
    fused_network._prepare.cache_clear()
    fused_network.prepare(variant, reports.append)
    assert not reports


def test_cached_code_is_used_without_the_compiler() -> None:
    fused_network.compiled_kernels(Variant("float32"))
    train = "from core import *; run = train(RunConfig(algorithm=Reptile(), iterations=3))"
    found = "print(run.losses[0] > 0, {'numba', 'torch'} & {*sys.modules})"
    command = [sys.executable, "-c", f"import sys\n{train}\n{found}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "True set()\n"


@pytest.mark.slow
def test_two_processes_that_compile_at_once_fill_one_cache(tmp_path: Path) -> None:
    def compile(_: object = None) -> str:
        return in_another_process(COMPILE_STUBS, tmp_path)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(compile, range(2)))
    saved = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert len(saved) == 1
    assert compile() == "False False"
    assert saved == {path: path.stat().st_mtime_ns for path in saved}


@pytest.mark.slow
@pytest.mark.skipif(MACHINE.name in ("avx2", "neon"), reason="all other tests use the same code")
def test_for_avx2_it_computes_the_same(tmp_path: Path) -> None:
    environment = instruction_set("avx2")
    script = WITHOUT_TRAINING + ADAPT
    adaptation = Adaptation.parse(in_another_process(script, tmp_path, **environment))
    assert adaptation.compiled_first
    assert not adaptation.must_compile_again
    assert not adaptation.problem
    assert adaptation.machine == ("avx2" if environment else MACHINE.name)
    assert_equal_numbers(adaptation)


@pytest.mark.slow
def test_without_a_cache_folder_it_compiles_for_sse2_and_computes_the_same(tmp_path: Path) -> None:
    (tmp_path / "tui-meta").write_text("a file in place of the folder")
    # Settings of numba that would switch the compiler off, print, and change bits.
    unwanted = {"NUMBA_DISABLE_JIT": "1", "NUMBA_DEBUG_CACHE": "1", "NUMBA_OPT": "0"}
    environment = instruction_set("generic")
    script = soak(WITHOUT_TRAINING, "") + ADAPT
    printed = in_another_process(script, tmp_path, **environment, **unwanted)
    adaptation = Adaptation.parse(printed)
    assert "Not a directory" in adaptation.problem
    assert adaptation.compiled_first
    assert adaptation.must_compile_again
    assert adaptation.machine == ("generic" if environment else MACHINE.name)
    assert_equal_numbers(adaptation)
