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


END_TO_END = Path(__file__).parent / "end_to_end"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the marks that follow from a test's folder and fixtures."""
    for item in items:
        if END_TO_END in item.path.parents:
            item.add_marker(pytest.mark.e2e)
        if "text_snapshot" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.picture)


@pytest.fixture(autouse=True, scope="session")
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state and settings of the tests, apart from the user's own."""
    home = tmp_path_factory.mktemp("state")
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_STATE_HOME", str(home))
    patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    yield home
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def sessions_place() -> Iterator[Path]:
    """A registry of the sessions that tests start; what is left there ends with the tests."""
    with place_of_its_own() as folder:
        yield folder
