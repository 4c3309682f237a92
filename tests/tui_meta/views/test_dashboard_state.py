"""The state that all screens share: which events the user waits for."""

import msgspec
import pytest

from core.events import AnyEvent, Paused, Saved
from tests.support.dashboard.watch_state import started_session, watch_state
from tests.support.run_folders import evaluated, progress, stamp, validated


def saved(kind: str) -> Saved:
    return Saved(**stamp(100), path="100.safetensors", kind=kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "awaited"),
    [
        (progress(100), False),
        (validated(100, 4.0, 0.5), False),
        (evaluated(100, 4.0, 0.5), False),
        (evaluated(100, 4.0, 0.5, probe="standard"), True),
        (saved("auto"), False),
        (saved("best"), False),
        (saved("history"), False),
        (saved("hand"), True),
        (saved("final"), True),
        (Paused(**stamp(100)), True),
    ],
)
def test_what_a_run_publishes_regularly_is_not_awaited(event: AnyEvent, awaited: bool) -> None:
    session = started_session()
    dashboard = watch_state(session).dashboard
    own = [msgspec.structs.replace(event, run="fomaml-1")]
    assert dashboard.update(own, session.snapshots()) is awaited
