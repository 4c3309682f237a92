"""Preferences of the dashboard."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from core import validation
from core.errors import ConfigError
from core.settings import setting

ThemeName = Literal["terminal", "dark", "light", "high-contrast", "colour-blind"]
THEMES: tuple[str, ...] = get_args(ThemeName)

_FASTEST = 60.0


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """Look and behaviour of the dashboard."""

    theme: ThemeName = setting(
        "terminal", help="Color theme; terminal uses the terminal's own colors"
    )
    fps: float | None = setting(
        None, help="Max repaints per second (default: adapts to the connection)"
    )
    mouse: bool = setting(True, help="Mouse input (off: use the terminal's own text selection)")
    ascii: bool | None = setting(
        None, help="ASCII characters only (default: if the locale is not UTF-8)"
    )
    bell: bool = setting(
        True, help="Bell when a run diverges or fails, and when all runs have ended"
    )
    keys: dict[str, str] = field(default_factory=dict)
    """Keys of actions that are remapped, as ``freeze = "Z"``."""
    problems: tuple[str, ...] = field(default=(), compare=False)
    """Why parts of the file do not apply; not a setting."""

    def __post_init__(self) -> None:
        if self.fps is not None and not 0.1 <= self.fps <= _FASTEST:
            raise ConfigError("fps", self.fps, f"must be a number from 0.1 to {_FASTEST:g}")
        validation.one_of("theme", self.theme, THEMES)
