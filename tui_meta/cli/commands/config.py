"""``tui-meta config``: all settings as a configuration file."""

import dataclasses
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.algorithms.registry import ALGORITHMS
from core.settings import help_texts
from tui_meta.cli.config_file import read_config_file
from tui_meta.cli.settings import NOT_SET, RUN_NAMES, TABLES, Configuration, configure
from tui_meta.console import Exit

LINE_CELLS = 96


def show_config(given: Mapping[str, Any], config: Path | None) -> int:
    """Print the settings that the flags ``given`` and the file ``config`` result in."""
    file = read_config_file(config) if config else {}
    text = as_toml(configure(given, file, config))
    # A TOML file is in UTF-8, whatever the terminal.
    sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
    return Exit.DONE


def as_toml(settings: Configuration) -> str:
    """Return a file with every setting and its help text, which ``--config`` reads back.

    Settings without a value are comments: TOML has no word for that.
    """
    shared = settings.runs[0]
    lines = ["# Settings of tui-meta, for tui-meta --config FILE.", ""]
    lines += _table(settings.launch)
    lines += _table(shared, RUN_NAMES)
    lines += _table(settings.saving)
    for name in TABLES:
        table = settings.algorithms[name] if name in ALGORITHMS else getattr(shared, name)
        lines += [f"[{name}]", *_table(table)]
    return "\n".join(lines)


def _table(settings: Any, names: Sequence[str] = ()) -> Iterator[str]:
    described = help_texts(type(settings))
    for name in names or [field.name for field in dataclasses.fields(settings)]:
        if name in NOT_SET:
            continue
        value = getattr(settings, name)
        yield f"# {described.get(name, name)}"
        yield f"# {name} =" if value is None else f"{name} = {_value(value)}"
        yield ""


def _value(value: object) -> str:
    if isinstance(value, str):
        return f'"{"".join(map(_escaped, value))}"'
    if isinstance(value, tuple):
        lines = textwrap.wrap(", ".join(map(_value, value)), LINE_CELLS, break_on_hyphens=False)
        return f"[{lines[0]}]" if len(lines) == 1 else "\n  ".join(["[", *lines]) + "\n]"
    return repr(value)


def _escaped(char: str) -> str:
    if char.isprintable() and char not in '"\\':
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 2**16 else f"\\U{ord(char):08x}"
