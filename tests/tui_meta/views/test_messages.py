"""The messages of the watch screen."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from core.commands import Save
from core.events import (
    CommandRejected,
    EventHeader,
    Failed,
    Paused,
    Saved,
    SaveFailed,
    WriteRecovered,
)
from tests.support.dashboard.watch_state import NAMES, one_evaluation, started_session, watch_state
from tui_meta.views.messages import log as messages_module
from tui_meta.views.messages.log import MessageKey, MessageLog
from tui_meta.views.messages.status_line import status_lines
from tui_meta.views.text import plain


def message_lines(messages: MessageLog, count: int = 2, width: int = 120) -> list[str]:
    return [plain(each) for each in status_lines(messages, count, width)]


def test_equal_events_of_both_runs_become_one_line_in_their_order() -> None:
    session = started_session()
    messages = MessageLog()
    messages.name(NAMES)
    for event in reversed(session.events(0)):
        messages.add_event(event)
    assert message_lines(messages) == [
        "training (torch engine, cpu): FOMAML to 50,000 · Reptile to 50,000"
    ]


def test_the_status_line_counts_many_runs() -> None:
    messages = MessageLog()
    for number in range(5):
        messages.add_event(Paused(run=f"reptile-{number}", iteration=7, time=0.0))
    assert message_lines(messages) == ["paused: 5 runs at 7"]
    messages.add_event(Paused(run="reptile-5", iteration=8, time=0.0))
    assert message_lines(messages) == ["paused: 6 runs"]
    assert "reptile-5 at 8" in messages.all[-1].text


def test_a_run_with_another_title_has_it_in_earlier_messages_too() -> None:
    messages = MessageLog()
    messages.name({"one": "FOMAML"})
    messages.add_event(Paused(run="one", iteration=8, time=0.0))
    assert message_lines(messages) == ["paused: FOMAML at 8"]
    messages.name({"one": "FOMAML seed 0", "two": "FOMAML seed 1"})
    assert message_lines(messages) == ["paused: FOMAML seed 0 at 8"]


def test_equal_events_that_arrive_in_turns_become_one_line() -> None:
    session = started_session()
    messages = MessageLog()
    messages.name(NAMES)
    seen = len(session.events(0))
    for run in reversed(NAMES):
        session.send(Save(), run)
        session.finish(run)
    for event in session.events(seen):
        messages.add_event(event)
    assert message_lines(messages)[-1].endswith(
        ": FOMAML at 50,000 · Reptile at 50,000; c: continue"
    )


def test_messages_of_earlier_runs_are_not_merged_with_those_of_fresh_runs() -> None:
    session = started_session()
    state = watch_state(session)
    seen = len(session.events(0))
    for run in NAMES:
        session.finish(run)
    session.restart()
    session.start()
    for run in session.snapshots():
        session.finish(run)
    state.dashboard.update(session.events(seen), session.snapshots())
    ends = message_lines(state.messages)
    assert [one.count("FOMAML at 50,000 · Reptile at 50,000") for one in ends] == [0, 1]
    assert ends[-1].count("FOMAML") == 1
    assert set(state.dashboard.titles) == set(session.snapshots())


def test_a_result_or_a_refusal_replaces_the_pending_message() -> None:
    session = started_session()
    messages = MessageLog()
    messages.name(NAMES)
    refused = CommandRejected(
        run="fomaml-1", iteration=1, time=0.0, command="save", reason="it has failed"
    )
    messages.expect(MessageKey("save"), "saving…")
    messages.add_event(refused)
    assert message_lines(messages) == ["FOMAML cannot save: it has failed"]
    messages.expect(MessageKey("evaluate", "random"), "evaluating…")
    seen = len(session.events(0))
    session.evaluate("random")
    for event in session.events(seen):
        messages.add_event(event)
    assert "evaluating…" not in message_lines(messages)
    assert "FOMAML 4.02 → 0.0200 · Reptile 4.04 → 0.0400" in message_lines(messages)[-1]


def test_periodic_evaluations_have_no_message() -> None:
    messages = MessageLog()
    messages.add_event(one_evaluation("fomaml-1", 1_000))
    assert message_lines(messages) == []


def test_a_long_message_takes_the_rows_that_there_are() -> None:
    messages = MessageLog()
    messages.show_message("short")
    messages.add_event(Failed(run="a", iteration=0, time=0.0, problem="many words " * 20))
    assert len(message_lines(messages, 2, 60)) == 2
    assert message_lines(messages, 2, 60)[-1].endswith("…")
    assert len(message_lines(messages, 1, 60)) == 1


class Reader:
    """Shows messages, and presses keys after so many seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.messages = MessageLog(lambda: self.now)
        self.messages.name(NAMES)

    def press_after(self, seconds: float) -> None:
        self.now += seconds
        self.messages.mark_read()

    def saved(self, run: str) -> None:
        path = f"checkpoints/{run}-20261125-101500/000012000.safetensors"
        self.messages.add_event(Saved(run=run, iteration=12_000, time=0.0, path=path))


