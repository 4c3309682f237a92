"""The registry of algorithms: every module of this package that defines one adds it by its name.

A third algorithm is one new file here with a frozen dataclass derived from ``Algorithm``.
"""

import importlib
import pkgutil

from core.algorithms.base import Algorithm


def _discover() -> dict[str, type[Algorithm]]:
    found: dict[str, type[Algorithm]] = {}
    for module_info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Algorithm) and value is not Algorithm:
                found[value.name] = value
    return found


ALGORITHMS = _discover()
"""Algorithm classes by name."""
