"""Fixtures of the commands' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from tests.support.checkpoints import untrained_file
from tests.support.quick_parser import quick_parser


@pytest.fixture(autouse=True, scope="session")
def quick_command_lines() -> Iterator[None]:
    """Command lines in this process are parsed quickly."""
    with quick_parser():
        yield


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Checkpoints of an untrained FOMAML and Reptile, in the working folder."""
    monkeypatch.chdir(tmp_path)
    return [
        str(untrained_file(Path("a"), Fomaml(), seed=1)),
        str(untrained_file(Path("b"), Reptile(inner_lr=0.01), seed=2)),
    ]
