"""Faults of Textual's Linux driver, and access to the driver, which Textual keeps private."""

import os
from typing import Any

from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver


class ResumeSafely(LinuxDriver):
    """Enters the terminal once, however often the process is stopped and continued.

    Textual 8.2.8 enters the terminal a second time on a SIGCONT without a SIGTSTP before it, as
    after SIGSTOP: two threads read keys, and the raw mode is taken for the mode to restore. After a
    SIGCONT it draws nothing if the size is the same.
    https://github.com/Textualize/textual/issues/1582
    https://github.com/Textualize/textual/issues/6298
    """

    def _sigcont_application(self, *_: Any) -> None:
        if not self._must_signal_resume:
            self.suspend_application_mode()
            self._must_signal_resume = True
        super()._sigcont_application()
        self._app.call_later(self._app.refresh, layout=True)


class ReportInputErrors(LinuxDriver):
    """Treats an exception in the thread that reads keys as an exception of the application.

    Textual 8.2.8 prints it with ``App.panic``, which ends with exit code 0 and keeps no exception.
    No upstream issue known.
    """

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:
            self._app.call_later(self._app._handle_exception, error)


def driver_of(app: App[Any]) -> Driver | None:
    """Return the driver of a running application; Textual 8.2.8 has no public way to it."""
    return app._driver


def drop_stale_size() -> None:
    """Remove COLUMNS and LINES from the environment.

    Exported, as by a parent that loaded readline, they hide every resize from Textual 8.2.8, which
    reads the size with ``shutil.get_terminal_size``.
    https://github.com/Textualize/textual/pull/6153
    """
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


def drop_empty_no_color() -> None:
    """Remove an empty NO_COLOR from the environment.

    It asks for nothing (https://no-color.org), but Textual 8.2.8 takes it for a wish without
    colours. No upstream issue known.
    """
    if not os.environ.get("NO_COLOR"):
        os.environ.pop("NO_COLOR", None)
