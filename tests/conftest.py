"""One hypothesis profile for the suite: the same examples on every machine, no time limits.

``pytest --hypothesis-profile=search`` looks for new counterexamples instead.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.sessions import place_of_its_own

settings.register_profile(
    "suite", deadline=None, derandomize=True, database=None, max_examples=25, print_blob=True
)
settings.register_profile("search", deadline=None, max_examples=1_000)
settings.load_profile("suite")


@pytest.fixture(autouse=True, scope="session")
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What is kept beside runs is kept there, and a person's own settings do not count."""
    home = tmp_path_factory.mktemp("state")
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_STATE_HOME", str(home))
    patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    yield home
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def sessions_place() -> Iterator[Path]:
    """Sessions that tests begin are found by them alone, and end with them."""
    with place_of_its_own() as folder:
        yield folder
