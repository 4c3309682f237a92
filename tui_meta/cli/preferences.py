"""Preferences as flags and as a file: flags override ``config.toml``, which is only ever read.

The file is in ``~/.config/tui-meta``, or under ``$XDG_CONFIG_HOME``.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, TypedDict

from cyclopts import Group

from core.errors import ConfigError, ConfigFileError, LabError, reason
from core.user_folders import user_folder
from core.validation import decode
from tui_meta.app.preferences import Preferences
from tui_meta.cli.config_file import read_config_file
from tui_meta.cli.settings import flags_of
from tui_meta.console import needs_ascii, print_note

DASHBOARD = Group("Dashboard", sort_key=1.7)
"""The group of the flags of the dashboard."""


def dashboard_flags() -> type:
    """Return a ``TypedDict`` with each preference that is a flag; unset ones are left out."""
    flags = flags_of(Preferences, "", DASHBOARD, leave_out=("keys",), negatable=True)
    return TypedDict("DashboardFlags", flags, total=False)  # type: ignore[no-any-return,operator]


def preferences(given: Mapping[str, Any]) -> Preferences:
    """Return the flags ``given`` over the file over the defaults.

    A file with an error is ignored, with a line on standard error. Raises
    ``ConfigError`` for a flag.
    """
    preferred = _of_file()
    try:
        preferred = dataclasses.replace(preferred, **given)
    except ConfigError as error:
        raise ConfigError(f"--{error.field}", error.value, error.requirement) from error
    if preferred.ascii is None:
        preferred = dataclasses.replace(preferred, ascii=needs_ascii(os.environ))
    return preferred


def _of_file() -> Preferences:
    # Imported late: --help needs no table of keys.
    from tui_meta.views.keys.keymap import check_keymap, with_current_names

    try:
        path = user_folder("config") / "config.toml"
    except OSError:
        return Preferences()
    try:
        if not path.exists():
            return Preferences()
        preferred = decode(Preferences, read_config_file(path), "")
        preferred = dataclasses.replace(preferred, keys=with_current_names(preferred.keys))
        check_keymap(preferred.keys)
    except ConfigFileError as error:
        print_note(f"{error}; using defaults")
    except (LabError, OSError) as error:
        why = reason(error) if isinstance(error, OSError) else error
        print_note(f"{path}: {why}; using defaults")
    else:
        return preferred
    return Preferences()
