"""The fused engine: whole meta-iterations in compiled native code."""

from core.engines.fused.compiler_settings import own_settings

with own_settings():  # functions are declared when it is imported
    from core.engines.fused import kernel as kernel
