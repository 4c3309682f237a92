"""Copies and screenshots in the user's state folder."""

from pathlib import Path

import pytest

from tests.support.homes import without_home
from tui_meta.screens import copies


def test_a_copy_of_a_name_that_is_not_unicode_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "user_folder", lambda _: tmp_path)
    # A folder's name whose bytes are not UTF-8 has such characters.
    assert copies.keep_copy("runs", "run-\udcff").read_text() == "run-\\udcff"


def test_without_a_home_a_path_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    without_home(monkeypatch)
    assert copies.from_home(Path("/state/copies/a.tsv")) == "/state/copies/a.tsv"
