"""Keeps the first unhandled exception of an application, and prints nothing itself."""

import asyncio
from typing import Any

from textual.app import App


class KeepFirstCrash(App[None], inherit_bindings=False):
    """Ends at the first unhandled exception and keeps it as ``crash``.

    Textual 8.2.8 prints tracebacks to the terminal, also for widgets that look for each other while
    the application closes. An exception in a task that is not awaited is not handled at all:
    asyncio prints it over the screen. https://github.com/Textualize/textual/issues/3489
    """

    crash: BaseException | None = None
    """The exception that ended the application."""

    def on_load(self) -> None:
        """Handle exceptions of tasks like those of widgets."""
        asyncio.get_running_loop().set_exception_handler(self._handle_loop_exception)

    def _handle_exception(self, error: Exception) -> None:
        if self._exit:
            return  # widgets close one by one, and the remaining ones may still look for the others
        self.crash = self.crash or error
        super()._handle_exception(error)

    def _handle_loop_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            self._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        self._exit_renderables.clear()
