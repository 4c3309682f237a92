"""The footer: the keys that apply now, as many as fit."""

from collections.abc import Sequence, Set
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from core.events import RunState, Snapshot
from tui_meta.views.keys.table import APP_KEYS, NO_KEYMAP, PAGE_KEYS, ROOMY, Key, Keymap, mapped
from tui_meta.views.keys.watch import COMMAND_KEYS, EVALUATION_KEYS, GROUPS
from tui_meta.views.text import Line, Span, cells


def page_footer(keys: Sequence[Key], width: int, keymap: Keymap = NO_KEYMAP) -> Line:
    """Return the footer of a page; its own escape key replaces the usual one."""
    own = {key.name for key in keys}
    rest = [key for key in (*PAGE_KEYS, *APP_KEYS) if key.name not in own]
    shown = [key for key in (*keys, *rest) if key.action != "detach"]
    return keys_line(shown, width, keymap)


def keys_line(keys: Sequence[Key], width: int, keymap: Keymap = NO_KEYMAP) -> Line:
    """Return a footer of exactly these keys."""
    shown = [(key, key.label) for key in keys if key.rank]
    return _spans(_fitting(_mapped(shown, keymap), width))


class Situation(Struct, frozen=True, dict=True):
    """The facts that decide which keys apply.

    Keys act on ``runs``; ``focused`` names the run, or the group, if they are not all; ``opens``:
    that is a group to be opened. ``enlarged``: a panel fills
    the screen; ``back``: escape has something to close; ``detachable``: the runs outlive this
    client, which may be ``read_only``; ``frozen``: the view does not follow the runs.
    """

    runs: Sequence[Snapshot]
    focused: str = ""
    opens: bool = False
    enlarged: bool = False
    back: bool = False
    detachable: bool = False
    read_only: bool = False
    frozen: bool = False
    keymap: Keymap = field(default_factory=dict)

    @cached_property
    def states(self) -> Set[RunState]:
        """The states of the runs."""
        return {one.state for one in self.runs}


def footer(situation: Situation, width: int) -> Line:
    """Return the footer of the watch screen; keys of the highest rank are dropped first."""
    shown = []
    for _, keys in GROUPS:
        for key in keys:
            label = _label(key, situation)
            # Without room for a title, only the footer distinguishes frozen from paused.
            unfreezes = key.action == "freeze" and situation.frozen
            if key.rank and label:
                shown.append((replace(key, rank=1) if unfreezes else key, label))
    needed = [(key, label) for key, label in shown if key.rank < ROOMY]
    if cells(_spans(needed)) > width and not situation.read_only:
        shown = _with_evaluations_joined(shown)
    return _spans(_fitting(_mapped(shown, situation.keymap), width))


def _mapped(shown: list[tuple[Key, str]], keymap: Keymap) -> list[tuple[Key, str]]:
    return [(mapped(key, keymap), label) for key, label in shown]


def _fitting(shown: list[tuple[Key, str]], width: int) -> list[tuple[Key, str]]:
    """Drop the highest ranks until the rest fits; of the last rank, drop keys from its start."""
    while shown and cells(_spans(shown)) > width:
        last = max(key.rank for key, _ in shown)
        kept = [(key, label) for key, label in shown if key.rank != last]
        shown = kept or shown[1:]
    return shown


def _with_evaluations_joined(shown: list[tuple[Key, str]]) -> list[tuple[Key, str]]:
    """Return ``shown`` with the keys that evaluate under one label."""
    *others, last = EVALUATION_KEYS
    rank = others[0].rank
    joined = {key: (replace(key, joined=True, rank=rank), "") for key in others}
    joined[last] = (replace(last, rank=rank), others[0].label)
    return [joined.get(key, (key, label)) for key, label in shown]


def _label(key: Key, situation: Situation) -> str:
    """Return the label for what the key would do now; empty if it would do nothing."""
    states = situation.states
    run = f" {situation.focused}" if situation.focused else ""
    if situation.read_only and key in COMMAND_KEYS:
        return ""
    match key.action:
        case "pause" if states & {"training", "loading"}:
            return f"pause{run}"
        case "pause" if "paused" in states:
            return f"resume{run}"
        case "step" if "paused" in states:
            return "step"
        case "continue" if "finished" in states:
            return "continue"
        case "pause" | "step" | "continue":
            return ""
        case "pace(9)" if all(one.pace is None for one in situation.runs):
            return ""
        case "back":
            return "back" if situation.back else ""
        case "enlarge" if situation.opens:
            return "open"
        case "enlarge" if situation.enlarged:
            return ""
        case "freeze" if situation.frozen:
            return "frozen"
        case "detach" if not situation.detachable:
            return ""
    return key.label


def _spans(shown: Sequence[tuple[Key, str]]) -> Line:
    spans: list[Span] = []
    for key, label in shown:
        said = " " if key.joined else f" {label}  "
        spans += [Span(key.shown, "bold", key.action), Span(said, "dim", key.action)]
    return (*spans[:-1], Span(spans[-1].text.rstrip(), "dim", spans[-1].action)) if spans else ()
