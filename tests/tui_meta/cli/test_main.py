"""The command line as a whole: errors are one line, and exit codes are documented."""

import os
import sys
from unittest.mock import Mock, patch

import pytest

from core.session.local import LocalSession
from tests.support.homes import without_home
from tests.support.sessions import only_session
from tui_meta.__main__ import run
from tui_meta.app import dashboard
from tui_meta.app.preferences import Preferences
from tui_meta.cli.commands import train
from tui_meta.cli.main import main
from tui_meta.console import STANDARD_OUTPUT

TINY = ["--iterations", "5", "--network.hidden", "4"]


def one_line(capsys) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return line


def test_an_interrupt_before_training_ends_quietly(capsys):
    with patch.object(train, "show", side_effect=KeyboardInterrupt):
        assert main(["--no-tui", *TINY, "--out", "unused"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_mistyped_command_is_answered_with_the_nearest(capsys):
    assert main(["resum"]) == 2
    assert one_line(capsys) == "error: unknown command 'resum'; did you mean resume?"


def test_a_surplus_argument_is_named(capsys):
    assert main(["compare", "a", "b", "c"]) == 2
    assert one_line(capsys) == "error: compare takes no argument 'c'"


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ("export run", "export needs --to; see tui-meta export --help"),
        ("compare one", "compare needs SECOND; see tui-meta compare --help"),
        ("--no-tui --seed", "--seed needs a value; see tui-meta --help"),
        ("--no-tui --waves.x 1", "--waves.x needs 2 values; see tui-meta --help"),
        ("export run --to", "--to needs a value; see tui-meta export --help"),
    ],
)
def test_what_is_missing_is_named_and_where_to_look_it_up(tokens, said, capsys):
    assert main(tokens.split()) == 2
    assert one_line(capsys) == f"error: {said}"


def test_whole_numbers_are_not_rounded(capsys):
    for tokens in (["--seed", "1.5"], ["--network.hidden", "8", "2.5"], ["--iterations", "1e3"]):
        assert main(tokens) == 2
        assert "must be a whole number" in one_line(capsys)


def test_an_output_that_cannot_be_written_is_one_line(capsys):
    with patch.object(
        train, "show", side_effect=OSError(28, "No space left on device", STANDARD_OUTPUT)
    ):
        assert main(["--no-tui", *TINY]) == 2
    assert one_line(capsys) == "error: standard output: No space left on device"


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_without_a_terminal_the_dashboard_is_not_opened(stream, capsys, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda name=name: name != stream)
    assert main(TINY) == 2
    line = one_line(capsys)
    assert "--no-tui" in line
    assert {"stdin": "input", "stdout": "output", "stderr": "error"}[stream] in line


