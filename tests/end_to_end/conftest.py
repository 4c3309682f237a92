"""Each test here has sessions of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sessions import place_of_its_own


@pytest.fixture(autouse=True)
def own_place() -> Iterator[Path]:
    with place_of_its_own() as folder:
        yield folder
