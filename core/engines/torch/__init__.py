"""The reference engine, on PyTorch."""
