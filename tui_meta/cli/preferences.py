"""Preferences as flags and as a file: flags override ``config.toml``, which is only ever read.

The file is in ``~/.config/tui-meta``, or under ``$XDG_CONFIG_HOME``.
"""

from __future__ import annotations

import codecs
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from cyclopts import Group
from platformdirs import user_config_path

from core.errors import ConfigError, ConfigFileError, LabError
from core.validation import decode
from tui_meta.app.preferences import Preferences
from tui_meta.cli.config_file import read_config_file
from tui_meta.cli.settings import flags_of
from tui_meta.console import print_note

FACE = Group("Dashboard", sort_key=1.7)
"""The group of the flags that are about the dashboard alone."""


def face_flags() -> type:
    """A ``TypedDict`` with each preference that is a flag; what is not given is not in it."""
    flags = flags_of(Preferences, "", FACE, leave_out=("keys",), negatable=True)
    return TypedDict("FaceFlags", flags, total=False)  # type: ignore[no-any-return,operator]


def preferences(given: Mapping[str, Any]) -> Preferences:
    """What holds: the flags ``given``, over the file, over the defaults.

    A file with an error is passed over, and one line on standard error says so. Raises
    ``ConfigError`` for a flag.
    """
    kept = _of_file(user_config_path("tui-meta", appauthor=False) / "config.toml")
    try:
        kept = dataclasses.replace(kept, **given)
    except ConfigError as error:
        raise ConfigError(f"--{error.field}", error.value, error.requirement) from error
    if kept.ascii is None:
        kept = dataclasses.replace(kept, ascii=not speaks_utf8(os.environ))
    return kept


def speaks_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the locale that these variables name is one of UTF-8; none at all counts as one."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "C.UTF-8")
    try:
        return codecs.lookup(locale.partition("@")[0].partition(".")[2]).name == "utf-8"
    except (LookupError, ValueError):  # ValueError: a null character
        return False


def _of_file(path: Path) -> Preferences:
    # Imported late: --help needs no table of keys.
    from tui_meta.views.keys.keymap import check_keymap

    try:
        if not path.exists():
            return Preferences()
        kept = decode(Preferences, read_config_file(path), "")
        check_keymap(kept.keys)
    except ConfigFileError as error:
        print_note(f"{error}; the defaults hold")
    except (LabError, OSError) as error:
        print_note(f"{path}: {error}; the defaults hold")
    else:
        return kept
    return Preferences()
