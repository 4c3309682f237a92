"""Keeps what imported modules hold out of the search for garbage.

Python's collector looks through everything that lives, and begins where much is made: while a key
is answered. With 100,000 objects of libraries that took 25 ms, with PyTorch's as many again.
"""

import gc
import sys


class ModuleFreezer:
    """The modules so far; those that come later, as a screen needs them, are spared as well."""

    def __init__(self) -> None:
        self._loaded = self._spared = 0

    def look(self) -> None:
        """Spare modules that are new, unless more are being loaded right now."""
        loaded, before = len(sys.modules), self._loaded
        self._loaded = loaded
        if loaded == before != self._spared:
            self._spared = loaded
            gc.freeze()
