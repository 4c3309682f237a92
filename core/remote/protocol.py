"""The messages that clients and a session exchange over a socket, and their size limits.

A message is its length in four bytes, then MessagePack. Only what has been decoded into one of the
types below is trusted. A client sends ``Hello``, then any number of ``Call`` and ``Cancel``; the
session answers each call with one ``Reply``, and sends an ``Update`` when something has changed.
"""

import functools
import struct
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.msgpack import Decoder

from core.analysis.answers import AnyAnswer
from core.analysis.questions import AnyQuestion
from core.commands import AnyCommand
from core.errors import ConfigError, SessionError
from core.evaluation.few_shot_tasks import ProbeName
from core.events import AnyEvent, Evaluated
from core.session.api import View
from core.session.run_requests import AddRequest

PROTOCOL = 6
"""Grows whenever a message changes. Only ``Hello`` and ``Rejected`` must stay readable by other
versions: a client and a session of different numbers get no further."""

LONGEST_REQUEST = 64 * 2**10
"""Bytes that a client may send as one message."""

LONGEST_REPLY = 32 * 2**20
"""Bytes that a session may send as one message; a long backlog has about one million."""

LONGEST_NAME = 60
"""Characters of a subscriber's name."""

LONGEST_PROBLEM = 1_000
"""Characters of an error message."""

LONGEST_VIEW = 1_024
"""Bytes of the view that a client stores."""

HEAD = struct.Struct(">I")


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """Base of all messages."""


class Hello(Message, frozen=True, kw_only=True):
    """The first message of a client.

    With ``status_only`` the session replies with its status and closes the connection. A client
    with ``progress`` receives every training loss; a dashboard draws the curve of the snapshots
    and needs none of them.
    """

    protocol: int
    program: str
    status_only: bool = False
    read_only: bool = False
    progress: bool = False
    name: str = ""


class Send(Message, frozen=True):
    """Send a command to ``run``, or to every run."""

    command: AnyCommand
    run: str | None = None


class EvaluateNext(Message, frozen=True, tag="probe"):
    """Evaluate ``run``, or every run, on the next task of ``probe``."""

    probe: ProbeName
    run: str | None = None


class Restart(Message, frozen=True, tag="fresh"):
    """Restart the runs with the next seed."""


class Add(Message, frozen=True):
    """Train one more run: the reply names it."""

    run: AddRequest


class End(Message, frozen=True):
    """End the runs, with a checkpoint if ``save``: answered by ``Ended``, or a refusal."""

    save: bool


class Remember(Message, frozen=True):
    """Store ``view`` for the next client."""

    view: View


class Sync(Message, frozen=True):
    """Reply once every earlier call has been handed on and every event so far has been sent."""


class Ask(Message, frozen=True):
    """Answer ``question``, with ``CallProgress`` on the way."""

    question: AnyQuestion


Request = Send | EvaluateNext | Restart | Add | End | Remember | Sync | Ask


class Call(Message, frozen=True):
    """A request; the reply to it has the same ``id``, a positive number that the client chooses."""

    id: int
    request: Request


class Cancel(Message, frozen=True):
    """The client no longer needs the answer to call ``id``."""

    id: int


ClientMessage = Call | Cancel


class RunProgress(msgspec.Struct, frozen=True):
    """State and iteration of a run, for a list of sessions."""

    run: str
    state: str
    iteration: int
    target: int


class SessionStatus(Message, frozen=True, kw_only=True, tag="welcome"):
    """The answer to ``Hello``.

    ``name`` is the unique name that the session gives the subscriber; paths in events are relative
    to ``cwd``.
    """

    id: str
    name: str
    cwd: str = ""
    view: View = {}
    runs: tuple[RunProgress, ...] = ()
    subscribers: tuple[str, ...] = ()


class Rejected(Message, frozen=True, tag="unfit"):
    """The answer to an invalid ``Hello``, or the last message of a broken connection."""

    problem: str


class CurveTail(msgspec.Struct, frozen=True, array_like=True):
    """The points of a loss curve from index ``start`` on; those before it have not changed."""

    start: int
    iterations: tuple[int, ...]
    losses: tuple[float, ...]


