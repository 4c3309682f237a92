"""A network that trains and adapts with the fused kernels, which are compiled once and cached."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import llvmlite
import numpy as np
from numpy.typing import NDArray

from core.algorithms.base import Adapted
from core.engines.fused.kernel_cache import cached_library, read_code
from core.engines.fused.layout import Layout, Through
from core.engines.fused.machine import CPU, FEATURES, lanes_of
from core.engines.fused.native import Code, Function, functions
from core.engines.fused.signatures import MODULES, OPTIMIZERS, Variant, entries
from core.tasks.base import Floats
from core.user_folders import user_folder

if TYPE_CHECKING:
    from core.engines.fused.compiler import Report

UNUSED_SECONDS = 30 * 86_400
"""Compiled code of another version is removed if no start has used it for this long."""

SOURCES = (
    *("build", "compiler", "layout", "machine", "native", "signatures", "simd"),
    *("hessian", "ranges", *MODULES.values()),
)
"""Modules that compiled code, or its file, depends on."""


TOGETHER = 256
"""Support points of tasks that share their first layers: what is computed at once stays in the
second-fastest cache."""


class Kernels(NamedTuple):
    """The entries of a variant."""

    advance: Function
    adapt: Function


class _Prepared(NamedTuple):
    kernels: Kernels
    problem: str


@functools.cache
def _version() -> str:
    """Return a digest of the kernel's sources, the target machine, the compiler and Python."""
    versions = (sys.version, version("numba"), llvmlite.__version__, np.__version__)
    digest = hashlib.sha256(repr((versions, CPU, FEATURES)).encode())
    for name in SOURCES:
        digest.update(Path(__file__).with_stem(name).read_bytes())  # without importing it
    return digest.hexdigest()[:16]


def cache_file(variant: Variant) -> Path | None:
    """Return the path of the compiled kernels in the user's cache; None without a home folder.

    There is a folder for each version of everything that the code depends on.
    """
    try:
        name = f"{variant.dtype}-{MODULES[variant.kind]}.kernels"
        return user_folder("cache") / f"numba-{_version()}" / name
    except OSError:
        return None


def must_compile(variant: Variant) -> bool:
    """Return True if the first use of ``variant`` takes seconds, because nothing is cached yet."""
    file = cache_file(variant)
    return file is None or read_code(file) is None


_compiling = threading.Lock()
_waiting: list[Report] = []


def prepare(variant: Variant, report: Report) -> None:
    """Compile the kernels of ``variant``, or load them from the cache.

    While they are compiled, which one thread does for all that wait, ``report`` is called with what
    is done.
    """
    _waiting.append(report)
    try:
        _prepared(variant)
    finally:
        _waiting.remove(report)


def compiled_kernels(variant: Variant) -> Kernels:
    """Return the kernels of ``variant``, compiled in some seconds or loaded from the cache."""
    return _prepared(variant).kernels


def cache_problem(variant: Variant) -> str:
    """Return why the compiled code of ``variant`` is not kept for later starts; empty if it is."""
    return _prepared(variant).problem


def _prepared(variant: Variant) -> _Prepared:
    with _compiling:
        return _prepare(variant)


@functools.cache
def _prepare(variant: Variant) -> _Prepared:
    def compile() -> Code:
        from core.engines.fused.build import compile_kernel  # late: numba takes longer than a start

        return compile_kernel(variant, _report)

    library, problem = cached_library(cache_file(variant), compile)
    signatures = entries(variant)
    made = dict(zip(signatures, functions(library, [*signatures.values()]), strict=True))
    with suppress(Exception):  # the kernels are there, and the next start removes as much
        remove_unused_code()
    return _Prepared(Kernels(**made), problem)


def _report(done: str) -> None:
    for report in [*_waiting]:
        report(done)


def remove_unused_code() -> None:
    """Mark this version's folder as used now, and remove those of others that no one uses.

    Raises ``OSError``.
    """
    cache, own = user_folder("cache"), f"numba-{_version()}"
    os.utime(cache / own)
    for folder in cache.glob("numba-*"):
        if folder.name != own and time.time() - folder.lstat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _flat(array: Floats, dtype: str) -> Floats:
    return np.ascontiguousarray(array, dtype).reshape(-1)


