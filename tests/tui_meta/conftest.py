"""What a dashboard has told the garbage collector does not outlive its test.

And over which connection the tests were started makes no difference.
"""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def ordinary_garbage_collection() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(variable, raising=False)
