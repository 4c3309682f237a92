"""``tui-meta attach``: the dashboard on a running session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.remote.client import RemoteSession
from core.remote.connection import find_session
from tui_meta.app.dashboard import run_dashboard
from tui_meta.cli.preferences import preferences
from tui_meta.console import require_terminal


def attach(id: str | None, dashboard: Mapping[str, Any], *, read_only: bool) -> int:
    """Show session ``id``, or the only one; ``dashboard`` holds the dashboard's flags."""
    preferred = preferences(dashboard)
    chosen = find_session(id)
    require_terminal()
    return run_dashboard(RemoteSession(chosen.id, read_only=read_only), preferred)
