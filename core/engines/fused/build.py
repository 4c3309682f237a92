"""Compiles the kernels. It is imported where code is not in the cache: numba takes long."""

from __future__ import annotations

from importlib import import_module

from core.engines.fused.compiler import Report, compile_library
from core.engines.fused.compiler_settings import own_settings
from core.engines.fused.native import Code
from core.engines.fused.signatures import MODULES, Variant, entries

with own_settings():  # functions are declared when it is imported
    from core.engines.fused import kernel  # noqa: F401


def compile_kernel(variant: Variant, report: Report) -> Code:
    """Compile the entries of ``variant``, in the order of `entries`."""
    signatures = entries(variant)
    with own_settings():
        module = import_module(f"core.engines.fused.{MODULES[variant.kind]}")
        functions = [getattr(module, name) for name in signatures]
        return compile_library(functions, [*signatures.values()], report)
