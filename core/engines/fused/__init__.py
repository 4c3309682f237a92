"""The fused engine: whole meta-iterations in compiled native code."""
