"""The Lab, opened for a test, and what is drawn there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.saved_runs import answered
from tests.support.dashboard.watch import settle
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.lab.screen import LabPage
from tui_meta.views.plots.plot import Series
from tui_meta.widgets.chart import Chart


@asynccontextmanager
async def in_lab(
    session: FakeSession | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], LabPage]]:
    async with TuiMetaApp(session or FakeSession()).run_test(size=size) as pilot:
        await settle(pilot)
        await answered(pilot, "a")
        page = pilot.app.screen
        assert isinstance(page, LabPage)
        yield pilot, page


def chart(page: LabPage, name: str = "waves") -> tuple[Series, ...]:
    plot = page.query_one(f"#{name}", Chart).plot
    assert plot is not None
    return plot.series


def drawn(page: LabPage, label: str, name: str = "waves") -> Series:
    return next(one for one in chart(page, name) if one.label == label)


def points(page: LabPage) -> list[tuple[float, float]]:
    support = drawn(page, "support")
    return list(zip(support.x, support.y, strict=True))


def cursor(page: LabPage) -> tuple[float, float]:
    last = chart(page)[-1]
    return last.x[0], last.y[0]