def test_a_result_stays_until_a_key_is_pressed_after_the_time_to_read_it() -> None:
    reader = Reader()
    reader.messages.expect(MessageKey("save"), "saving…")
    reader.saved("fomaml-1")
    (saved,) = message_lines(reader.messages, 1)
    for seconds, shown in (
        (messages_module.READ_SECONDS / 2, 2),
        (messages_module.READ_SECONDS, 1),
    ):
        reader.press_after(seconds)
        reader.messages.show_message("a message without a key")
        line = message_lines(reader.messages, 1)[0]
        assert line.split(" · ") == [saved, "a message without a key"][-shown:]


def test_a_result_that_was_read_does_not_follow_to_another_screen() -> None:
    reader = Reader()
    reader.saved("fomaml-1")
    (saved,) = message_lines(reader.messages, 1)
    reader.messages.show_result("screenshot saved")
    reader.messages.leave_screen()
    assert message_lines(reader.messages, 1) == ["screenshot saved"]
    reader.press_after(messages_module.READ_SECONDS)
    reader.messages.leave_screen()
    assert message_lines(reader.messages, 1) == [saved]
    assert [one.text for one in reader.messages.all][-1] == "screenshot saved"


def test_the_newest_result_stays_until_it_is_read() -> None:
    reader = Reader()
    reader.messages.expect(MessageKey("save"), "saving…", answers=2)
    reader.saved("fomaml-1")
    reader.now += messages_module.READ_SECONDS
    reader.saved("reptile-1")
    assert "reptile-1" in message_lines(reader.messages, 1, 80)[0]
    assert ["fomaml-1" in one for one in message_lines(reader.messages, 2, 80)] == [True, False]
    reader.press_after(0.5)
    reader.messages.add_event(Paused(run="fomaml-1", iteration=5, time=0.0))
    assert "reptile-1" in message_lines(reader.messages, 2, 80)[0]


def test_a_new_pending_message_shares_the_line_with_a_result_that_was_not_read() -> None:
    reader = Reader()
    reader.messages.expect(MessageKey("save"), "saving…")
    reader.saved("fomaml-1")
    reader.press_after(0.1)
    reader.messages.expect(MessageKey("pause"), "pausing FOMAML and Reptile…")
    (line,) = message_lines(reader.messages, 1, 80)
    assert line.startswith("saved checkpoints/fomaml-1")
    assert line.endswith(" · pausing FOMAML and Reptile…")
    assert len(line) <= 80


def test_an_equal_problem_of_another_run_is_shown_after_the_first_was_dismissed() -> None:
    reader = Reader()
    for run in NAMES:
        reader.messages.add_event(Failed(run=run, iteration=0, time=0.0, problem="disk full"))
        assert NAMES[run] in message_lines(reader.messages, 1)[0]
        assert reader.messages.dismiss()
        assert message_lines(reader.messages, 1) == []


def test_an_event_that_was_not_requested_here_gives_way_to_newer_messages() -> None:
    reader = Reader()
    reader.saved("fomaml-1")
    reader.messages.show_message("newer")
    assert message_lines(reader.messages, 1) == ["newer"]


@given(st.integers(20, 200), st.integers(1, 4), st.lists(st.sampled_from("srptwkd"), max_size=12))
def test_the_newest_message_is_shown_or_counted_after_any_others(
    width: int, rows: int, what: list[str]
) -> None:
    reader = Reader()
    messages = reader.messages
    for number, one in enumerate(what):
        match one:
            case "s":
                messages.expect(MessageKey("save"), f"saving {number}…")
            case "r":
                reader.saved("fomaml-1")
            case "p":
                messages.show_error(f"problem {number}")
            case "t":
                messages.show_result(f"result {number} " * 5)
            case "w":
                messages.show_message(f"word {number}")
            case "k":
                reader.press_after(messages_module.READ_SECONDS / 2)
            case "d":
                messages.dismiss()
    lines = message_lines(messages, rows, width)
    assert len(lines) <= rows
    assert all(cell_len(line) <= width for line in lines)
    if messages.all and not messages.all[-1].dismissed:
        newest = messages.all[-1].text
        assert newest[:8] in " ".join(lines) or " (m)" in lines[0]


def test_a_failed_save_stays_on_the_screen_until_a_save_succeeds() -> None:
    session = started_session()
    stamp = EventHeader(run="fomaml-1", iteration=12_300, time=0.0)
    session.publish(SaveFailed(problem="disk full", **stamp))
    state = watch_state(session)
    state.arrange(120, 40)
    for said in ("one", "two", "three"):
        state.messages.show_message(said)
    shown = [plain(one) for one in state.message_lines(120)]
    assert shown == ["FOMAML could not be saved: disk full", "three"]
    state.arrange(80, 18)
    (only,) = state.message_lines(80)
    assert plain(only) == "FOMAML could not be saved: disk full"
    state.dashboard.update([WriteRecovered(path="fomaml-1", **stamp)], session.snapshots())
    assert "disk full" not in plain(state.message_lines(80)[0])


def test_a_problem_with_saving_is_not_shown_twice() -> None:
    session = started_session()
    session.publish(SaveFailed(problem="disk full", run="fomaml-1", iteration=12_300, time=0.0))
    state = watch_state(session)
    state.arrange(120, 40)
    shown = [plain(one) for one in state.message_lines(120)]
    assert shown.count("FOMAML could not be saved: disk full") == 1