def test_a_dumb_terminal_is_refused(capsys, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert main(TINY) == 2
    assert "TERM=dumb" in one_line(capsys)


def test_nothing_is_left_on_disk_where_no_run_can_begin(tmp_path, capsys):
    (tmp_path / "runs" / "reptile-x" / "mine").mkdir(parents=True)
    assert main(["--no-tui", *TINY, "--out", "runs", "--name", "x"]) == 2
    assert "reptile-x" in one_line(capsys)
    assert not (tmp_path / "runs" / "fomaml-x").exists()


@pytest.mark.parametrize("end", [lambda session: 143, Mock(side_effect=KeyboardInterrupt)])
def test_a_run_that_ended_before_it_began_leaves_no_folder(tmp_path, monkeypatch, end):
    monkeypatch.setattr("tui_meta.cli.headless.run_headless", lambda session, **_: end(session))
    assert main(["--no-tui", *TINY, "--out", "runs"]) in (143, 130)
    assert list((tmp_path / "runs").iterdir()) == []


def test_json_needs_no_terminal_and_no_further_flag(capfdbinary):
    assert main(["--json", *TINY]) == 0
    assert capfdbinary.readouterr().out.startswith(b'{"event":"started"')


def test_the_dashboard_gets_the_requested_session(monkeypatch):
    shown = []
    monkeypatch.setattr(train, "require_terminal", lambda: None)
    monkeypatch.setattr(dashboard, "run_dashboard", lambda *given: shown.extend(given) or 3)
    flags = ["--theme", "dark", "--fps", "5", "--no-mouse", "--ascii"]
    assert main([*TINY, "--algorithms", "reptile", "--pace", "7", *flags]) == 3
    session, preferred, first_pace = shown
    assert first_pace is None
    assert preferred == Preferences(theme="dark", fps=5, mouse=False, ascii=True)
    assert session.connection.id == only_session().id
    (snapshot,) = session.snapshots().values()
    assert (snapshot.algorithm, snapshot.target, snapshot.pace) == ("reptile", 5, 7.0)
    session.stop(save=False)
    session.detach()


@pytest.mark.parametrize(
    ("folders", "tokens", "pace"),
    [
        ((), (), 1_667.0),
        (("fomaml-source", "reptile-source"), ("--theme", "dark"), 1_667.0),
        (("fomaml-source", "fomaml-mine"), (), None),
        ((), ("--seed", "1"), None),
        ((), ("--config", "my.toml"), None),
    ],
)
def test_only_a_first_run_without_settings_is_paced(monkeypatch, tmp_path, folders, tokens, pace):
    monkeypatch.chdir(tmp_path)
    for name in folders:
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
        (tmp_path / "checkpoints" / name / "run.json").touch()
    (tmp_path / "my.toml").write_text("seed = 1\n")
    paces = []
    monkeypatch.setattr(train, "show", lambda *given: paces.append(given[-1]) or 0)
    assert main([*tokens]) == 0
    assert paces == [pace]


@pytest.mark.parametrize("command", [[], ["attach"]])
def test_a_flag_of_the_dashboard_that_cannot_be_is_refused_before_anything_trains(
    command, monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr(train, "require_terminal", lambda: None)
    assert main([*command, "--fps", "0"]) == 2
    assert "--fps: must be a number from 0.1 to 60, got 0.0" in one_line(capsys)
    assert not (tmp_path / "checkpoints").exists()


def test_resuming_names_the_checkpoint_and_continues(tmp_path, capsys):
    assert main(["--no-tui", *TINY, "--name", "x", "--algorithms", "fomaml"]) == 0
    capsys.readouterr()
    run = "checkpoints/fomaml-x"
    assert main(["resume", "--no-tui", run, "--iterations", "8"]) == 0
    out, err = capsys.readouterr()
    assert err == f"resuming {run}/000000005.safetensors\n"
    assert "from 5 to 8" in out
    assert (tmp_path / run / "000000008.safetensors").exists()


def test_a_run_cannot_be_resumed_twice_at_once(capsys):
    main(["--no-tui", *TINY, "--name", "x", "--algorithms", "fomaml"])
    capsys.readouterr()
    run = "checkpoints/fomaml-x"
    assert main(["resume", "--no-tui", run, run]) == 2
    assert "one after the other" in one_line(capsys)


def test_a_resumed_run_does_not_go_back(capsys):
    main(["--no-tui", *TINY, "--name", "x", "--algorithms", "fomaml"])
    capsys.readouterr()
    assert main(["resume", "--no-tui", "checkpoints/fomaml-x", "--iterations", "3"]) == 2
    assert "already at iteration 5; use a higher --iterations" in one_line(capsys)


def test_json_cannot_be_combined_with_detach(capsys):
    assert main(["--detach", "--json", *TINY]) == 2
    assert "cannot be combined with --detach" in one_line(capsys)


@pytest.mark.parametrize("home", [None, "", "rel"])
def test_without_a_home_no_completion_is_installed(home, tmp_path, monkeypatch, capsys):
    without_home(monkeypatch)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    assert main(["--install-completion", "--shell", "bash"]) == 2
    problem = "there is no home folder to install completion in; set HOME"
    assert one_line(capsys) == f"error: {problem}"
    assert not list(tmp_path.iterdir())


def test_where_no_session_can_be_registered_the_dashboard_trains_the_runs_itself(
    monkeypatch, capsys
):
    shown = []
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc/none")
    monkeypatch.setattr("core.remote.registry.TEMPORARY", ())  # other tests have sessions there
    monkeypatch.setattr(train, "require_terminal", lambda: None)
    monkeypatch.setattr(dashboard, "run_dashboard", lambda session, *_: shown.append(session) or 0)
    assert main(TINY) == 0
    assert isinstance(shown[0], LocalSession)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "training stops when this terminal closes: /proc/none/tui-meta: sessions"
    )


@pytest.mark.parametrize(("chosen", "used"), [(None, "1"), ("4", "4")])
def test_numpy_starts_threads_only_for_a_user_who_asks_for_them(
    chosen: str | None, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    if chosen:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", chosen)
    monkeypatch.setattr(sys, "argv", ["tui-meta", "--version"])
    monkeypatch.setattr("gc.set_threshold", lambda *_: None)
    assert run() == 0
    assert os.environ["OPENBLAS_NUM_THREADS"] == used
