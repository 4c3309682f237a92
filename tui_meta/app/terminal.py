"""The terminal of the dashboard: entered once, left once, however often the process is stopped."""

from __future__ import annotations

from typing import Any

from tui_meta.delta_driver.driver import DeltaDriver


class TerminalDriver(DeltaDriver):
    """Textual's driver, but for three faults of it.

    It entered the terminal a second time on a SIGCONT that no SIGTSTP came before, as after
    SIGSTOP: two threads read keys, and the raw mode was taken for the one to restore. It drew
    nothing after a SIGCONT if the size had not changed. And when the thread that reads keys
    failed, it ended as if all were well.
    """

    def _sigcont_application(self, *_: Any) -> None:
        if not self._must_signal_resume:
            self.suspend_application_mode()
            self._must_signal_resume = True
        super()._sigcont_application()
        self._app.call_later(self._app.refresh, layout=True)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:
            self._app.call_later(self._app._handle_exception, error)
