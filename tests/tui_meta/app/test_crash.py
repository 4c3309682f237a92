"""The line about a crash, wherever its details can be written."""

from pathlib import Path

import pytest

from tests.support.homes import without_home
from tui_meta.app.crash import crash_line


def test_the_line_names_the_file_with_the_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    line = crash_line(ValueError("why"))
    (file,) = (tmp_path / "tui-meta").iterdir()
    assert line.endswith(f"ValueError: why; details are in {file}")
    assert "ValueError: why" in file.read_text()


def test_without_a_home_a_crash_is_still_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    without_home(monkeypatch)
    problem = "details could not be written: there is no home folder; set HOME"
    assert crash_line(ValueError("why")).endswith(f"ValueError: why; {problem}")
