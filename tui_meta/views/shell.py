"""Commands that users are given: pasted into a shell, they do what was meant."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from tui_meta.views.messages.describe import display_path


def shell_command(*words: str | Path) -> str:
    """Return ``words`` as a line for a shell; a path is never taken for a flag or the home."""
    return " ".join(map(_quoted, words))


def resume_hint(folders: Iterable[str | Path], purpose: str = "resume") -> str:
    """Return advice to ``resume`` or ``evaluate`` runs, as a command."""
    command = "eval" if purpose == "evaluate" else purpose
    return f"{purpose} with: {shell_command('tui-meta', command, *map(Path, folders))}"


def _quoted(word: str | Path) -> str:
    text = display_path(str(word)) if isinstance(word, Path) else word
    if isinstance(word, Path) and text.startswith(("-", "~")):
        text = f"./{text}"
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(map(_escaped, text))
    return f"$'{escaped}'"


def _escaped(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    if char.isprintable():
        return char
    # A byte that is not UTF-8, or half a character, which no file name contains.
    errors = "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass"
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", errors))
