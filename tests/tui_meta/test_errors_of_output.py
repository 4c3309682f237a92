"""Errors that end a command name the file, or the place, that they come from."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tui_meta.cli.main import main
from tui_meta.console import STANDARD_OUTPUT, StandardOutput, describe_os_error
from tui_meta.views.messages.describe import display_path


@pytest.fixture
def deleted_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder that is deleted."""
    folder = tmp_path / "job"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


def test_standard_output_that_cannot_be_written_is_named() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with StandardOutput(full, "w") as stream, pytest.raises(OSError, match="No space") as raised:
        stream.write(b"a line")
    assert describe_os_error(raised.value) == f"{STANDARD_OUTPUT}: No space left on device"


def test_an_error_without_a_file_is_not_that_of_standard_output() -> None:
    with pytest.raises(OSError, match="Cannot allocate") as raised:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    line = describe_os_error(raised.value)
    assert line.startswith("internal error in test_errors_of_output.py:")
    assert line.endswith("OSError: [Errno 12] Cannot allocate memory")


@pytest.mark.usefixtures("deleted_folder")
def test_a_working_folder_that_was_deleted_is_named() -> None:
    with pytest.raises(FileNotFoundError) as raised:
        Path("run").resolve()
    expected = "the working folder was deleted; change to another folder"
    assert describe_os_error(raised.value) == expected


@pytest.mark.usefixtures("deleted_folder")
def test_a_path_is_shown_whole_where_the_working_folder_was_deleted() -> None:
    assert display_path("/runs/a/000000010.safetensors") == "/runs/a/000000010.safetensors"


@pytest.mark.usefixtures("deleted_folder")
@pytest.mark.parametrize(
    "words",
    [
        ["sweep", "rates", "--iterations", "1"],
        ["sweep", "rates", "--watch"],
        ["report", "rates"],
        ["reproduce", "reptile2018", "--iterations", "1"],
        ["reproduce", "reptile2018", "--report"],
        ["show", "run"],
        ["eval", "run"],
        ["config", "--config", "c.toml"],
        ["--tasks", "planes.py:Planes", "--no-tui"],
        ["--no-tui", "--iterations", "1"],
    ],
    ids=" ".join,
)
def test_a_command_in_a_deleted_folder_is_refused_in_a_line_with_the_cause(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert line.endswith("the working folder was deleted; change to another folder")
