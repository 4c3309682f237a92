"""A registry of sessions and terminals for each test."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.remote import spawn
from tests.support.sessions import folder_for_processes
from tests.support.terminals.dashboards import PROGRAM, OpenDashboard
from tests.support.terminals.forked import FORKING_DAEMON, server_path
from tests.support.terminals.terminal import Terminal


@pytest.fixture(autouse=True, scope="session")
def forked_sessions() -> Iterator[None]:
    """The fork server starts the processes of the sessions that commands launch in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spawn, "DAEMON", FORKING_DAEMON)
        server_path()
        yield


@pytest.fixture(autouse=True)
def own_place() -> Iterator[Path]:
    with folder_for_processes() as folder:
        yield folder


@pytest.fixture
def open_dashboard(tmp_path: Path, own_place: Path) -> Iterator[OpenDashboard]:
    """A function that opens the program, or another ``command``, in a terminal."""
    opened: list[Terminal] = []

    def start(
        *arguments: str,
        command: Sequence[str] = PROGRAM,
        columns: int = 120,
        rows: int = 40,
        fresh: bool = False,
    ) -> Terminal:
        terminal = Terminal(
            [*command, *arguments], columns=columns, rows=rows, cwd=tmp_path, fresh=fresh
        )
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()
