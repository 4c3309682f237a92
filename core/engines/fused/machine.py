"""The processor that the kernel is compiled for, found without numba, whose import takes long."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from llvmlite import binding

WITHOUT_AVX = ("corei7-avx", "core-avx-i", "sandybridge", "ivybridge", "nocona")
"""Names of processors for which numba uses no AVX (https://github.com/numba/numba/issues/9582)."""


class Machine(NamedTuple):
    """An instruction set, and the block of a product that its registers hold."""

    name: str
    register_bytes: int
    tile_rows: int
    tile_columns: int
    """Width of a tile in registers."""


def machine(features: str) -> Machine:
    """Return the machine with LLVM's ``features``, such as ``"+sse4.2,+avx2,-avx512f"``.

    A tile of r rows by c registers does r c multiply-adds for c loads and r broadcasts. It wants at
    least eight sums, because two units with a latency of four work on them, and must fit into 32
    registers (AVX-512, NEON) or 16 (AVX2): a spilled sum costs more than a small tile.
    """
    enabled = set(features.split(","))
    if "+avx512f" in enabled:
        return Machine("avx512", 64, 4, 4)
    if {"+avx2", "+fma"} <= enabled:
        return Machine("avx2", 32, 6, 2)
    if "+neon" in enabled:
        return Machine("neon", 16, 4, 4)
    return Machine("generic", 16, 4, 2)


def _processor(environment: Mapping[str, str]) -> tuple[str, str]:
    """Return LLVM's name of the processor and its features, as numba finds them."""
    name, features = map(environment.get, ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"))
    if features is None and str(name).lower() == "generic":
        features = ""
    cpu: str = binding.get_host_cpu_name() if name is None else name
    return cpu, _host_features(cpu) if features is None else features


def _host_features(cpu: str) -> str:
    try:
        found = binding.get_host_cpu_features()
    except RuntimeError:
        return ""
    if cpu in WITHOUT_AVX:
        found.update((name, False) for name in found if name.startswith("avx"))
    return str(found.flatten())


# The variables NUMBA_CPU_NAME and NUMBA_CPU_FEATURES choose another machine than the host, for
# numba as well; benchmarks force AVX2 with them.
CPU, FEATURES = _processor(os.environ)
MACHINE = machine(FEATURES)


def lanes_of(dtype: object) -> int:
    """Return the count of numbers of ``dtype``, float32 or float64, in a register."""
    return MACHINE.register_bytes // (4 if str(dtype) == "float32" else 8)
