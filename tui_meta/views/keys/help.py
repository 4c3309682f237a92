"""The help: every bound key and its action."""

from collections.abc import Mapping, Sequence

from tui_meta.views.keys.table import Groups
from tui_meta.views.keys.watch import GROUPS
from tui_meta.views.text import Line, Span, line, wrap

_KEY_CELLS = 12
"""Width of the column of keys; a longer list of keys gets a line of its own."""

_NOTES = (  # of the watch screen
    "A run has the focus when its line at the top is highlighted; {next} and the arrows move the "
    "focus. Without one, {pause}, {step}, {save}, {continue}, {slower} and {pace} act on all runs.",
    "Validation is the mean loss on a fixed set of tasks, the same for all runs, within its 95 % "
    "band; the dotted line is the network without training. {info} has all definitions.",
    "When all runs have ended, they and the untrained network are compared on 1,000 other tasks; "
    "the result stays above the messages.",
    "After a run's training loss: ↓ falling, = level, ↑ rising, from the newest tenth of its curve "
    "and the tenth before (= within noise).",
    "The waves show the latest task common to all running runs. After {evaluate}, {standard}, "
    "{half range} or {per step} they show your evaluation until {back}.",
    "Letters at the lower edge of a chart: e evaluated on demand, s saved manually, p paused.",
    "Curves differ in colour and dash pattern; the same sample precedes each run's name.",
)


def help_lines(bound: Mapping[str, str], width: int, groups: Groups = GROUPS) -> list[Line]:
    """Return the help in lines of at most ``width`` cells.

    ``bound`` has the help of each bound action, by its name. Actions of the screen's ``groups``
    come first, with all of their keys; any others follow.
    """
    rest = dict(bound)
    shown_groups = [
        (title, {" ".join(key.all_shown): rest.pop(key.name) for key in keys if key.name in rest})
        for title, keys in groups
    ]
    shown_groups.append(("More", rest))
    lines: list[Line] = []
    for title, named in shown_groups:
        lines += _group(title, named, width)
    shown = {key.name: key.shown for _, keys in groups for key in keys}
    for note in _NOTES if "pause" in shown else ():
        lines += [line(row) for row in wrap(note.format_map(shown), width)]
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
