"""Each test here has a folder for sockets of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.remote.connection import make_hello
from tests.support.dashboard.fake_session import FakeSession
from tests.support.remotes import RawClient, Serving, served
from tests.support.sessions import folder_for_sockets


@pytest.fixture(autouse=True)
def runtime() -> Iterator[Path]:
    with folder_for_sockets() as folder:
        yield folder


@pytest.fixture
def session() -> FakeSession:
    return FakeSession({"fomaml": 3_000, "reptile": 2_000})


@pytest.fixture
def serving(session: FakeSession) -> Iterator[Serving]:
    with served(session) as serving:
        yield serving


@pytest.fixture
def raw(serving: Serving) -> Iterator[Callable[..., RawClient]]:
    opened: list[RawClient] = []

    def open_one(**options: bool) -> RawClient:
        opened.append(RawClient(serving.id))
        opened[-1].send(make_hello(**options))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
