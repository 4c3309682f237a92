"""Preferences from flags and a file: flags override ``config.toml``, which is only ever read.

The file is in ``~/.config/tui-meta``, or under ``$XDG_CONFIG_HOME``.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from core.errors import ConfigError, ConfigFileError, LabError, UnknownSettingError, reason
from core.user_folders import user_folder
from core.validation import decode, refuse_unknown, require_table
from tui_meta.app.preferences import Preferences
from tui_meta.cli.config_file import read_config_file
from tui_meta.console import needs_ascii, print_note

_SETTINGS = [one.name for one in dataclasses.fields(Preferences) if one.name != "problems"]


def preferences(given: Mapping[str, Any]) -> Preferences:
    """Return the flags ``given`` over the file over the defaults.

    What is wrong in the file is ignored, with a line on standard error that the dashboard repeats.
    Raises ``ConfigError`` for a flag.
    """
    preferred = _of_file()
    for problem in preferred.problems:
        print_note(problem)
    try:
        preferred = dataclasses.replace(preferred, **given)
    except ConfigError as error:
        raise ConfigError(f"--{error.field}", error.value, error.requirement) from error
    if preferred.ascii is None:
        preferred = dataclasses.replace(preferred, ascii=needs_ascii(os.environ))
    return preferred


def _of_file() -> Preferences:
    """Return what the file says, without the settings that are wrong and with their problems."""
    try:
        path = user_folder("config") / "config.toml"
        table = read_config_file(path) if path.exists() else {}
    except ConfigFileError as error:
        return Preferences(problems=(f"{error}; using defaults",))
    except OSError as error:
        # Without a home there is no file.
        problem = f"{error.filename}: {reason(error)}; using defaults"
        return Preferences(problems=(problem,) if error.filename else ())
    preferred = Preferences()
    problems: list[LabError] = []
    for name, value in table.items():
        try:
            if name == "keys":
                keys, wrong = _keymap(value)
                preferred = dataclasses.replace(preferred, keys=keys)
                problems += wrong
            else:
                refuse_unknown([name], _SETTINGS, "")
                one = decode(Preferences, {name: value}, "")
                preferred = dataclasses.replace(preferred, **{name: getattr(one, name)})
        except LabError as error:
            problems.append(error)
    described = tuple(f"{path}: {problem}; the rest applies" for problem in problems)
    return dataclasses.replace(preferred, problems=described)


def _keymap(plain: object) -> tuple[dict[str, str], list[LabError]]:
    """Return the key map in ``plain`` without the entries that are wrong, and their problems."""
    # Imported late: --help needs no table of keys.
    from tui_meta.views.keys.keymap import check_keymap, with_current_names

    keys: dict[str, str] = {}
    problems: list[LabError] = []
    for name, key in require_table(plain, "keys").items():
        try:
            keys |= with_current_names(decode(Preferences, {"keys": {name: key}}, "").keys)
        except LabError as error:
            problems.append(error)
    while True:
        try:
            check_keymap(keys)
            return keys, problems
        except UnknownSettingError as error:
            problems.append(error)
            wrong = [name for name in keys if name.startswith(error.key)]
        except ConfigError as error:
            problems.append(error)
            wrong = [error.field.removeprefix("keys.")]
        for name in wrong:
            del keys[name]
