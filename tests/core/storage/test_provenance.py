"""The provenance of a run in its ``run.json``."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

import core.storage.provenance
from core.storage.provenance import git_commit, installed_versions
from core.storage.run_folder import read_record
from core.version import VERSION
from tests.support.runs import ended, paused_at


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that is in no repository."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return folder


def git(*words: str) -> str:
    user = ["-c", "user.name=a", "-c", "user.email=a@b"]
    return subprocess.run(
        ["git", *user, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_a_run_names_the_commit_of_the_working_directory(tmp_path: Path) -> None:
    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "one")
    trainer, _ = paused_at(1, tmp_path)
    ended(trainer)
    assert read_record(tmp_path / "run").commit == git("rev-parse", "HEAD")


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_a_repository_without_a_commit_has_none() -> None:
    git("init", "--quiet")
    assert git_commit() is None


def test_outside_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    trainer, _ = paused_at(1, tmp_path)
    ended(trainer)
    assert read_record(tmp_path / "run").commit is None


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit() is None


def test_git_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(core.storage.provenance, "GIT_SECONDS", 0.1)
    assert git_commit() is None


@pytest.mark.parametrize("found", [lambda _: None, Mock(side_effect=KeyError("Version"))])
def test_versions_are_unknown_while_a_package_is_replaced(
    monkeypatch: pytest.MonkeyPatch, found: Callable[[str], str]
) -> None:
    core.storage.provenance._found_version.cache_clear()
    monkeypatch.setattr(importlib.metadata, "version", found)
    versions = installed_versions()
    del versions["numpy instructions"]
    assert set(versions.values()) == {VERSION, "unknown"}


def test_versions_name_the_instructions_that_numpy_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"SIMD Extensions": {"baseline": ["X86_V2"], "found": ["X86_V3"]}}
    monkeypatch.setattr(np, "show_config", lambda mode: found)
    assert installed_versions()["numpy instructions"] == "X86_V2 X86_V3"
