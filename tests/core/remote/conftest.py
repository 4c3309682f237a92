"""Each test here has a place for sockets of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remotes import folder_for_sockets


@pytest.fixture(autouse=True)
def runtime() -> Iterator[Path]:
    with folder_for_sockets() as folder:
        yield folder
