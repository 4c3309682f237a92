"""The help: what the screen shows, then every bound key and its action."""

from collections.abc import Mapping, Sequence

from tui_meta.views.keys.concepts import HEADING, Concepts
from tui_meta.views.keys.table import Groups
from tui_meta.views.text import Line, Span, line, wrap

_KEY_CELLS = 12
"""Width of the column of keys and terms; a longer list of keys gets a line of its own."""


def help_lines(bound: Mapping[str, str], width: int, groups: Groups, about: Concepts) -> list[Line]:
    """Return the help in lines of at most ``width`` cells: what is seen, then the keys.

    ``bound`` has the help of each bound action, by its name. Actions of the screen's ``groups``
    come first, with all of their keys; any others follow.
    """
    rest = dict(bound)
    shown_groups: list[tuple[str, Mapping[str, str]]] = [
        (title, {" ".join(key.all_shown): rest.pop(key.name) for key in keys if key.name in rest})
        for title, keys in groups
    ]
    shown_groups = [(HEADING, about), *shown_groups, ("More", rest)]
    lines: list[Line] = []
    for title, named in shown_groups:
        lines += _group(title, named, width)
    return lines


def _group(title: str, named: Mapping[str, str], width: int) -> Sequence[Line]:
    if not named:
        return ()
    lines = [line(Span(title, "bold underline"))]
    for key, does in named.items():
        if len(key) >= _KEY_CELLS:
            lines.append(line(Span(key, "bold")))
            key = ""
        for number, row in enumerate(wrap(does, max(10, width - _KEY_CELLS))):
            name = key if number == 0 else ""
            lines.append(line(Span(f"{name:<{_KEY_CELLS}}", "bold"), row))
    return [*lines, ()]
