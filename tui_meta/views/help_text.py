"""The help: every key that is bound, and what it does."""

from collections.abc import Mapping, Sequence

from tui_meta.views.keys import GROUPS, Key
from tui_meta.views.text import Line, Span, line, wrap

_KEY_CELLS = 11

_NOTES = (
    "A run has the focus when its line at the top is marked; tab and the arrows move it. "
    "Otherwise space, n, s, c, < and > act on all runs.",
    "The waves show the newest task that all training runs have met. After e, 1, 2 or 3 they keep "
    "yours until escape.",
    "Letters at a chart's lower edge: e where a run was evaluated on demand, s where it was saved "
    "by hand, p where it was paused.",
    "In the charts: two curves differ in marker as in colour, the same as before each run's name.",
)


Groups = Sequence[tuple[str, Sequence[Key]]]


def help_lines(bound: Mapping[str, str], width: int, groups: Groups = GROUPS) -> list[Line]:
    """Lines of at most ``width`` cells. ``bound`` has what each bound key does, by shown name.

    Keys stand in the ``groups`` of the screen; any others follow.
    """
    rest = dict(bound)
    lines: list[Line] = []
    for title, keys in groups:
        named = {key.shown: rest.pop(key.shown) for key in keys if key.shown in rest}
        lines += _group(title, named, width)
    lines += _group("More", rest, width)
    for note in _NOTES if groups is GROUPS else ():
        lines += [line(row) for row in wrap(note, width)]
    return lines


def _group(title: str, keys: Mapping[str, str], width: int) -> Sequence[Line]:
    if not keys:
        return ()
    lines = [line(Span(title, "bold underline"))]
    for key, does in keys.items():
        for number, row in enumerate(wrap(does, max(10, width - _KEY_CELLS))):
            name = key if number == 0 else ""
            lines.append(line(Span(f"{name:<{_KEY_CELLS}}", "bold"), row))
    return [*lines, ()]
