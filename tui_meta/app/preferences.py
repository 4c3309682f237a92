"""How a person likes the dashboard."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from core import validation
from core.errors import ConfigError

ThemeName = Literal["terminal", "dark", "light", "high-contrast", "colour-blind"]
THEMES: tuple[str, ...] = get_args(ThemeName)

_FASTEST = 60.0


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """What the dashboard looks like and how it behaves, whatever it shows."""

    theme: ThemeName = "terminal"
    """Colours: the terminal's own, or others."""
    fps: float | None = None
    """Repaints a second, at most; without it, as many as the connection suits."""
    mouse: bool = True
    """Hear the mouse; without it, the terminal's own selection works."""
    ascii: bool | None = None
    """Show ASCII only; without it, where the locale is not UTF-8."""
    keys: dict[str, str] = field(default_factory=dict)
    """The key of each action that is to have another, as ``freeze = "Z"``."""

    def __post_init__(self) -> None:
        if self.fps is not None and not 0.1 <= self.fps <= _FASTEST:
            raise ConfigError("fps", self.fps, f"must be a number from 0.1 to {_FASTEST:g}")
        validation.one_of("theme", self.theme, THEMES)
