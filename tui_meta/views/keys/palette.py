"""The command palette: search all screens, keys and other commands by name and by synonyms."""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tui_meta.views.keys.pages import PAGE_TABLES
from tui_meta.views.keys.table import NO_KEYMAP, Groups, Key, Keymap, mapped
from tui_meta.views.keys.watch import EVALUATION_KEYS, RUN_KEYS, VIEW_KEYS
from tui_meta.views.text import Line, Span, clip, line, wrap

_KEY_CELLS = 11

SYNONYMS: Mapping[str, str] = {
    "add run": "begin new start train another plus seed settings algorithm",
    "battery open": "settings lr learning rate shots points protocol configuration",
    "battery protocol": "finn settings shots",
    "battery start": "compare evaluate test validate",
    "continue": "resume more longer extend",
    "copy": "export clipboard tsv csv yank",
    "cursor": "read values",
    "detach": "leave background exit quit",
    "evaluate": "test",
    "export": "csv save download tensorboard json losses",
    "freeze": "still hold",
    "geometry": "vectors gradients angles pca",
    "help": "explain concepts manual documentation keys shortcuts",
    "info": "settings lr learning rate configuration parameters hyperparameters budget seed",
    "lab change": "settings lr learning rate steps amplitude phase noise",
    "lab type": "settings lr learning rate steps amplitude phase noise",
    "messages": "log history errors",
    "full speed": "pace fast unlimited",
    "pace": "speed fast",
    "pause": "stop halt resume go",
    "per step": "compare adaptation",
    "picture": "export screenshot image svg png csv print figure save",
    "preferences": "settings options configuration keys theme fps mouse",
    "quit": "exit leave stop end close save",
    "restart": "again new runs seed",
    "runs": "open load list history folder",
    "runs compare": "overlay plot curves",
    "runs resume": "continue load restore",
    "save": "checkpoint write store",
    "scale": "log linear y axis",
    "slower": "speed slow",
    "smooth": "average smoothing",
    "step": "iteration next single",
    "sweep": "experiment grid groups seeds settings table results best",
    "sweep chart": "heat map parallel curves plot",
    "sweep folder": "open load watch other",
    "time": "checkpoints past history",
    "watch": "home main dashboard curves",
    "window": "zoom range",
    "x axis": "budget tasks points gradients seconds",
}
"""Other words for actions, by their names."""

ALL_KEYS: Mapping[str, Sequence[Key]] = {
    "watch": RUN_KEYS + EVALUATION_KEYS + VIEW_KEYS,
    **PAGE_TABLES,
}
"""The own keys of every screen."""

NOTHING = "no matching command; try a screen, or: compare, export, settings, theme, quit"

_NEEDS_A_PLACE = re.compile(
    r"(?:axis|back|change_run|choose|choose_next|compare|delete|enlarge|focus_panel|go_to_end|grab|loss_scale|mark"
    r"|move|open|other_chart|other_curves|other_path|page|place|resume|scroll|scroll_table|select"
    r"|source|steer|travel|turn)\b"
)
"""Actions on what is selected on their screen: from another one, the screen is only opened."""


class PaletteEntry(Struct, frozen=True):
    """A command: its key as ``shown``, its ``name``, its help (``does``), and other ``words``.

    ``screen`` is opened first; empty for commands of the screen in front and of the program.
    Without an ``action``, it is only opened.
    """

    shown: str
    name: str
    does: str
    action: str
    screen: str = ""
    words: str = ""

    def rank(self, words: Sequence[str]) -> int | None:
        """Return how well ``words`` fit, 0 is best; None if some of them do not occur."""
        name, text = self.name.lower(), f"{self.shown} {self.name} {self.does} {self.words}".lower()
        if " ".join(words) == name:
            return 0
        if all(_begins(word, name) for word in words):
            return 1 if name.startswith(words[0]) else 2
        if all(_begins(word, f"{name} {self.words}") for word in words):
            return 3
        if all(_begins(word, text) for word in words):
            return 4
        return 5 if all(word in text for word in words) else None


def _begins(word: str, text: str) -> bool:
    """Return True if a word of ``text`` begins so; what are not letters may be anywhere."""
    return re.search(rf"(?<!\w){re.escape(word)}", text) is not None


def palette_entries(
    groups: Groups, front: str = "", keymap: Keymap = NO_KEYMAP
) -> list[PaletteEntry]:
    """Return all commands: the keys of a screen as in its help, then those of other screens.

    ``front`` is the name of the screen that ``groups`` belong to.
    """
    own = [_entry(key) for _, keys in groups for key in keys if key.action != "palette"]
    elsewhere = [
        _entry(mapped(key, keymap), screen)
        for screen, keys in ALL_KEYS.items()
        if screen != front
        for key in keys
        if key.action != "back"
    ]
    return own + elsewhere


def command(name: str, does: str, action: str) -> PaletteEntry:
    """Return a command of the program that has no key."""
    return PaletteEntry("", name, does, action, words=SYNONYMS.get(name, ""))


def _entry(key: Key, screen: str = "") -> PaletteEntry:
    name = f"watch {key.name}" if screen == "watch" else key.name if screen else key.label
    action = "" if screen and _NEEDS_A_PLACE.match(key.action) else key.action
    return PaletteEntry(key.shown, name, key.help, action, screen, SYNONYMS.get(key.name, ""))


def found(all_entries: Sequence[PaletteEntry], typed: str) -> list[PaletteEntry]:
    """Return the entries that fit what is ``typed``, the best first.

    Words fit where a word begins; only if none does, within words.
    """
    words = typed.lower().split()
    if not words:
        return list(all_entries)
    ranks = [(rank, entry) for entry in all_entries if (rank := entry.rank(words)) is not None]
    least = min((rank for rank, _ in ranks), default=0)
    fitting = [(rank, entry) for rank, entry in ranks if rank < 5 or least == 5]
    return [entry for _, entry in sorted(fitting, key=lambda one: one[0])]


def palette_lines(
    shown: Sequence[PaletteEntry], chosen: int, typed: str, size: tuple[int, int]
) -> list[Line]:
    """Return the typed text and as many entries as fit into ``size`` (cells)."""
    width, height = size
    rows = max(1, height - 1)
    first = max(0, min(chosen - rows // 2, len(shown) - rows))
    visible = shown[first : first + rows]
    name_cells = max((len(entry.name) for entry in visible), default=0) + 1
    lines = [line(Span(": ", "bold"), Span(clip(typed, max(1, width - 3))), Span("_", "dim"))]
    for place, entry in enumerate(visible, first):
        style = "reverse" if place == chosen else ""
        left = f"{entry.shown:<{_KEY_CELLS}}{entry.name:<{name_cells}}"
        does = clip(entry.does, max(0, width - len(left)))
        action = f"pick({place})"
        lines.append(line(Span(left, f"bold {style}".strip(), action), Span(does, style, action)))
    if not shown:
        lines += [line(Span(row, "dim")) for row in wrap(NOTHING, width)]
    return lines
