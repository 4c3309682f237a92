"""``tui-meta watch``: stream a session's events as lines or as JSON."""

from __future__ import annotations

from core.remote.client import RemoteSession
from core.remote.connection import find_session
from tui_meta.app.signals import FirstSignal
from tui_meta.cli.headless import Report
from tui_meta.console import Exit, flush_stdio, print_error


def watch(id: str | None, *, as_json: bool) -> int:
    """Print the events of session ``id`` from now on, until it ends or a signal arrives."""
    session = RemoteSession(find_session(id).id, read_only=True, progress=as_json)
    with FirstSignal() as interrupts:
        report = Report(session, as_json=as_json, first=session.first_new)
        try:
            report.follow(interrupts)
        except OSError:
            flush_stdio()
            return Exit.PIPE_CLOSED
        finally:
            session.detach()
    if session.connection.lost:
        print_error(session.connection.lost)
        return Exit.FAILED
    return interrupts.exit_code or Exit.DONE
