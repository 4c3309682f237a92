"""Reading ``--config``: a TOML file as plain values."""

from pathlib import Path
from typing import Any

from core.errors import ConfigFileError

LARGEST_FILE = 2**17
"""Bytes; far more than all settings need."""

LONGEST_LINE = 2_000
"""Characters; the parser's work grows with the square of the parts of a dotted key."""


def read_config_file(path: Path) -> dict[str, Any]:
    """Read the TOML file at ``path``; raises ``ConfigFileError``."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise ConfigFileError(path, "no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or error
        raise ConfigFileError(path, f"cannot be read ({reason})") from error
    if len(content) > LARGEST_FILE:
        raise ConfigFileError(path, "too large for a configuration file")
    try:
        text = content.decode("utf-8-sig")  # editors may put a byte order mark in front
    except UnicodeDecodeError as error:
        raise ConfigFileError(path, "not valid UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST_LINE:
            problem = f"line {number:,} is longer than {LONGEST_LINE:,} characters"
            raise ConfigFileError(path, problem)
    import tomllib  # late: most starts read no file

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigFileError(path, f"not valid TOML ({error})") from error
