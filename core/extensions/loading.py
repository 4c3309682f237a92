"""Code of the user's own is imported: files, and entry points of installed packages.

Only what the user asks for is looked up and imported. Nothing here imports NumPy.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from core.algorithms.registry import ALGORITHMS
from core.errors import USER_FILES, ConfigError, LabError, SubjectError, in_words, reason
from core.models.registry import MODELS
from core.tasks.registry import FAMILIES
from core.user_folders import with_home

CODE = "TUI_META_CODE"
"""The environment variable with what is imported: Python files, and names of modules, with colons
between them."""

REGISTRIES: Mapping[str, Mapping[str, Callable[..., object]]] = {
    "algorithms": ALGORITHMS,
    "tasks": FAMILIES,
    "models": MODELS,
}
"""What is known by name; ``tui_meta.algorithms`` and so on are the groups of entry points."""

SETTINGS = {
    "algorithms": "algorithms",
    "algorithm": "algorithms",
    "tasks": "tasks",
    "model": "models",
}
"""Settings that name something of a registry."""


_importing = threading.RLock()
"""Held while files are imported: a worker of a cluster has several threads."""


def load_code() -> None:
    """Import what the user names in ``TUI_META_CODE``, which registers what it defines.

    Processes that this one starts import it too. Raises ``LabError``.
    """
    named = [one for one in os.environ.get(CODE, "").split(os.pathsep) if one]
    absolute = [str(_absolute(one)) if _is_file(one) else one for one in named]
    os.environ[CODE] = os.pathsep.join(absolute)
    with _importing:
        for one in absolute:
            _import_file(Path(one)) if _is_file(one) else _import_module(one)


def load_named(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Import what ``settings``, of a configuration file, name and what is not known yet.

    That is ``FILE.py:NAME``, or an entry point by its name. Return the settings with the names by
    which all is known from then on, here and in processes that this one starts. Raises
    ``LabError``.
    """
    return {key: _with_names(key, value) for key, value in settings.items()}


def _with_names(key: str, value: Any) -> Any:
    if key == "sweep" and isinstance(value, dict):
        return load_named(value)
    if isinstance(value, (list, tuple)):
        if key == "runs":
            return [load_named(one) if isinstance(one, dict) else one for one in value]
        return [_with_names(key, one) for one in value] if key in SETTINGS else value
    if key in SETTINGS and isinstance(value, str) and value:
        parts = [value] if ":" in value else value.split("+")  # the families of a mixture
        return "+".join(_known_name(key, part) for part in parts)
    return value


def _known_name(setting: str, named: str) -> str:
    """Return the name by which what is ``named`` is known, imported if need be."""
    registry = SETTINGS[setting]
    known = REGISTRIES[registry]
    if named in known:
        return named
    file, colon, name = named.rpartition(":")
    source, found = _from_file(file, name) if colon else _from_entry_point(registry, named)
    if not source:
        return named  # refused where it is used
    for name, one in known.items():
        if one is found:
            _import_in_other_processes(source)
            return name
    problem = "must be registered: write @register above it" if found else "must exist there"
    raise ConfigError(setting, named, problem)


def _from_file(file: str, name: str) -> tuple[str, object]:
    path = _absolute(file)
    return str(path), getattr(_import_file(path), name, None)


def _from_entry_point(registry: str, name: str) -> tuple[str, object]:
    """Return the module of an entry point and what is named in it; None where it is missing."""
    from importlib.metadata import entry_points  # late: few names are not built in

    for point in entry_points(group=f"tui_meta.{registry}", name=name):
        module: Any = _import_module(point.module)
        for attribute in filter(None, point.attr.split(".")):
            module = getattr(module, attribute, None)
        return point.module, module
    return "", None


def _import_in_other_processes(source: str) -> None:
    named = [one for one in os.environ.get(CODE, "").split(os.pathsep) if one]
    os.environ[CODE] = os.pathsep.join(dict.fromkeys((*named, source)))


def _is_file(named: str) -> bool:
    return named.endswith(".py") or os.sep in named


def _absolute(file: str) -> Path:
    try:
        return Path(with_home(file)).absolute()
    except OSError as error:
        raise SubjectError(file, reason(error)) from error


def _import_file(file: Path) -> ModuleType:
    name = "_".join((CODE, *re.findall(r"\w+", str(file)))).lower()
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SubjectError(file, "not a Python file that exists")
    USER_FILES.add(str(file))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, LabError | KeyboardInterrupt):
            raise
        raise SubjectError(file, in_words(error)) from error
    return module


def _import_module(name: str) -> ModuleType:
    try:
        spec = importlib.util.find_spec(name)
        USER_FILES.update([spec.origin] if spec and spec.origin else [])
        return importlib.import_module(name)
    except (LabError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise SubjectError(f"module {name}", in_words(error)) from error
