"""The environment of a benchmark: packages of the peers, thread limits, facts about the machine."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from llvmlite import binding

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"
PEERS_VENV = ROOT / "benchmarks" / ".venv"

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
"""Environment of every measured process."""


def install_peers() -> bool:
    """Create ``benchmarks/.venv`` if it is missing or outdated; return False if pip fails.

    It also sees the packages of the current environment, so that PyTorch is installed once.
    """
    python = PEERS_VENV / "bin" / "python"
    stamp = PEERS_VENV / "installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return True
    subprocess.run([sys.executable, "-m", "venv", PEERS_VENV], check=True)
    paths = {"base": str(PEERS_VENV), "platbase": str(PEERS_VENV)}
    packages = Path(sysconfig.get_path("purelib", "venv", paths))
    (packages / "project.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command: list[str | Path] = [python, "-m", "pip", "install", "--quiet"]
    command += ["--requirement", REQUIREMENTS, "--constraint", ROOT / "constraints.txt"]
    if subprocess.run(command, check=False).returncode:
        return False
    stamp.write_text(wanted)
    return True


def avx2_only() -> dict[str, str]:
    """Return environment variables that limit numba, XLA and PyTorch to AVX2."""
    features = binding.get_host_cpu_features()
    for name in features:
        if name.startswith(("avx512", "avx10", "amx", "evex512")):
            features[name] = False
    return {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": features.flatten(),
        "XLA_FLAGS": ONE_THREAD["XLA_FLAGS"] + " --xla_cpu_max_isa=AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    }


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with ``extra``."""
    return {**os.environ, **extra}


def has_avx512() -> bool:
    return bool(binding.get_host_cpu_features().get("avx512f", False))


def facts(command: str) -> dict[str, str]:
    """Return what a reader must know to judge the figures: command, date, machine, versions."""
    names = ("tui-meta", "torch", "numba", "numpy", "textual", "plotext")
    versions = [f"{name} {version(name)}" for name in names]
    return {
        "command": f"`{command}`",
        "date": time.strftime("%Y-%m-%d %H:%M %z"),
        "machine": f"{_processor()}, {_cores()} cores, {'AVX-512' if has_avx512() else 'AVX2'}"
        if platform.machine() in ("x86_64", "AMD64")
        else f"{_processor()}, {_cores()} cores",
        "load at the start": f"average {os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": ", ".join(versions + peer_versions()),
    }


def peer_versions() -> list[str]:
    """Return the versions of the packages that ``benchmarks/.venv`` adds."""
    lines = REQUIREMENTS.read_text().splitlines()
    pinned = [line.replace("==", " ") for line in lines if line.startswith(("jax", "higher"))]
    return pinned if (PEERS_VENV / "installed").is_file() else []


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
