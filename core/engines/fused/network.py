"""A network that trains and adapts with the fused kernel, which is compiled once and cached."""

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

from core.engines.fused.kernel_cache import cached_library, read_code
from core.engines.fused.layout import Layout
from core.engines.fused.machine import CPU, FEATURES, lanes_of
from core.engines.fused.native import Code, Function, functions
from core.engines.fused.signatures import OPTIMIZERS, entries
from core.tasks.base import Floats
from core.user_folders import user_folder

if TYPE_CHECKING:
    from core.engines.fused.compiler import Report

UNUSED_SECONDS = 30 * 86_400
"""Compiled code of another version is removed if no start has used it for this long."""

SOURCES = (
    *("build", "compiler", "compiler_settings", "kernel", "layout", "machine"),
    *("native", "signatures", "simd"),
)
"""Modules that compiled code, or its file, depends on."""


class Kernels(NamedTuple):
    """The kernel's entries for one dtype."""

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


def cache_file(dtype: str) -> Path | None:
    """Return the path of the compiled kernels in the user's cache; None without a home folder.

    There is a folder for each version of everything that the code depends on.
    """
    try:
        return user_folder("cache") / f"numba-{_version()}" / f"{dtype}.kernels"
    except OSError:
        return None


def must_compile(dtype: str) -> bool:
    """Return True if the first use of ``dtype`` takes seconds, because nothing is cached yet."""
    file = cache_file(dtype)
    return file is None or read_code(file) is None


_compiling = threading.Lock()
_waiting: list[Report] = []


def prepare(dtype: str, report: Report) -> None:
    """Compile the kernels for ``dtype``, or load them from the cache.

    While they are compiled, which one thread does for all that wait, ``report`` is called with what
    is done.
    """
    _waiting.append(report)
    try:
        _prepared(dtype)
    finally:
        _waiting.remove(report)


def compiled_kernels(dtype: str) -> Kernels:
    """Return the kernels for ``dtype``, compiled in some seconds or loaded from the cache."""
    return _prepared(dtype).kernels


def cache_problem(dtype: str) -> str:
    """Return why the compiled code of ``dtype`` is not kept for later starts; empty if it is."""
    return _prepared(dtype).problem


def _prepared(dtype: str) -> _Prepared:
    with _compiling:
        return _prepare(dtype)


@functools.cache
def _prepare(dtype: str) -> _Prepared:
    def compile() -> Code:
        from core.engines.fused.build import compile_kernel  # late: numba takes longer than a start

        return compile_kernel(dtype, _report)

    library, problem = cached_library(cache_file(dtype), compile)
    signatures = entries(dtype)
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
    """A perceptron from one input to one output; any number of threads may use it at once."""

    hidden: tuple[int, ...]
    activation: str
    """``"tanh"`` or ``"relu"``."""
    dtype: str
    """``"float32"`` or ``"float64"``."""

    def _workspace(self, points: int) -> tuple[Floats, NDArray[np.int64]]:
        layout = Layout.of(self.hidden, points, lanes_of(self.dtype))
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

        ``theta (n_parameters,)``; ``moments (0, 1 or 2, n_parameters)`` for SGD, momentum and Adam.
        Batches ``x``, ``y`` ``(n, n_tasks, n_minibatches, n_points)``, ``query_x (n_query,)``,
        ``query_y (n, n_tasks, n_query)``; an empty ``query_x`` makes theta - phi the outer gradient
        (Reptile) instead of the query loss's (FOMAML). ``share`` multiplies the sum over tasks,
        ``rates (n,)`` are outer learning rates, ``decays`` Adam's betas, or momentum and anything,
        and ``iteration`` counts the meta-iterations before this call.
        """
        sizes = (*x.shape[1:], query_x.size)
        buf, plan = self._workspace(max(x.shape[3], query_x.size))
        theta, moments = np.array(theta, self.dtype), np.array(moments, self.dtype)
        losses = np.empty(len(rates))
        compiled_kernels(self.dtype).advance(
            *(buf, plan, theta, moments, losses),
            *(_flat(array, self.dtype) for array in (x, y, query_x, query_y)),
            *(sizes, np.ascontiguousarray(rates, np.float64), inner_steps, inner_lr, share),
            *(OPTIMIZERS[optimizer], decays, iteration, self.activation == "relu"),
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

        Full-batch SGD from ``theta`` on supports ``x``, ``y`` ``(n_tasks, n_points)``; losses on
        ``query_x (n_query,)``, ``query_y (n_tasks, n_query)`` after each of ``steps``, which
        increase. Kept are the predictions of ``every_step``, else the first and the last.
        """
        n_tasks, n_points = x.shape
        buf, plan = self._workspace(max(n_points, query_x.size))
        reported = np.array(steps, np.int64)
        reported.flags.writeable = False
        losses = np.empty((n_tasks, len(reported)))
        kept = len(reported) if every_step else min(len(reported), 2)
        predictions = np.empty((n_tasks * kept, query_x.size), self.dtype)
        compiled_kernels(self.dtype).adapt(
            *(buf, plan, _flat(theta, self.dtype), losses, predictions),
            *(_flat(array, self.dtype) for array in (x, y, query_x, query_y)),
            *((n_tasks, n_points, query_x.size, kept), reported, lr, self.activation == "relu"),
        )
        return losses, predictions.reshape(n_tasks, kept, -1)
