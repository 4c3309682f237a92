"""``tui-meta watch``: what a session does, line by line, for people and for scripts."""

from __future__ import annotations

from core.remote.client import RemoteSession
from core.remote.connection import chosen_session
from tui_meta.app.signals import Interrupts
from tui_meta.cli.headless import Report
from tui_meta.console import Exit, complain, release_streams


def watch(id: str | None, *, as_json: bool) -> int:
    """Tell of session ``id`` from now on, until it ends or a signal comes."""
    session = RemoteSession(chosen_session(id).id, read_only=True, progress=as_json)
    with Interrupts() as interrupts:
        report = Report(session, as_json=as_json, first=session.first_new)
        try:
            report.follow(interrupts)
        except OSError:
            release_streams()
            return Exit.PIPE_CLOSED
        finally:
            session.detach()
    if session.connection.lost:
        complain(session.connection.lost)
        return Exit.FAILED
    return interrupts.exit_code or Exit.DONE
