"""``rm`` deletes the given runs after a confirmation."""

import io
import sys
from unittest.mock import patch

import pytest

from core.storage import delete as removal
from tests.support.run_folders import NASTY, make_run, started
from tui_meta.cli.main import main


@pytest.fixture
def two(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return [make_run(tmp_path / name, [started()]) for name in ("a", "b")]


def answering(monkeypatch, answer):
    """Answer the confirmation on a terminal with ``answer``."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(answer)))
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)


def test_yes_skips_the_confirmation(two, capsys):
    assert main(["rm", "a", "b", "--yes"]) == 0
    assert not any(path.exists() for path in two)
    assert capsys.readouterr().out.startswith("a: deleted 2 files, ")


@pytest.mark.parametrize("answer", [b"y\n", b"yes\n", b" Y \r\n"])
def test_runs_are_deleted_after_a_confirmation(two, monkeypatch, answer, capsys):
    answering(monkeypatch, answer)
    assert main(["rm", "a", "b"]) == 0
    assert "delete these 2 runs? [y/N] " in capsys.readouterr().out
    assert not any(path.exists() for path in two)


@pytest.mark.parametrize("answer", [b"\n", b"n\n", b"yup\n", b"\xff\n", b""])
def test_anything_but_yes_declines(two, monkeypatch, answer, capsys):
    answering(monkeypatch, answer)
    assert main(["rm", "a"]) == 0
    assert (two[0] / "run.json").is_file()
    assert "nothing was deleted" in capsys.readouterr().out


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_nothing_is_deleted_without_a_terminal_to_confirm_on(two, monkeypatch, stream, capsys):
    answering(monkeypatch, b"y\n")
    monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: False)
    assert main(["rm", "a"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "use --yes to skip" in line
    assert (two[0] / "run.json").is_file()


def test_all_are_looked_at_before_the_first_is_deleted(two, tmp_path, capsys):
    (tmp_path / "project").mkdir()
    assert main(["rm", "a", "project", "--yes"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "project: not a run folder" in line
    assert (two[0] / "run.json").is_file()


def test_a_run_that_is_trained_is_refused_and_its_owner_named(two, capsys):
    with patch.object(removal, "owner_words", return_value="process 7 on vm"):
        assert main(["rm", "a", "--yes"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "a: being trained by process 7 on vm; stop it first" in line
    assert (two[0] / "run.json").is_file()


def test_a_run_named_twice_is_deleted_once(two, tmp_path):
    assert main(["rm", "a", str(tmp_path / "a"), "./a", "--yes"]) == 0
    assert not two[0].exists()


def test_foreign_files_are_listed_and_kept(two, capsys):
    for name in ("notes.txt", NASTY, "x", "y"):
        (two[0] / name).touch()
    assert main(["rm", "a", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "the folder stays, with files not created by tui-meta" in out
    assert ", ..." in out
    assert all(char == "\n" or char.isprintable() for char in out)
    assert len(list(two[0].iterdir())) == 4


def test_a_name_is_shown_escaped(tmp_path, capsys):
    run = make_run(tmp_path / NASTY, [started()])
    assert main(["rm", str(run), "--yes"]) == 0
    out = capsys.readouterr().out
    assert all(char == "\n" or char.isprintable() for char in out)
    assert "[bold]mark" in out
