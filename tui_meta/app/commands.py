"""The command palette of the application, and the commands that have no key."""

from __future__ import annotations

import os
from functools import partial

from textual.app import App

from core.errors import reason
from core.session.api import Session
from core.user_folders import user_folder
from tui_meta.app.preferences import THEMES
from tui_meta.app.themes import PALETTES
from tui_meta.screens.base import DashboardScreen
from tui_meta.screens.copies import from_home
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.palette import PaletteEntry, command, palette_entries
from tui_meta.views.keys.table import Groups, mapped_groups
from tui_meta.views.shell import shell_command

COMMANDS = (
    *(
        command(
            f"theme {name}",
            "Colours of the terminal" if name == "terminal" else "Colours of the program, at once",
            f"theme('{name}')",
        )
        for name in THEMES
    ),
    command("export", "Show the command that writes losses and settings as CSV", "export"),
    command("preferences", "Show where theme, keys and other preferences are kept", "preferences"),
)
"""Commands that only the palette has."""


class PaletteCommands(App[None], inherit_bindings=False):
    """Opens the palette and runs what is chosen in it."""

    session: Session
    dashboard: DashboardState

    @property
    def front(self) -> DashboardScreen:
        """The screen in front, or below a dialog."""
        return next(one for one in self.screen_stack[::-1] if isinstance(one, DashboardScreen))

    @property
    def groups(self) -> Groups:
        """The key groups of the screen in front."""
        return mapped_groups(self.front.key_groups, self.dashboard.keymap)

    def action_visit(self, name: str) -> None:
        """Show the screen ``name``."""
        raise NotImplementedError

    def action_redraw(self) -> None:
        """Redraw the screen, whatever the terminal shows."""
        raise NotImplementedError

    def action_palette(self) -> None:
        """Open the command palette."""
        from tui_meta.screens.dialogs.palette import Palette  # late: the first frame needs none

        if isinstance(self.screen, DashboardScreen):
            front = self.front.NAME.lower().replace(" ", "-")
            entries = palette_entries(self.groups, front, self.dashboard.keymap)
            self.push_screen(Palette([*entries, *COMMANDS]), self._run)

    async def _run(self, entry: PaletteEntry | None) -> None:
        """Run a command on its screen: the one in front, or another that is opened first."""
        if entry is None:
            return
        if entry.screen:
            before = self.screen
            self.action_visit(entry.screen)
            screen = self.screen
            if entry.action and screen is not before:
                # A screen that is opened for the first time has no widgets yet.
                screen.call_after_refresh(partial(self.run_action, entry.action, screen))
            return
        if entry in COMMANDS:
            await self.run_action(entry.action, self)
            return
        for node, binding, _, _ in self.screen.active_bindings.values():
            if binding.action == entry.action:
                await self.run_action(entry.action, node)
                return

    def action_theme(self, name: str) -> None:
        """Switch to another theme until the program ends."""
        if "NO_COLOR" in os.environ:
            self.front.show_result("NO_COLOR is set, so no theme has colours")
            return
        colors = PALETTES.get(name)
        self.ansi_color = colors is None
        if colors:
            self.ansi_theme_dark = self.ansi_theme_light = colors.ansi
        self.theme = "ansi-dark" if colors is None or colors.dark else "ansi-light"
        self.action_redraw()
        self.front.show_result(f'theme {name}; to keep it: theme = "{name}" in {_preferences()}')

    def action_preferences(self) -> None:
        """Say where preferences are kept."""
        self.front.show_result(
            f"theme, fps, mouse, ascii and [keys] are read from {_preferences()}"
        )

    def action_export(self) -> None:
        """Show the command that exports the runs."""
        folders = self.session.folders().values()
        self.front.show_result(f"export with: {shell_command('tui-meta', 'export', *folders)}")


def _preferences() -> str:
    """Return the file of the user's preferences."""
    try:
        return from_home(user_folder("config") / "config.toml")
    except OSError as error:
        return f"config.toml ({reason(error)})"
