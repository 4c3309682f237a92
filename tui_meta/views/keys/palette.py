"""The command palette: search all screens and keys by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui_meta.views.keys.table import Groups
from tui_meta.views.text import Line, Span, clip, line

_KEY_CELLS = 11


@dataclass(frozen=True)
class PaletteEntry:
    """A key in the palette: its ``shown`` form, its ``name``, and its help (``does``)."""

    shown: str
    name: str
    does: str
    action: str

    def fits(self, words: Iterable[str]) -> bool:
        """Return True if every one of ``words`` occurs in it."""
        text = f"{self.shown} {self.name} {self.does}".lower()
        return all(word in text for word in words)


def palette_entries(groups: Groups) -> list[PaletteEntry]:
    """Return all keys of a screen, in the order of its help."""
    return [
        PaletteEntry(key.shown, key.label, key.help, key.action)
        for _, keys in groups
        for key in keys
        if key.action != "palette"
    ]


def found(all_entries: Sequence[PaletteEntry], typed: str) -> list[PaletteEntry]:
    """Return the entries with all ``typed`` words; entries whose name starts so come first."""
    words = typed.lower().split()
    fitting = [entry for entry in all_entries if entry.fits(words)]
    if not words:
        return fitting
    return sorted(fitting, key=lambda entry: not entry.name.lower().startswith(words[0]))


def palette_lines(
    shown: Sequence[PaletteEntry], chosen: int, typed: str, size: tuple[int, int]
) -> list[Line]:
    """Return the typed text and as many entries as fit into ``size`` (cells)."""
    width, height = size
    rows = max(1, height - 1)
    first = max(0, min(chosen - rows // 2, len(shown) - rows))
    name_cells = max((len(entry.name) for entry in shown), default=0) + 1
    lines = [line(Span(": ", "bold"), Span(clip(typed, max(1, width - 3))), Span("_", "dim"))]
    for place, entry in enumerate(shown[first : first + rows], first):
        style = "reverse" if place == chosen else ""
        left = f"{entry.shown:<{_KEY_CELLS}}{entry.name:<{name_cells}}"
        does = clip(entry.does, max(0, width - len(left)))
        action = f"pick({place})"
        lines.append(line(Span(left, f"bold {style}".strip(), action), Span(does, style, action)))
    if not shown:
        lines.append(line(Span("no matching command", "dim")))
    return lines
