"""Textual still prints tracebacks itself, and ignores exceptions of tasks."""

import asyncio

import pytest
from textual.app import App


class Failing(App[None]):
    def on_ready(self) -> None:
        raise RuntimeError("injected fault")


async def test_textual_still_prints_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    await Failing().run_async(headless=True)
    assert "injected fault" in capsys.readouterr().err


async def test_textual_still_leaves_exceptions_of_tasks_to_asyncio() -> None:
    async with App[None]().run_test():
        assert asyncio.get_running_loop().get_exception_handler() is None
