"""The visible effect of each key of the dialogs and of the filter."""

from __future__ import annotations

from dataclasses import dataclass

from textual.widget import Widget

from tests.support.terminals.keyboard import Case, hides, reads, shows
from tui_meta.screens.dialogs.ask import Ask
from tui_meta.screens.dialogs.help import Help
from tui_meta.screens.dialogs.info import Info
from tui_meta.screens.dialogs.palette import Palette
from tui_meta.screens.dialogs.type_in import TypeIn
from tui_meta.screens.filtered_page import FilterInput


@dataclass(frozen=True)
class Modal:
    """The widget that binds keys, the page below it, the key that opens it, its text, its cases."""

    widget: type[Widget]
    page: str
    key: str
    sign: str
    cases: dict[str, Case]


_POINTER, _CHOICE = "^.*> (d|s|x|esc) ", "reversed (.*)"
_POINTED, _CHOSEN, _FIRST = "> (d|s|x|esc) ", "reversed .", "reversed space"
_QUESTION, _PALETTE, _HELP, _TYPING = (
    "save and stop",
    "type to search",
    "esc: back",
    "enter: apply",
)

QUESTION = {
    "choose -1": Case(reads(_POINTER), there=_POINTED),
    "choose 1": Case(reads(_POINTER), there=_POINTED),
    # The key has no effect: the question stays and handles the next key.
    "nothing": Case(reads(_POINTER), there=_POINTED, then="down"),
    "answer": Case(hides(_QUESTION), there="> esc "),
    "leave": Case(hides(_QUESTION), first="q", there=_QUESTION),
}

_NAMED = ["r", "u", "n", "s"]
_RUNS = f"ctrl+u {' '.join(_NAMED)}"

PALETTE = {
    "choose -1": Case(reads(_CHOICE), there=_CHOSEN),
    "choose 1": Case(reads(_CHOICE), there=_CHOSEN),
    "choose 10": Case(reads(_CHOICE), first="ctrl+u", there=_FIRST),
    "choose -10": Case(shows(_FIRST), there="reversed (?!space)"),
    "delete_left": Case(shows(": run_"), first=_RUNS, there=": runs_"),
    "clear": Case(shows(": _"), first=_RUNS, there=": runs_"),
    "answer": Case(shows("·  Runs"), first=_RUNS, there=": runs_", after="w"),
    "leave": Case(hides(_PALETTE), first="colon", there=_PALETTE),
}

HELP = {"dismiss": Case(hides(_HELP), there=_HELP, after="question_mark")}
INFO = {"dismiss": Case(hides(_HELP), there=_HELP, after="i")}

TYPE_IN = {
    "nothing": Case(shows("┃ 7 "), there=_TYPING, then="ctrl+u 7", after="backspace"),
    "leave": Case(hides(_TYPING), there=_TYPING),
}

_AB = "right right right ctrl+u a b"

FILTER = {
    "cursor_left": Case(shows("filter / ?azb"), first=_AB, there="filter / ?ab", then="z"),
    "cursor_right": Case(
        shows("filter / ?azb"), first=f"{_AB} left left", there="filter / ?ab", then="z"
    ),
    "delete_left": Case(shows("filter / ?a  "), first=_AB, there="filter / ?ab"),
    "delete_right": Case(shows("filter / ?a  "), first=f"{_AB} left", there="filter / ?ab"),
    "delete_left_all": Case(hides("filter / ?ab"), first=_AB, there="filter / ?ab"),
    "submit": Case(hides("filter /"), first=_AB, there="filter / ?ab"),
}

MODALS = {
    "question": Modal(Ask, "watch", "q", _QUESTION, QUESTION),
    "palette": Modal(Palette, "watch", "colon", _PALETTE, PALETTE),
    "help": Modal(Help, "watch", "question_mark", _HELP, HELP),
    "info": Modal(Info, "watch", "i", _HELP, INFO),
    "type-in": Modal(TypeIn, "lab", "enter", _TYPING, TYPE_IN),
    "filter": Modal(FilterInput, "runs", "slash", "filter /", FILTER),
}
