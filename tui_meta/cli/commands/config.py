"""``tui-meta config``: all settings as a configuration file."""

import dataclasses
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.algorithms.base import Algorithm
from core.config import RUN_SETTINGS, TABLES
from core.settings import help_texts
from core.tasks.family import TaskFamily
from tui_meta.cli.flags import NOT_SET
from tui_meta.cli.launch import Experiment
from tui_meta.cli.settings import Configuration, configure, every_table, read_settings
from tui_meta.console import Exit

LINE_CELLS = 96


def show_config(given: Mapping[str, Any], config: Path | None) -> int:
    """Print the settings that the flags ``given`` and the file ``config`` result in."""
    file = read_settings(config)
    text = as_toml(configure(given, file, config), every_table(given, file))
    # A TOML file is in UTF-8, whatever the terminal.
    sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
    return Exit.DONE


def as_toml(settings: Configuration, tables: Mapping[str, Algorithm | TaskFamily]) -> str:
    """Return a file with every setting and its help text, which ``--config`` reads back.

    ``tables`` are the algorithms and the task families, used or not.
    Settings without a value are comments: TOML has no word for that.
    """
    shared, experiment = settings.shared, settings.experiment
    lines = ["# Settings of tui-meta, for tui-meta --config FILE.", ""]
    lines += _table(settings.launch, ("out", "name", "pace") if "runs" in experiment else ())
    lines += _experiment(experiment)
    lines += _table(shared, RUN_SETTINGS)
    lines += _table(settings.saving)
    for name in TABLES:
        table = tables[name] if name in tables else getattr(shared, name)
        lines += [f"[{name}]", *_table(table)]
    if "sweep" in experiment:
        lines += ["[sweep]", *_assignments(experiment["sweep"]), ""]
    for run in experiment.get("runs", ()):
        lines += ["[[runs]]", *_assignments(run), ""]
    return "\n".join(lines)


def _experiment(experiment: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {help_texts(Experiment)['seeds']}"
    yield f"seeds = {_value(experiment['seeds'])}" if "seeds" in experiment else "# seeds ="
    yield ""


def _assignments(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield a line for each value of nested tables, with dotted keys."""
    for key, value in table.items():
        name = prefix + (key if re.fullmatch(r"[\w-]+", key, re.ASCII) else _value(key))
        if isinstance(value, dict):
            yield from _assignments(value, f"{name}.")
        else:
            yield f"{name} = {_value(value)}"


def _table(settings: Any, names: Sequence[str] = ()) -> Iterator[str]:
    described = help_texts(type(settings))
    for name in names or [field.name for field in dataclasses.fields(settings)]:
        if name in NOT_SET:
            continue
        value, texts = getattr(settings, name), described
        if isinstance(value, TaskFamily):
            value, texts = value.name, help_texts(Experiment)
        if name in texts:  # a setting of the user's own may have none
            yield f"# {texts[name]}"
        yield f"# {name} =" if value is None else f"{name} = {_value(value)}"
        yield ""


def _value(value: object) -> str:
    if isinstance(value, str):
        return f'"{"".join(map(_escaped, value))}"'
    if isinstance(value, (list, tuple)):
        lines = textwrap.wrap(", ".join(map(_value, value)), LINE_CELLS, break_on_hyphens=False)
        return f"[{lines[0]}]" if len(lines) == 1 else "\n  ".join(["[", *lines]) + "\n]"
    return repr(value)


def _escaped(char: str) -> str:
    if char.isprintable() and char not in '"\\':
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 2**16 else f"\\U{ord(char):08x}"
