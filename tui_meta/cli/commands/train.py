"""``tui-meta train`` and ``resume``: runs in this process or in a process of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core import validation
from core.errors import reason, unexpected
from core.remote.launch import LaunchReply, launch
from core.remote.protocol import RemoteError
from core.remote.registry import SessionEndpoint, require_endpoint
from core.remote.spawn import end_early
from core.session.run_requests import ResumeRequest, Runs, TrainRequest, require_room
from core.storage.paths import RECORD
from tui_meta.app.signals import interrupt_at_once, is_by_signal
from tui_meta.cli.home import user_path
from tui_meta.cli.settings import configure, read_settings
from tui_meta.console import Exit, print_error, print_note, require_terminal
from tui_meta.views.messages.describe import display_path
from tui_meta.views.watch.pace import first_pace

if TYPE_CHECKING:
    from core.session.local import LocalSession

SHIPPED_RUNS = ("fomaml-source", "reptile-source")
"""Runs in the folder ``checkpoints`` of a checkout."""

OutputMode = Literal["dashboard", "lines", "json", "detached"]
"""How runs are shown: in the dashboard, as lines, as JSON, or not at all."""


def train(
    given: Mapping[str, Any],
    config: Path | None,
    mode: OutputMode,
    dashboard: Mapping[str, Any],
    *,
    dry_run: bool = False,
    notify: str | None = None,
) -> int:
    """Train the runs that the flags ``given`` and the file ``config`` describe."""
    file = read_settings(config)
    settings = configure(given, file, config)
    launch, planned = settings.launch, settings.runs
    if dry_run:
        from tui_meta.cli.experiments import print_runs

        print_runs(planned)
        return Exit.DONE
    require_room(len(planned), "choose fewer seeds or values")
    runs = TrainRequest.of(
        [run.config for run in planned],
        settings.saving,
        out=Path(user_path(launch.out)),
        name=launch.name,
        pace=launch.pace,
        titles=[run.name for run in planned],
        notify=notify or "",
    )
    is_first = not given and not file and not has_own_runs(Path(user_path(launch.out)))
    return show(
        runs, mode, dashboard, first_pace(settings.runs[0].config.iterations) if is_first else None
    )


def has_own_runs(folder: Path) -> bool:
    """Return True if ``folder`` has runs besides those that are shipped."""
    return any(path.parent.name not in SHIPPED_RUNS for path in folder.glob(f"*/{RECORD}"))


def resume(
    paths: Sequence[Path],
    iterations: int | None,
    pace: float | None,
    mode: OutputMode,
    dashboard: Mapping[str, Any],
    notify: str | None = None,
) -> int:
    """Continue the runs at ``paths`` side by side."""
    if iterations is not None:
        validation.count("--iterations", iterations)
    if pace is not None:
        validation.pace("--pace", pace)
    runs = ResumeRequest.of(paths, iterations=iterations, pace=pace, notify=notify or "")
    return show(runs, mode, dashboard)


def show(
    runs: Runs, mode: OutputMode, dashboard: Mapping[str, Any], pace: float | None = None
) -> int:
    """Train ``runs``, shown as ``mode`` says, and return the exit code.

    ``dashboard`` holds the dashboard's flags. ``pace`` is that of first runs, in the dashboard.
    """
    if mode == "detached":
        answer = _launched(runs)
        print(f"training in session {answer.id}; view with: tui-meta attach {answer.id}")
        return Exit.DONE
    if mode != "dashboard":
        return _headless(runs, as_json=mode == "json")
    require_terminal()
    from tui_meta.cli.commands.sessions import ask_attach_or_new, attach
    from tui_meta.cli.preferences import preferences

    preferred = preferences(dashboard)
    if isinstance(runs, TrainRequest):
        choice = ask_attach_or_new()
        if choice != "new":
            end_early()
        if choice == "leave":
            return Exit.DONE
        if choice != "new":
            return attach(choice, dashboard, read_only=False)
    try:
        require_endpoint()
    except RemoteError as error:
        from tui_meta.app.dashboard import run_dashboard

        end_early()
        print_note(f"training stops when this terminal closes: {error}")
        with _local(runs) as session:
            return run_dashboard(session, preferred, pace)
    with ThreadPoolExecutor(1) as background:
        launched = background.submit(launch, runs)
        # The session starts on another processor while Textual is imported.
        from core.remote.client import RemoteSession
        from tui_meta.app.dashboard import run_dashboard
    answer = launched.result()
    _print_notes(answer)
    return run_dashboard(RemoteSession(answer.id, owner=True), preferred, pace)


def _headless(runs: Runs, *, as_json: bool) -> int:
    # Everything is imported before folders are created: until then a signal leaves nothing behind.
    import core.remote.process  # noqa: F401  (the session and its server)
    from tui_meta.cli.background_stdio import background_stdio
    from tui_meta.cli.headless import run_headless

    with interrupt_at_once():
        runs.check()
    with background_stdio() as stdio:
        with _local(runs) as session, _served(session) as is_served:
            code = run_headless(session, as_json=as_json, outlives_terminal=is_served)
            is_stopped = any(one.state == "stopped" for one in session.snapshots().values())
        # The session has ended by now, whether or not its last lines are read.
        stdio.finish(patient=not (is_stopped or is_by_signal(code)))
        return code


@contextmanager
def _local(runs: Runs) -> Iterator[LocalSession]:
    """Yield a session in this process; runs that never started leave no folder."""
    # Imported late, here and below: a dashboard is a client, and needs nothing of training.
    from core.remote.process import launch_reply
    from core.session.local import LocalSession
    from core.session.notification import Notifier

    plans = runs.plans()
    try:
        _print_notes(launch_reply(plans))
        session = LocalSession(plans)
        if runs.notify:
            Notifier(session, runs.notify)
        yield session
    finally:
        for plan in plans:
            plan.folder.discard()


def _launched(runs: Runs) -> LaunchReply:
    """Start ``runs`` in a process of their own."""
    answer = launch(runs)
    _print_notes(answer)
    return answer


def _print_notes(answer: LaunchReply) -> None:
    for line in answer.notes:
        print_note(line)
    for path in answer.resumed:
        print_note(f"resuming {display_path(path)}")


@contextmanager
def _served(session: LocalSession) -> Iterator[bool]:
    """Serve ``session`` while entered, and yield whether others can attach to it."""
    from core.remote.server import Server

    def report(error: BaseException) -> None:
        problem = f"clients of this session may be disconnected: {unexpected(error)}"
        print_error(f"{problem}; training continues")

    try:
        endpoint = SessionEndpoint()
        try:
            server = Server(session, endpoint, on_error=report)
        except BaseException:
            endpoint.listening.close()
            endpoint.remove()
            raise
    except Exception as error:
        print_note(f"this session cannot be attached to: {reason(error)}")
        yield False
        return
    try:
        yield True
    finally:
        server.close()
