"""Compiles the kernels. It is imported where code is not in the cache: numba takes long."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from numba.core import config

from core.engines.fused.compiler import Report, compile_library
from core.engines.fused.native import Code
from core.engines.fused.signatures import MODULES, Variant, entries

HONOURED = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
"""Variables that choose the processor to compile for. Others would switch the compiler off, change
bits, or print to standard output."""


@contextmanager
def own_settings() -> Iterator[None]:
    """Hide the settings of numba in environment and working folder, but for `HONOURED`."""
    hidden = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith("NUMBA_") and name not in HONOURED
    }
    # numba has no interface to leave out the file of settings in the working folder.
    file, config._config_fname = config._config_fname, os.devnull
    try:
        config.reload_config()  # no effect unless the environment has changed
        yield
    finally:
        config._config_fname = file
        os.environ.update(hidden)
        config.reload_config()


with own_settings():  # functions are declared when it is imported
    from core.engines.fused import kernel  # noqa: F401


def compile_kernel(variant: Variant, report: Report) -> Code:
    """Compile the entries of ``variant``, in the order of `entries`."""
    signatures = entries(variant)
    with own_settings():
        module = import_module(f"core.engines.fused.{MODULES[variant.kind]}")
        functions = [getattr(module, name) for name in signatures]
        return compile_library(functions, [*signatures.values()], report)
