"""The watch screen without a terminal: its state, and the runs it shows."""

import functools

import msgspec

from core.events import Evaluated, Snapshot
from tests.support.dashboard.fake_session import FakeSession
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.watch.state import WatchState

NAMES = {"fomaml-1": "FOMAML", "reptile-1": "Reptile"}


def started_session(**iterations: int) -> FakeSession:
    """Return a session of fake runs that have begun, at these iterations."""
    session = FakeSession(iterations or {"fomaml": 12_300, "reptile": 18_700})
    session.start()
    return session


def watch_state(session: FakeSession) -> WatchState:
    """Return the state of a watch screen that has read all events of ``session``."""
    state = WatchState(DashboardState(session.snapshots()))
    state.dashboard.update(session.events(0), session.snapshots())
    return state


@functools.cache
def first_evaluation() -> Evaluated:
    """Return the first evaluation of a session."""
    session = started_session(fomaml=1_000)
    return next(one for one in session.events(0) if isinstance(one, Evaluated))


def one_evaluation(run: str, index: int, probe: str = "validation") -> Evaluated:
    """Return an evaluation of ``run`` on the task ``index``."""
    return msgspec.structs.replace(
        first_evaluation(),
        run=run,
        index=index,
        iteration=index,
        probe=probe,
        phase=float(index),
        amplitude=3.0,
    )


def snapshots_of(session: FakeSession) -> list[Snapshot]:
    """Return the snapshots of all runs."""
    return list(session.snapshots().values())
