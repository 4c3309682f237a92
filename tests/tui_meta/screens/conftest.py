"""Pictures of screens as text files."""

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.support.dashboard.pictures import TextPicture


@pytest.fixture
def text_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """The expected pictures of a test, in a file each."""
    return snapshot.use_extension(TextPicture)
