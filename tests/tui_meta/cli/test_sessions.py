"""``ls``, ``stop``, ``send``, ``watch`` and ``attach``: what they print, refuse and exit with."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import msgspec
import pytest

from core.commands import AnyCommand, Evaluate, Extend, Pause, Resume, Save, SetPace, Step
from core.events import AnyEvent, CommandIssued, Finished, Progress, Stepped
from core.remote.client import RemoteSession
from core.remote.protocol import PROTOCOL, Hello
from core.remote.registry import live_sessions, places_searched, sessions_folder
from core.session.api import Session
from tests.support.dashboard.fake_session import FakeSession, FakeTrainer, state
from tests.support.remotes import RawClient, Serving, served
from tests.support.runs import until
from tests.support.sessions import folder_for_sockets
from tui_meta.cli.commands import sessions as sessions_command
from tui_meta.cli.headless import Report
from tui_meta.cli.main import main

FOMAML, REPTILE = "fomaml-1", "reptile-1"
COMMANDS = [["ls"], ["stop", "1"], ["send", "1", "pause"], ["watch"], ["watch", "1"], ["attach"]]


@pytest.fixture(autouse=True)
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        entered.enter_context(folder_for_sockets())
        yield entered


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def serving(session: FakeSession, stack: ExitStack) -> Serving:
    return stack.enter_context(served(session))


def out(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed; nothing was complained of."""
    printed, complained = capsys.readouterr()
    assert complained == ""
    return printed


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of refusal; nothing else was printed."""
    printed, complained = capsys.readouterr()
    assert printed == ""
    (line,) = complained.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


# Which session.


@pytest.mark.parametrize("tokens", COMMANDS[1:], ids=" ".join)
def test_without_a_session_the_message_says_that_none_is_running(
    tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(tokens) == 2
    assert (
        complaint(capsys) == f"no session is running ({places_searched()}); start one with tui-meta"
    )


@pytest.mark.parametrize(
    "tokens", [["stop", "7"], ["send", "7", "pause"], ["watch", "7"], ["attach", "7"]], ids=" ".join
)
def test_a_session_that_is_not_there_is_refused_and_those_that_are_named(
    tokens: list[str], serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(tokens) == 2
    assert complaint(capsys) == f"no session '7' ({places_searched()}); running: 1"


@pytest.mark.parametrize("tokens", [["watch"], ["attach"]], ids=" ".join)
def test_of_several_sessions_one_must_be_named(
    tokens: list[str], serving: Serving, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.enter_context(served(FakeSession()))
    assert main(tokens) == 2
    assert complaint(capsys) == "several sessions are running; choose one of 1, 2"


@pytest.mark.parametrize("tokens", COMMANDS, ids=" ".join)
def test_a_folder_for_sessions_that_is_not_private_is_one_line(
    tokens: list[str], serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = os.path.join(os.environ["XDG_RUNTIME_DIR"], "tui-meta")
    os.chmod(folder, 0o755)
    assert main(tokens) == 2
    assert "other users can enter it" in complaint(capsys)
    os.chmod(folder, 0o700)


# ls.


@pytest.mark.parametrize("tokens", [["ls"], ["ls", "--json"]], ids=" ".join)
def test_without_sessions_the_list_is_empty_and_a_note_names_the_folder(
    tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(tokens) == 0
    printed, noted = capsys.readouterr()
    assert printed == ""
    assert f"looked in {sessions_folder()}; another XDG_RUNTIME_DIR or TMPDIR" in noted


def test_the_list_through_a_pipe_has_tabs(
    serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    dashboard = serving.client()
    assert main(["ls"]) == 0
    id, runs, since, watchers = out(capsys).removesuffix("\n").split("\t")
    assert (id, watchers) == ("1", dashboard._socket.status.name)
    assert runs == ("fomaml-1 training 12,300 / 50,000; reptile-1 training 18,700 / 50,000")
    assert since.count(":") == 1


def test_the_list_on_a_terminal_is_a_table(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["ls"]) == 0
    printed = out(capsys)
    first, second = (line.strip() for line in printed.splitlines() if "training" in line)
    assert first.startswith("1    fomaml-1 training 12,300 / 50,000 ")
    assert second == "reptile-1 training 18,700 / 50,000"
    assert "running for" in printed
    assert "\\n" not in printed


def test_the_list_as_json_has_all_that_is_known(
    serving: Serving, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.enter_context(served(FakeSession({"fomaml": 50_000})))
    assert main(["ls", "--json"]) == 0
    first, second = map(json.loads, out(capsys).splitlines())
    assert first["id"] == "1"
    assert first["pid"] == os.getpid()
    assert first["runs"] == [
        {"run": FOMAML, "state": "training", "iteration": 12_300, "target": 50_000},
        {"run": REPTILE, "state": "training", "iteration": 18_700, "target": 50_000},
    ]
    assert (first["watchers"], first["problem"]) == ([], None)
    assert second["runs"][0]["state"] == "finished"
    assert {type(one["started"]) for one in (first, second)} == {float}
    assert first["command"]


def test_a_session_that_does_not_answer_is_listed_with_the_reason(
    serving: Serving, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    socket = os.path.join(os.environ["XDG_RUNTIME_DIR"], "tui-meta", "1.sock")
    stack.enter_context(served(FakeSession()))
    os.rename(socket, f"{socket}.away")
    assert main(["ls", "--json"]) == 0
    first, second = map(json.loads, out(capsys).splitlines())
    assert first["runs"] == []
    assert first["problem"].startswith("session 1 cannot be reached (No such file")
    assert second["problem"] is None
    assert main(["ls"]) == 0
    assert "\tsession 1 cannot be reached" in out(capsys)
    os.rename(f"{socket}.away", socket)


@pytest.mark.parametrize("tokens", COMMANDS[1:], ids=" ".join)
def test_a_session_of_another_version_is_named_with_the_way_to_end_it(
    tokens: list[str],
    serving: Serving,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("core.remote.connection.PROTOCOL", PROTOCOL + 1)
    monkeypatch.setattr("tui_meta.cli.commands.sessions.require_terminal", lambda: None)
    way = f"use the version that started it, or kill {os.getpid()}, which saves its runs"
    assert main(tokens) == 2
    assert complaint(capsys).endswith(way)
    assert main(["ls"]) == 0
    assert f"{way}\t" in out(capsys)


def test_names_of_watchers_harm_no_terminal(
    serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = RawClient("1")
    raw.send(Hello(protocol=PROTOCOL, program="1", name="a\tb\x1b[2J"))
    raw.receive()
    assert main(["ls"]) == 0
    (line,) = out(capsys).splitlines()
    assert line.endswith("\tab[2J")
    raw.close()


# stop.


def test_stopping_saves_and_prints_the_resume_command(
    session: FakeSession, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stop", "1"]) == 0
    assert out(capsys).splitlines() == [
        "fomaml-1 stopped at 12,300 / 50,000",
        "reptile-1 stopped at 18,700 / 50,000",
        "session 1 ended; resume with: tui-meta resume checkpoints/fomaml-1 checkpoints/reptile-1",
    ]
    assert session.calls == ["start", "stop save=True"]
    assert list(live_sessions()) == []


def test_stopping_names_what_is_not_saved(
    session: FakeSession, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*, save: bool) -> None:
        for run in session.snapshots():
            session.change(run, state="failed", unsaved=run == "fomaml-1")

    session.stop = stop  # type: ignore[method-assign]
    assert main(["stop", "1"]) == 1
    assert capsys.readouterr().err == "error: fomaml-1: iteration 12,300 is not saved\n"


def test_several_sessions_are_stopped_and_each_once(
    serving: Serving, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    other = FakeSession({"fomaml": 5})
    stack.enter_context(served(other))
    assert main(["stop", "2", "1", "2"]) == 0
    assert out(capsys).count(" ended; ") == 2
    assert other.calls == ["start", "stop save=True"]


def test_where_one_is_not_there_none_is_stopped(
    session: FakeSession, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stop", "1", "7"]) == 2
    assert "no session '7'" in complaint(capsys)
    assert session.calls == ["start"]


def test_stop_needs_a_session(serving: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop"]) == 2
    complaint(capsys)


# send.


@pytest.mark.parametrize(
    ("words", "command", "said"),
    [
        (["pause"], Pause(), "paused: FOMAML at 12,300 · Reptile at 18,700"),
        (["save"], Save(), "saved checkpoints/fomaml-1/000012300.safetensors"),
        (["evaluate"], Evaluate("random", 0), "random task"),
        (["evaluate", "standard"], Evaluate("standard", 0), "standard, 4.00"),
        (["evaluate", "compare"], Evaluate("compare", 0), "loss per step"),
        (["pace", "100"], SetPace(100.0), "pace: 100 it/s"),
        (["pace", "full"], SetPace(None), "pace: full speed"),
        (["pace"], SetPace(None), "pace: full speed"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else None,
)
def test_a_command_is_sent_to_all_runs_and_its_outcome_printed(
    words: list[str],
    command: object,
    said: str,
    session: FakeSession,
    serving: Serving,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["send", "1", *words]) == 0
    assert said in out(capsys)
    assert session.sent == [(command, None)]


def test_orders_to_runs_that_rest(
    session: FakeSession, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    session.send(Pause())
    assert main(["send", "1", "step"]) == 0
    assert main(["send", "1", "step", "10"]) == 0
    assert main(["send", "1", "resume"]) == 0
    session.finish(FOMAML)
    assert main(["send", "1", "extend", "--run", FOMAML]) == 0
    assert [command for command, _ in session.sent][1:] == [Step(1), Step(10), Resume(), Extend()]
    printed = out(capsys)
    for said in ("FOMAML to 12,301", "FOMAML to 12,311", "training:", "to 100,000"):
        assert said in printed


def test_an_order_to_one_run_reaches_it_alone(
    session: FakeSession, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", "1", "pause", "--run", REPTILE]) == 0
    assert out(capsys) == "paused: Reptile at 18,700\n"
    assert state(session, FOMAML) == "training"


def test_a_run_is_added_with_other_settings(
    session: FakeSession, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reptile.inner-lr=0.005", "name=slow"]
    assert main(["send", "1", "add", *words, "--run", REPTILE]) == 0
    assert out(capsys) == "reptile-slow started, as reptile-1: inner-lr 0.005 instead of 0.02\n"
    assert session.snapshots()["reptile-slow"].config["algorithm"]["inner_lr"] == 0.005
    assert main(["send", "1", "add"]) == 0
    assert out(capsys) == "fomaml-4 started, as fomaml-1: seed 1 instead of 0\n"


def test_a_rejected_command_is_printed_and_exits_with_2(
    session: FakeSession, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    session.send(Pause(), FOMAML)
    assert main(["send", "1", "pause"]) == 2
    printed, complained = capsys.readouterr()
    assert printed == "paused: Reptile at 18,700\n"
    assert complained == "error: FOMAML cannot pause: the run is paused\n"


def test_a_rejected_command_of_another_client_is_not_an_answer(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    send = FakeTrainer.send

    def send_after_another(run: FakeTrainer, command: AnyCommand) -> bool:
        send(run, Resume())  # rejected: the run trains
        return send(run, command)

    monkeypatch.setattr(FakeTrainer, "send", send_after_another)
    assert main(["send", "1", "pause"]) == 0
    assert "paused" in out(capsys)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["dance"], "unknown command 'dance'; use one of pause, resume, step"),
        (["pause", "now"], "pause takes no argument 'now'"),
        (["step", "1", "2"], "step takes no argument '2'"),
        (["step", "x"], "'x' is not a whole number"),
        (["step", "1.5"], "'1.5' is not a whole number"),
        (["step", "0"], "step: must be a whole number from 1"),
        (["step", str(10**30)], "step: "),
        (["step", "9" * 5_000], ""),
        (["pace", "x"], "'x' is not a number, or full"),
        (["pace", "nan"], "pace: must be "),
        (["pace", "0"], "pace: must be "),
        (["pace", "inf"], "pace: must be "),
        (["evaluate", "x"], "evaluate 'x' is unknown; use one of random, standard"),
        (["evaluate", "validation"], "evaluate 'validation' is unknown"),
        (["pause", "--run", "x"], "no run 'x'; runs: fomaml-1, reptile-1"),
        (["add", "--run", "x"], "no run 'x'; runs: fomaml-1, reptile-1"),
        (["add", "seed"], "add: must be a setting and its value, SETTING=VALUE, got 'seed'"),
        (["add", "seed=x"], "seed: must be a whole number, got 'x'"),
        (["add", "reptile.inner-lr=1"], "unknown setting 'reptile.inner_lr'"),
        (["add", "algorithm=mamal"], "algorithm: must be one of fomaml, reptile, "),
    ],
    ids=lambda one: " ".join(one)[:20] if isinstance(one, list) else None,
)
def test_an_invalid_command_is_refused_and_not_sent(
    words: list[str],
    problem: str,
    session: FakeSession,
    serving: Serving,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["send", "1", *words]) == 2
    assert complaint(capsys).startswith(problem)
    assert session.sent == []


def test_waiting_for_an_answer_ends_with_the_session(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(run: FakeTrainer, command: AnyCommand) -> bool:
        serving.server.ended.set()
        return True

    monkeypatch.setattr(FakeTrainer, "send", end)
    assert main(["send", "1", "pause"]) == 2
    assert complaint(capsys).startswith("session 1")


# watch.


class Ending:
    """Ends a session once its subscriber has received every event of a test."""

    def __init__(self, serving: Serving, events: list[AnyEvent]) -> None:
        self._serving = serving
        self._events = events

    def follow(self, report: Report, interrupts: object) -> None:
        session: FakeSession = self._serving.server._session  # type: ignore[assignment]
        for event in self._events:
            session.publish(event)
        self._serving.server.ended.set()
        self.original(report, interrupts)

    original = staticmethod(Report.follow)


def watched(
    serving: Serving, patch: pytest.MonkeyPatch, events: list[AnyEvent], *flags: str
) -> int:
    """The exit code of a watcher before whom ``events`` happen, and then the end."""
    ending = Ending(serving, events)
    patch.setattr(Report, "follow", lambda *given: ending.follow(*given))
    return main(["watch", *flags])


STEPPED = Stepped(count=3, run=FOMAML, iteration=12_303, time=1.0)
FINISHED = Finished(run=REPTILE, iteration=50_000, time=2.0)
PROGRESS = Progress(loss=0.5, run=FOMAML, iteration=12_350, time=1.5)


def test_watching_as_json_prints_every_event_from_now_on(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    events: list[AnyEvent] = [STEPPED, PROGRESS, FINISHED]
    asked = CommandIssued(run=FOMAML, iteration=1, time=0.0, who="alice", command="save")
    assert watched(serving, monkeypatch, [asked, *events], "--json") == 0
    printed, remarked = capfd.readouterr()
    lines = printed.splitlines()  # as in the log, which does not have who asked for what
    assert "save requested by alice" in remarked
    assert lines == [msgspec.json.encode(event).decode() for event in events]


def test_watching_prints_lines_for_events(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watched(serving, monkeypatch, [STEPPED, PROGRESS, FINISHED]) == 0
    printed = out(capsys)
    assert "Reptile  finished 50,000 iterations" in printed
    assert "12,300" not in printed  # earlier events are not printed


def test_watching_commands_nothing(
    session: FakeSession, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert watched(serving, monkeypatch, []) == 0
    assert session.sent == []
    assert session.calls == ["start"]


def test_a_watcher_outlives_fresh_runs_and_events_of_runs_that_are_gone(
    session: FakeSession,
    serving: Serving,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    session.restart()
    begun = Finished(run="fomaml-2", iteration=5, time=0.0)
    assert watched(serving, monkeypatch, [STEPPED, begun]) == 0
    assert "finished 5 iterations" in out(capsys)


def test_the_death_of_a_session_is_complained_of(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def die(report: Report, interrupts: object) -> None:
        serving.die()
        Ending.original(report, interrupts)

    monkeypatch.setattr(Report, "follow", die)
    assert main(["watch"]) == 1
    assert complaint(capsys) == "the training process has exited"


# attach, and what is offered beside a session that trains.


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Session]]:
    """The sessions that were shown, in place of the dashboard."""
    shown: list[Session] = []
    monkeypatch.setattr(
        "tui_meta.app.dashboard.run_dashboard", lambda session, *_: shown.append(session) or 0
    )
    monkeypatch.setattr(sessions_command, "require_terminal", lambda: None)
    yield shown
    for session in shown:
        session.detach()


@pytest.mark.parametrize("tokens", [["attach"], ["attach", "1"]], ids=" ".join)
def test_attaching_shows_the_session(
    tokens: list[str], serving: Serving, shown: list[Session]
) -> None:
    assert main(tokens) == 0
    (session,) = shown
    assert isinstance(session, RemoteSession)
    assert (session.connection.id, session.connection.read_only) == ("1", False)


def test_attaching_read_only_opens_a_read_only_dashboard(
    serving: Serving, shown: list[Session]
) -> None:
    assert main(["attach", "--read-only"]) == 0
    assert shown[0].connection.read_only


def test_attaching_needs_a_terminal(
    session: FakeSession, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["attach"]) == 2
    assert complaint(capsys).startswith("the dashboard needs a terminal")
    assert not serving.server.has_subscribers


@pytest.mark.parametrize(
    ("typed", "choice"),
    [(b"\n", "1"), (b"n\n", "new"), (b"N\n", "new"), (b"q\n", "leave"), (b"\xff\n", "leave"),
     (b"", "leave")],
)  # fmt: skip
def test_starting_next_to_a_session_offers_to_attach(
    typed: bytes,
    choice: str,
    serving: Serving,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Stdin:
        class buffer:  # noqa: N801  (as the standard input calls it)
            readline = staticmethod(lambda: typed)

    monkeypatch.setattr("sys.stdin", Stdin)
    assert sessions_command.ask_attach_or_new() == choice
    lines = out(capsys).split("\n")
    assert lines[0].startswith("session 1 is running: fomaml-1 training 12,300 / 50,000; reptile-1")
    assert lines[1] == "enter: attach to session 1; n, enter: start new runs; q, enter: quit "


def test_nothing_is_offered_if_all_runs_have_ended(
    session: FakeSession, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    session.finish(FOMAML)
    session.finish(REPTILE)
    until(lambda: state(session, REPTILE) == "finished")
    assert sessions_command.ask_attach_or_new() == "new"
    assert out(capsys) == ""
