"""Copies and screenshots in the user's state folder."""

from pathlib import Path

import pytest

from tui_meta.screens import copies


def test_a_copy_of_a_name_that_is_not_unicode_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "user_state_path", lambda *_, **__: tmp_path)
    # A folder's name whose bytes are not UTF-8 has such characters.
    assert copies.keep_copy("runs", "run-\udcff").read_text() == "run-\\udcff"