class SnapshotChange(msgspec.Struct, frozen=True):
    """The fields of a run's snapshot that have changed, and the new end of its curve."""

    run: str
    fields: dict[str, str | int | float | bool | dict[str, Any] | None]
    curve: CurveTail | None = None


EvaluationRow = tuple[str, int, float, int, tuple[float, ...], str, float, float, float | None]
"""An abridged periodic evaluation, a quarter of its bytes: most are only a row of a table.

The fields are run, iteration, time, index, parameters and label of the task, loss before and after,
training loss. A sine wave has no label.
"""


def to_row(event: AnyEvent) -> AnyEvent | EvaluationRow:
    """Return an abridged periodic evaluation as a row, and any other event as it is."""
    if not (isinstance(event, Evaluated) and event.probe == "validation" and event.is_abridged):
        return event
    task = event.task, event.label if isinstance(event.label, str) else ""
    losses = event.losses[0], event.losses[-1], event.training_loss
    return (event.run, event.iteration, event.time, event.index, *task, *losses)


class Update(Message, frozen=True, kw_only=True, omit_defaults=True, tag="news"):
    """New events and changed snapshots. With ``past``, the events are of earlier sessions.

    ``runs``, ``folders`` and ``subscribers`` (their number) are empty while they do not change.
    """

    events: tuple[AnyEvent | EvaluationRow, ...] = ()
    changes: tuple[SnapshotChange, ...] = ()
    runs: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    subscribers: int = 0
    past: bool = False

    def all_events(self) -> Iterator[AnyEvent]:
        """Yield all events in order; of a row, an abridged evaluation."""
        for event in self.events:
            yield _from_row(event) if isinstance(event, tuple) else event


class Reply(Message, frozen=True):
    """The result of call ``id``: ``problem`` where it was refused, else done or the ``answer``.

    ``id`` is 0 for a message that could not be decoded, and ``run`` names a run that was added.
    """

    id: int
    problem: str = ""
    answer: AnyAnswer | None = None
    run: str = ""


class CallProgress(Message, frozen=True, tag="progress"):
    """``done`` of ``total`` tasks of call ``id`` are done."""

    id: int
    done: int
    total: int


class Ended(Message, frozen=True):
    """All runs have ended, and so does the session."""


ServerMessage = SessionStatus | Rejected | Update | Reply | CallProgress | Ended


class RemoteError(SessionError):
    """A session cannot be reached, or refuses a call."""


def to_frame(message: Message) -> bytes:
    """Encode ``message`` with its length."""
    body = msgspec.msgpack.encode(message)
    return HEAD.pack(len(body)) + body


@functools.cache
def _decoder(kind: Any) -> Decoder[Any]:
    """Return the decoder of a type; it takes milliseconds of a start, and each side needs few."""
    return Decoder(kind)


def decode_hello(content: bytes) -> Hello:
    """Decode the first message of a client; raises one of ``NOT_A_MESSAGE``, as those below."""
    hello: Hello = _decoder(Hello).decode(content)
    return hello


def decode_client_message(content: bytes) -> ClientMessage:
    """Decode a later message of a client."""
    message: ClientMessage = _decoder(ClientMessage).decode(content)
    return message


def decode_server_message(content: bytes) -> ServerMessage:
    """Decode a message of a session."""
    message: ServerMessage = _decoder(ServerMessage).decode(content)
    return message


NOT_A_MESSAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ConfigError)
"""Errors that the decoders raise for bytes that are not one of their messages."""


def one_line(text: object) -> str:
    """Return ``text`` from the other side without line breaks or terminal control sequences."""
    return "".join(filter(str.isprintable, str(text)))[:LONGEST_PROBLEM] or "no reason given"


def _from_row(row: EvaluationRow) -> Evaluated:
    run, iteration, time, index, parameters, label, before, after, training_loss = row
    task: dict[str, Any] = {"parameters": parameters, "label": label, "query_y": ()}
    if not label and len(parameters) == 2:
        task = {"amplitude": parameters[0], "phase": parameters[1]}
    return Evaluated(
        probe="validation",
        run=run,
        iteration=iteration,
        time=time,
        index=index,
        losses=(before, after),
        training_loss=training_loss,
        **task,
    )
