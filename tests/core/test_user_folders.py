"""The user's folders, with and without a home; nothing is ever written relative to the present."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from core.engines.fused.network import cache_file
from core.engines.fused.signatures import Variant
from core.user_folders import user_folder, with_home
from tests.support.homes import without_home

Kind = Literal["cache", "config", "state"]
KINDS: list[Kind] = ["cache", "config", "state"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_is_in_the_home_or_where_its_variable_says(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_home(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_folder(kind).is_relative_to(tmp_path)
    monkeypatch.setenv(f"XDG_{kind.upper()}_HOME", str(tmp_path / "other"))
    assert user_folder(kind) == tmp_path / "other" / "tui-meta"


@pytest.mark.parametrize("home", [None, "", "rel"])
@pytest.mark.parametrize("kind", KINDS)
def test_without_a_home_there_is_no_folder(
    kind: Kind, home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_home(monkeypatch)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    with pytest.raises(OSError, match="there is no home folder; set HOME"):
        user_folder(kind)


def test_kernels_are_not_cached_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    without_home(monkeypatch)
    assert cache_file(Variant("float32")) is None


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_kernels_are_not_cached_relative_to_the_working_folder(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_home(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "rel")
    assert cache_file(Variant("float32")) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["~\0", "~no-such-user/x", "a/~", "\ud800", "~\ud800/x", "", "x" * 10_000]
)
def test_whatever_is_typed_as_a_path_is_one(text: str) -> None:
    assert with_home(text) == text
