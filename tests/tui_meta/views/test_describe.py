"""Events in words: the message log and headless output read alike."""

import pytest

from core.events import (
    AnyEvent,
    CommandIssued,
    CommandRejected,
    Diverged,
    Extended,
    Paused,
    Resumed,
    RolledBack,
    Saved,
    SaveFailed,
    Stepped,
    WriteRecovered,
)
from tests.support.dashboard.fake_session import FakeSession
from tests.support.run_folders import stamp
from tui_meta.cli.headless import event_line, problem_line
from tui_meta.views.messages.describe import describe
from tui_meta.views.messages.log import MessageLog
from tui_meta.views.messages.status_line import status_lines
from tui_meta.views.text import plain

AT = stamp(12_300)


@pytest.mark.parametrize(
    "event",
    [
        RolledBack(**AT),
        Saved(path="x/1.safetensors", kind="final", **AT),
        SaveFailed(problem="disk full", **AT),
        WriteRecovered(path="x/events.jsonl", **AT),
        Paused(**AT),
        Resumed(**AT),
        Stepped(count=3, **AT),
        CommandIssued(who="alice", command="setpace", **AT),
        CommandRejected(command="extend", reason="it is training", **AT),
        Extended(target=100_000, **AT),
        Diverged(problem="the loss is no longer finite", advice="lower it", **AT),
    ],
    ids=lambda event: type(event).__name__,
)
def test_the_message_log_and_headless_output_use_the_same_words(event: AnyEvent) -> None:
    description = describe(event)
    assert description is not None
    messages = MessageLog()
    messages.add_event(event)
    logged = " ".join(plain(line) for line in status_lines(messages, 3, 10_000))
    shot = next(iter(FakeSession().snapshots().values()))
    printed = problem_line(event, "FOMAML") or event_line(event, shot) or ""
    for words in (description.head, description.detail):
        assert words in logged
        assert words in printed
