"""Fixtures of the laboratory's tests."""

import pytest

ENGINES = ("torch", "fused")
"""Every engine keeps every promise: a new one is added here."""


@pytest.fixture(params=ENGINES, scope="session")
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)
