"""Dashboards are quick."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def quick(quick_dashboards: None) -> None:
    """All dashboards are quick."""
