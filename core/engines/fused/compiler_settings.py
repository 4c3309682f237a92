"""The settings of numba that the fused engine is compiled with, whatever the environment says."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from numba.core import config

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
