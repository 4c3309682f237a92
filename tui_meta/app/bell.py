"""The sequences that call a user who looks at another window."""

from collections.abc import Mapping

from tui_meta.views.tabular import without_clipboard
from tui_meta.views.text import clip

_MOST_CELLS = 200


def bell_sequences(message: str, environment: Mapping[str, str]) -> str:
    """Return the bell, and where terminals may know them the notifications of OSC 9 and 777.

    tmux hands what is wrapped through to the terminal around it, if ``allow-passthrough`` is on.
    """
    bell = "\x07"
    if without_clipboard(environment) or environment.get("TERM", "dumb") == "dumb":
        return bell
    said = clip(message, _MOST_CELLS)
    sequences = [f"\x1b]9;tui-meta: {said}{bell}", f"\x1b]777;notify;tui-meta;{said}{bell}"]
    if "TMUX" in environment:
        sequences = [f"\x1bPtmux;\x1b{one}\x1b\\" for one in sequences]
    return "".join((bell, *sequences))
