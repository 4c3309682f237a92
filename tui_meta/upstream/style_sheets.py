"""Style sheets that are parsed once.

Textual 8.2.8 parses all of them twice at each start, because the watcher of the theme is called
when nothing has changed yet; and it remembers 64, fewer than there are once a few screens were
open, so that each new kind of widget has all of them parsed. No upstream issue known.
"""

from textual.app import App
from textual.css.stylesheet import Stylesheet

MOST_SHEETS = 512
"""Bound on the sheets that are remembered, several for each kind of widget."""


class ParsedOnce(Stylesheet):
    """Style sheets, each parsed once for the values of the variables."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parse_cache.grow(MOST_SHEETS)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Set the variables of CSS; those that are the same change nothing."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Find the rules again; of a sheet that has been parsed they are known."""
        self.parse()


class WithParsedOnce(App[None], inherit_bindings=False):
    """An application whose style sheets are parsed once."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self.stylesheet = ParsedOnce(variables=self.get_css_variables())