@dataclass(frozen=True)
class FusedNetwork:
    """A perceptron with one output; any number of threads may use it at once."""

    inputs: int
    hidden: tuple[int, ...]
    activation: str
    """``"tanh"`` or ``"relu"``."""
    dtype: str
    """``"float32"`` or ``"float64"``."""
    adapted: Adapted = "all"
    """What inner steps change."""
    second_order: bool = False
    """True if the outer gradient goes back through the inner steps."""

    @property
    def variant(self) -> Variant:
        """The kernels that it uses."""
        if self.adapted == "head":
            return Variant(self.dtype, "head")
        through = self.second_order or self.adapted != "all"
        return Variant(self.dtype, "second order" if through else "first order")

    def _workspace(
        self, support: int, query: int, steps: int, tasks: int = 1, query_tasks: int = 1
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Return the buffer and its plan, for ``tasks`` at once with as many ``query_tasks``."""
        points, through = max(support, query), None
        if self.variant.kind == "head":
            points = tasks * support + query_tasks * query
            through = Through(steps, support, together=points)
        elif self.variant.kind == "second order":
            through = Through(steps, support, self.adapted == "all by learned rates")
        layout = Layout.of(self.inputs, self.hidden, points, lanes_of(self.dtype), through)
        return layout.buffer(self.dtype), layout.plan

    def advance(
        self,
        theta: Floats,
        moments: Floats,
        *,
        x: Floats,
        y: Floats,
        query_x: Floats,
        query_y: Floats,
        rates: NDArray[np.float64],
        inner_steps: int,
        inner_lr: float,
        share: float,
        optimizer: str,
        decays: tuple[float, float],
        iteration: int,
    ) -> tuple[Floats, Floats, NDArray[np.float64]]:
        """Return theta, moments and losses ``(n,)`` of n meta-iterations; arguments stay untouched.

        ``theta (n_meta,)``, with learned rates behind the parameters; ``moments (0, 1 or 2,
        n_meta)`` for SGD, momentum and Adam. Batches ``x (n, n_tasks, n_minibatches, n_points,
        inputs)``, ``y`` without the last axis, ``query_x (n_query, inputs)`` for all tasks or
        ``(n, n_tasks, n_query, inputs)``, and ``query_y (n, n_tasks, n_query)``; without query
        points theta - phi is the outer gradient (Reptile) instead of the query loss's. ``share``
        multiplies the sum over tasks, ``rates (n,)`` are outer learning rates, ``decays`` Adam's
        betas, or momentum and anything, and ``iteration`` counts the meta-iterations before this
        call.
        """
        n_query = query_x.shape[-2]
        sizes = (*x.shape[1:4], n_query, _stride(query_x))
        together = max(1, min(x.shape[1], TOGETHER // x.shape[3]))
        query_tasks = 1 if query_x.ndim == 2 else together
        buf, plan = self._workspace(x.shape[3], n_query, inner_steps, together, query_tasks)
        learned = self.adapted == "all by learned rates"
        theta, moments = np.array(theta, self.dtype), np.array(moments, self.dtype)
        losses = np.empty(len(rates))
        compiled_kernels(self.variant).advance(
            *(buf, plan, theta, moments, losses),
            *(_flat(array, self.dtype) for array in (x, y, query_x, query_y)),
            *(sizes, np.ascontiguousarray(rates, np.float64), inner_steps, inner_lr, share),
            *(OPTIMIZERS[optimizer], decays, iteration, self.activation == "relu"),
            *{
                "first order": (),
                "second order": (learned, self.second_order),
                "head": (together, self.second_order),
            }[self.variant.kind],
        )
        return theta, moments, losses

    def adapt(
        self,
        theta: Floats,
        *,
        x: Floats,
        y: Floats,
        query_x: Floats,
        query_y: Floats,
        steps: Sequence[int],
        lr: float,
        every_step: bool = False,
    ) -> tuple[NDArray[np.float64], Floats]:
        """Return losses ``(n_tasks, len(steps))`` and predictions ``(n_tasks, kept, n_query)``.

        Full-batch SGD from ``theta`` on supports ``x (n_tasks, n_points, inputs)`` and
        ``y (n_tasks, n_points)``; losses on ``query_y (n_tasks, n_query)``, with ``query_x
        (n_query, inputs)`` or ``(n_tasks, n_query, inputs)``, after each of ``steps``, which
        increase. Kept are the predictions of ``every_step``, else the first and the last.
        """
        n_tasks, n_points = y.shape
        n_query = query_x.shape[-2]
        buf, plan = self._workspace(n_points, n_query, 1)
        reported = np.array(steps, np.int64)
        reported.flags.writeable = False
        losses = np.empty((n_tasks, len(reported)))
        kept = len(reported) if every_step else min(len(reported), 2)
        predictions = np.empty((n_tasks * kept, n_query), self.dtype)
        sizes = (n_tasks, n_points, n_query, _stride(query_x), kept)
        learned = self.adapted == "all by learned rates"
        compiled_kernels(self.variant).adapt(
            *(buf, plan, _flat(theta, self.dtype), losses, predictions),
            *(_flat(array, self.dtype) for array in (x, y, query_x, query_y)),
            *(sizes, reported, lr, self.activation == "relu"),
            *(learned,) * (self.variant.kind == "second order"),
        )
        return losses, predictions.reshape(n_tasks, kept, -1)


def _stride(query_x: Floats) -> int:
    """Return the points from one task's query set to the next: 0 if all have the same one."""
    return 0 if query_x.ndim == 2 else query_x.shape[-2]
