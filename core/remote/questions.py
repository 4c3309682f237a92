"""The questions of one watcher: answered beside everything else, and given up when it leaves."""

from __future__ import annotations

import asyncio
import threading

from core.analysis.executors import Executors
from core.errors import LabError
from core.remote.protocol import Answered, Ask, Message, Partly, to_frame
from core.remote.subscriber import Subscriber
from core.session.api import Session

MOST_QUESTIONS = 8
"""How many of one watcher may wait for their answers."""


class Questions:
    """Asks ``session`` what ``watcher`` wants to know, in threads that all watchers share."""

    def __init__(self, session: Session, watcher: Subscriber, lanes: Executors) -> None:
        self._session = session
        self._watcher = watcher
        self._lanes = lanes
        self._open: dict[int, threading.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, asked: Ask) -> None:
        """Answer in a while; one question too many is refused."""
        if len(self._open) >= MOST_QUESTIONS or asked.number in self._open:
            self._tell(Answered(asked.number, problem="too many questions wait; try again"))
            return
        self._open[asked.number] = threading.Event()
        task = asyncio.ensure_future(self._answer(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self, number: int) -> None:
        """Give up question ``number``."""
        if number in self._open:
            self._open[number].set()

    def close(self) -> None:
        """Give up all of them."""
        for cancelled in self._open.values():
            cancelled.set()

    async def _answer(self, asked: Ask) -> None:
        loop, number = asyncio.get_running_loop(), asked.number

        def progress(done: int, total: int) -> None:
            loop.call_soon_threadsafe(self._tell, Partly(number, done, total))

        try:
            answer = await loop.run_in_executor(
                self._lanes.executor_for(asked.question),
                self._session.ask,
                asked.question,
                progress,
                self._open[number].is_set,
            )
            self._tell(Answered(number, answer))
        except LabError as error:
            self._tell(Answered(number, problem=str(error)))
        finally:
            del self._open[number]

    def _tell(self, message: Message) -> None:
        self._watcher.tell(to_frame(message))
