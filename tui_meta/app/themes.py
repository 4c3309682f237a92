"""Themes: values for the sixteen named colours in which the dashboard draws all but heat maps.

By default these are the colours of the terminal.
"""

from collections.abc import Mapping

from msgspec import Struct
from rich.terminal_theme import TerminalTheme


class Palette(Struct, frozen=True):
    """Background, text and the sixteen colours in the terminal's order, as six hex digits."""

    background: str
    text: str
    normal: str
    bright: str
    dark: bool = True

    @property
    def ansi(self) -> TerminalTheme:
        """The palette as Textual takes it."""
        normal, bright = (list(map(_rgb, row.split())) for row in (self.normal, self.bright))
        return TerminalTheme(_rgb(self.background), _rgb(self.text), normal, bright)


# Eight colours each: black, red, green, yellow, blue, magenta, cyan, white.
PALETTES: Mapping[str, Palette] = {
    "dark": Palette(
        "16181d",
        "d8dbe2",
        "16181d ff6b6b 7fc97f e5b454 6ea8fe d78fe6 56c8d8 d8dbe2",
        "7d8494 ff8f8f a3dfa3 ffd479 8fbcff e8aef2 7fe0ee ffffff",
    ),
    "light": Palette(
        "fafafa",
        "24272e",
        "24272e b3261e 1b6e2c 8a5a00 1f5fbf 8a2f9b 006b7a 5b616e",
        "767c8a c62f26 1f7a33 996300 1f5fbf 97339f 00717f 24272e",
        dark=False,
    ),
    "high-contrast": Palette(
        "000000",
        "ffffff",
        "000000 ff9090 80ff80 ffff00 80c0ff ff9cff 00ffff ffffff",
        "c8c8c8 ffb0b0 a0ffa0 ffff80 a0d0ff ffb8ff 80ffff ffffff",
    ),
    # Okabe and Ito's eight colours, distinguishable with every kind of colour vision.
    "colour-blind": Palette(
        "16181d",
        "e6e6e6",
        "16181d d55e00 009e73 e69f00 3d9bd9 cc79a7 56b4e9 e6e6e6",
        "8c8c8c e8743b 2fbf94 f0e442 56b4e9 e094bf 7cc8f2 ffffff",
    ),
}
"""Themes by name, except ``terminal``, which has no colours of its own."""


def _rgb(digits: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue
