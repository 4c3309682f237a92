"""The user's command runs when a run diverges or fails, and when all runs have ended."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.algorithms.reptile import Reptile
from core.commands import Extend, Stop
from core.config import RunConfig
from core.events import ENDED, CommandRejected
from core.session import notification
from core.session.local import LocalSession
from core.session.notification import Notifier, run_command
from tests.support.runs import CRAWL, NO_AUTOSAVE, new_plan, small_config, until
from tests.support.saboteur import PROBLEM, Call, sabotage

DIVERGING = small_config(algorithm=Reptile(inner_lr=1e30))


def session(
    out: Path, command: str, *configs: RunConfig, pace: float | None = None
) -> LocalSession:
    plans = [
        new_plan(out, config, f"run-{number}", pace=pace, saving=NO_AUTOSAVE)
        for number, config in enumerate(configs)
    ]
    made = LocalSession(plans)
    Notifier(made, command)
    return made


def command_that_writes(file: Path) -> str:
    return f'echo "$TUI_META_EVENT: $TUI_META_MESSAGE" >> {file}'


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_the_end_of_all_runs_is_one_message(tmp_path: Path) -> None:
    file = tmp_path / "messages"
    running = session(tmp_path, command_that_writes(file), small_config(), small_config(seed=1))
    running.start()
    until(lambda: bool(lines(file)))
    running.stop(save=False)
    assert lines(file) == ["finished: 2 of 2 runs have finished"]


def test_a_run_that_is_extended_ends_again(tmp_path: Path) -> None:
    file = tmp_path / "messages"
    running = session(tmp_path, command_that_writes(file), small_config())
    running.start()
    until(lambda: len(lines(file)) == 1)
    running.send(Extend())
    until(lambda: len(lines(file)) == 2)
    running.stop(save=False)


def test_divergence_is_a_message_at_once_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "messages"
    running = session(tmp_path, command_that_writes(file), DIVERGING)
    running.start()
    until(lambda: len(lines(file)) == 2)
    running.stop(save=False)
    first, last = lines(file)
    assert first.startswith("diverged: run-0 diverged at 0: the loss is no longer finite")
    assert last == "finished: 0 of 1 runs have finished"


def test_runs_that_the_user_stops_need_no_message(tmp_path: Path) -> None:
    file = tmp_path / "messages"
    running = session(tmp_path, command_that_writes(file), small_config(), pace=CRAWL)
    running.start()
    running.send(Stop())
    running.stop(save=True)
    assert lines(file) == []


def test_a_command_that_fails_is_reported_to_all_clients(tmp_path: Path) -> None:
    running = session(tmp_path, "no-such-program-at-all", small_config())
    running.start()
    until(lambda: any(isinstance(one, CommandRejected) for one in running.events(0)))
    running.stop(save=False)
    (refused,) = [one for one in running.events(0) if isinstance(one, CommandRejected)]
    assert (refused.command, refused.reason) == ("notify", "no such command")


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("true", None),
        ("exit 3", "the command ended with exit code 3"),
        ("sleep 0.4; exit 4", "the command ended with exit code 4"),
        ("a\0b", "the command cannot be started"),
    ],
)
def test_the_outcome_of_a_command_is_known(command: str, problem: str | None) -> None:
    problems: list[str] = []
    run_command(command, "finished", "all is done", problems.append)
    if problem:
        until(lambda: bool(problems))
        assert problem in problems[0]
    else:
        assert not problems


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it still runs
@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
@pytest.mark.parametrize("call", [(notification, "_started"), (threading.Thread, "start")])
def test_whatever_comes_of_a_command_ends_no_run(
    call: Call, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = session(tmp_path, "sleep 0.4", DIVERGING)
    saboteur = sabotage(monkeypatch, "run ", call, error)
    saboteur.armed = True
    running.start()
    until(lambda: all(one.state in ENDED for one in running.snapshots().values()))
    assert saboteur.hits
    running.stop(save=False)
    assert [one.state for one in running.snapshots().values()] == ["diverged"]
    refused = [one.reason for one in running.events(0) if isinstance(one, CommandRejected)]
    assert "the command cannot be started" in refused[0]
    assert PROBLEM in refused[0]
