"""``run.json`` and ``events.jsonl`` from a stranger: what is sound is used, and nothing else."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import LabError, RunFolderError
from core.events import AnyEvent, Evaluated
from core.storage.event_log_reader import history
from core.storage.run_folder import read_record
from core.storage.run_index import list_runs
from core.training.metrics import Metrics
from tests.support.dashboard.fake_session import FakeSession
from tests.support.hostile.damage import altered, as_json, damaged
from tests.support.hostile.guards import frugal, harmless
from tests.support.run_folders import EVERY_EVENT, short_evaluated
from tests.support.runs import small_config
from tests.support.soak import soak
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.dialogs.quit_choice import exit_report
from tui_meta.views.watch.state import WatchState

TRIED = settings(max_examples=soak(100, 10_000))

MOST_MEMORY = 16 * 2**20
"""Bytes that Python may take for a log and a record of some kB, with all that is drawn of them."""

RUN = "run"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that nothing else is in."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / RUN
        folder.mkdir()
        yield folder


def _sound_record() -> bytes:
    with tempfile.TemporaryDirectory() as made:
        record = {
            "name": RUN,
            "config": small_config().to_dict(),
            "engine": "torch",
            "device": "cpu",
            "versions": {"numpy": "2.0"},
            "python": "3.11",
            "host": "host",
            "processor": "one",
            "command_line": ["tui-meta"],
            "started": "2026-01-01T00:00:00+0000",
        }
        (Path(made) / "run.json").write_text(json.dumps(record))
        assert read_record(Path(made)).name == RUN
    return json.dumps(record).encode()


RECORD = _sound_record()
DRAWN = msgspec.structs.replace(
    short_evaluated(3, 0.25),
    support_x=(0.5, 1.0),
    support_y=(1.0, -1.0),
    query_x=(-1.0, 0.0, 1.0),
    before=(0.0, 0.0, 0.0),
    after=(-0.5, 0.0, 0.5),
)
SOUND: list[AnyEvent] = [*EVERY_EVENT, DRAWN]
EVENTS: list[dict[str, Any]] = [json.loads(msgspec.json.encode(event)) for event in SOUND]
LOG = b"".join(json.dumps(event).encode() + b"\n" for event in EVENTS)


def read_or_refuse(folder: Path) -> str:
    """Read the record and the list of runs, or be refused with one line."""
    try:
        list_runs(folder.parent)
        return str(read_record(folder))
    except LabError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017  (a refusal is allowed)
        return ""


def draw(events: list[AnyEvent]) -> None:
    """Fold ``events`` and make everything that a screen shows of them."""
    session = FakeSession({"fomaml": 3})
    (snapshot,) = session.snapshots().values()
    snapshots = {RUN: msgspec.structs.replace(snapshot, run=RUN)}
    watching = WatchState(DashboardState(snapshots, events))
    watching.dashboard.update(events, snapshots)
    metrics = Metrics(())
    metrics.restore(events, 50)
    for size in ((80, 24), (200, 60)):
        made = watching.arrange(*size)
        watching.plots(made.panels)
        table = watching.table(60)
        rows = [table.row(index) for index in range(table.count)]
        lines = [*rows, *table.head, *table.foot, *watching.message_lines(60)]
        assert all(span.text.isprintable() for line in lines for span in line)
    said = exit_report(snapshots, watching.dashboard.history, {})
    assert all(line.isprintable() for line in said)


def check(folder: Path, record: bytes, log: bytes) -> None:
    (folder / "run.json").write_bytes(record)
    (folder / "events.jsonl").write_bytes(log)
    with harmless(), frugal(MOST_MEMORY):
        read_or_refuse(folder)
        if events := list(history(folder)):
            draw(events)
    assert sorted(path.name for path in folder.iterdir()) == ["events.jsonl", "run.json"]


@TRIED
@given(content=damaged(RECORD) | altered(json.loads(RECORD)).map(lambda one: as_json(one).encode()))
def test_a_damaged_or_altered_record(folder: Path, content: bytes) -> None:
    check(folder, content, b"")


@TRIED
@given(log=damaged(LOG))
def test_a_damaged_log(folder: Path, log: bytes) -> None:
    check(folder, RECORD, log)


@TRIED
@given(events=st.lists(st.sampled_from(EVENTS).flatmap(altered), min_size=1, max_size=5))
def test_altered_events(folder: Path, events: list[Any]) -> None:
    lines = [as_json(event).encode() + b"\n" for event in events]
    check(folder, RECORD, b"".join(lines))


@TRIED
@given(log=st.binary(max_size=400))
def test_any_bytes(folder: Path, log: bytes) -> None:
    check(folder, log, log)


def test_an_event_of_a_newer_version_is_passed_over(folder: Path) -> None:
    newer = b'{"event":"teleported","run":"run","iteration":3,"time":0.0,"to":[1]}\n'
    extended = LOG.replace(b'"iteration"', b'"of_the_future": {"a": [1]}, "iteration"')
    (folder / "events.jsonl").write_bytes(newer + extended + newer)
    assert list(history(folder)) == SOUND


def test_an_evaluation_that_cannot_be_drawn_is_passed_over(folder: Path) -> None:
    for wrong in ({"losses": []}, {"query_x": [1.0]}, {"support_y": []}, {"after": []}):
        (folder / "events.jsonl").write_text(json.dumps({**EVENTS[-1], **wrong}) + "\n")
        assert not [one for one in history(folder) if isinstance(one, Evaluated)], wrong


@pytest.mark.parametrize("name", ["run.json", "events.jsonl", "000000003.safetensors"])
def test_a_pipe_in_a_run_folder_is_not_waited_for(tmp_path: Path, name: str) -> None:
    run = tmp_path / RUN
    run.mkdir()
    (run / "run.json").write_bytes(RECORD)
    (run / "events.jsonl").write_bytes(LOG)
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    (entry,) = list_runs(tmp_path)
    assert entry.name == RUN
    if name == "events.jsonl":
        with pytest.raises(RunFolderError, match="not a regular file"):
            list(history(run))
