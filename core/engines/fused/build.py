"""Compiles the kernel. It is imported where its code is not in the cache: numba takes long."""

from __future__ import annotations

from core.engines.fused.compiler import Report, compile_library
from core.engines.fused.compiler_settings import own_settings
from core.engines.fused.native import Code
from core.engines.fused.signatures import entries

with own_settings():  # functions are declared when it is imported
    from core.engines.fused import kernel


def compile_kernel(dtype: str, report: Report) -> Code:
    """Compile the kernel's entries for networks of ``dtype``, in the order of `entries`."""
    signatures = entries(dtype)
    functions = [getattr(kernel, name) for name in signatures]
    with own_settings():
        return compile_library(functions, [*signatures.values()], report)
