"""What a dashboard has told the garbage collector does not outlive its test."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def ordinary_garbage_collection() -> Iterator[None]:
    yield
    gc.unfreeze()
