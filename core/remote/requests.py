"""The requests of all subscribers: checked, passed to the session, and answered."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from core.analysis.executors import Executors
from core.commands import Evaluate
from core.errors import reason
from core.events import CommandIssued
from core.remote.protocol import (
    LONGEST_NAME,
    LONGEST_VIEW,
    Add,
    Ask,
    Call,
    CallProgress,
    Cancel,
    ClientMessage,
    End,
    EvaluateNext,
    Remember,
    Reply,
    Request,
    Restart,
    Send,
    Sync,
)
from core.remote.subscriber import Subscriber
from core.session.local import LocalSession
from core.session.run_requests import AddRequest

MOST_QUESTIONS = 8
"""Questions of one subscriber that may wait for their answers."""


class RequestHandler:
    """Handles requests in the thread of the server.

    ``flush`` sends all events so far; ``ended`` is set once a subscriber has ended the runs.
    """

    def __init__(
        self, session: LocalSession, flush: Callable[[], object], ended: threading.Event
    ) -> None:
        self._session = session
        self._flush = flush
        self._ended = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self._executors = Executors("questions")

    def handle(self, message: ClientMessage, subscriber: Subscriber) -> None:
        """Handle one message; a request that takes long is answered later."""
        if isinstance(message, Cancel):
            if message.id in subscriber.questions:
                subscriber.questions[message.id].set()
            return
        try:
            if problem := self._refusal(message, subscriber):
                subscriber.send(Reply(message.id, problem))
            else:
                self._do(message.id, message.request, subscriber)
        except Exception as error:
            subscriber.send(Reply(message.id, reason(error)))

    def forget(self, subscriber: Subscriber) -> None:
        """Cancel the questions of a subscriber that has left."""
        for cancelled in subscriber.questions.values():
            cancelled.set()

    def cancel(self) -> None:
        """Cancel what is being answered."""
        for task in self._tasks:
            task.cancel()

    def close(self) -> None:
        """End the threads that answer questions."""
        self._executors.close()

    def _refusal(self, call: Call, subscriber: Subscriber) -> str:
        """Return why a request is refused; empty if it is not."""
        changes_runs = not isinstance(call.request, Remember | Sync | Ask)
        if subscriber.hello.read_only and changes_runs:
            return "read-only session"
        match call.request:
            case Send(run=run) | EvaluateNext(run=run) if (
                run and run not in self._session.snapshots()
            ):
                return f"there is no run {run[:LONGEST_NAME]!r}"
            case Send(command=Evaluate(probe="validation")) | EvaluateNext(probe="validation"):
                return "the validation runs on its own"
            case Remember(view) if len(msgspec.msgpack.encode(view)) > LONGEST_VIEW:
                return "the view is too large to store"
            case Ask() if (
                len(subscriber.questions) >= MOST_QUESTIONS or call.id in subscriber.questions
            ):
                return "too many open questions; try again"
        return ""

    def _do(self, id: int, request: Request, subscriber: Subscriber) -> None:
        session = self._session
        match request:
            case Send(command, run):
                self._publish_issued(subscriber, type(command).__name__.lower(), run)
                session.send(command, run)
            case EvaluateNext(probe, run):
                self._publish_issued(subscriber, f"evaluate {probe}", run)
                session.evaluate(probe, run)
            case Remember(view):
                session.remember(view)
            case Sync():
                self._flush()
            case Restart():
                self._publish_issued(subscriber, "fresh", None)
                self._begin(self._restart(id, subscriber))
            case Add(run):
                self._begin(self._add(id, run, subscriber))
            case End(save):
                self._publish_issued(subscriber, "stop" if save else "discard", None)
                self._begin(self._end(id, subscriber, save=save))
            case Ask():
                subscriber.questions[id] = threading.Event()
                self._begin(self._answer(id, request, subscriber))
        if not isinstance(request, Restart | Add | End | Ask):
            subscriber.send(Reply(id))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _restart(self, id: int, subscriber: Subscriber) -> None:
        problem = ""
        async with self._changing:
            try:
                await asyncio.to_thread(self._session.restart)
            except Exception as error:
                problem = reason(error)
        self._flush()
        subscriber.send(Reply(id, problem))

    async def _add(self, id: int, request: AddRequest, subscriber: Subscriber) -> None:
        run = problem = ""
        async with self._changing:
            try:
                run = await asyncio.to_thread(self._session.add, request)
            except Exception as error:
                problem = reason(error)
        if run:
            self._publish_issued(subscriber, "add", run)
        self._flush()
        subscriber.send(Reply(id, problem, run=run))

    async def _end(self, id: int, subscriber: Subscriber, *, save: bool) -> None:
        try:
            async with self._changing:
                await asyncio.to_thread(self._session.stop, save=save)
        except Exception as error:
            subscriber.send(Reply(id, reason(error)))
        finally:
            self._ended.set()

    async def _answer(self, id: int, request: Ask, subscriber: Subscriber) -> None:
        loop = asyncio.get_running_loop()

        def progress(done: int, total: int) -> None:
            loop.call_soon_threadsafe(subscriber.send, CallProgress(id, done, total))

        try:
            answer = await loop.run_in_executor(
                self._executors.executor_for(request.question),
                self._session.ask,
                request.question,
                progress,
                subscriber.questions[id].is_set,
            )
            subscriber.send(Reply(id, answer=answer))
        except Exception as error:
            subscriber.send(Reply(id, reason(error)))
        finally:
            del subscriber.questions[id]

    def _publish_issued(self, subscriber: Subscriber, command: str, run: str | None) -> None:
        for name, snapshot in self._session.snapshots().items():
            if run in (None, name):
                self._session.publish(
                    CommandIssued(
                        run=name,
                        iteration=snapshot.iteration,
                        time=time.time(),
                        who=subscriber.name,
                        command=command,
                    )
                )
