"""What faces and a session tell each other over a socket, and how long it may be.

A message is its length in four bytes, then MessagePack. Nothing is trusted that has not been
decoded into one of the types below.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from core.analysis.answers import AnyAnswer
from core.analysis.questions import AnyQuestion
from core.errors import ConfigError, LabError
from core.evaluation.protocols import ProbeName
from core.events import AnyCommand, AnyEvent, Evaluated
from core.session.api import View
from core.tasks.sine import SineTasks

PROTOCOL = 2
"""Grows whenever a message changes; two sides of different numbers do not talk."""

LONGEST_REQUEST = 64 * 2**10
"""Bytes that a face may send as one message."""

LONGEST_REPLY = 32 * 2**20
"""Bytes that a session may send as one message; a long story has about one million."""

LONGEST_NAME = 60
"""Characters of what a watcher calls itself."""

LONGEST_PROBLEM = 1_000
"""Characters of what is said to be wrong."""

LONGEST_VIEW = 1_024
"""Bytes of what a face wants to be remembered."""

HEAD = struct.Struct(">I")


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """Base of all messages."""


class Hello(Message, frozen=True, kw_only=True):
    """The first message of a face.

    ``look`` is told how the session stands, and no more. Every loss of training is told with
    ``progress``; a screen needs none of them, as it is shown the curve.
    """

    protocol: int
    program: str
    look: bool = False
    read_only: bool = False
    progress: bool = False
    name: str = ""


class Send(Message, frozen=True):
    """A command to ``run``, or to every run."""

    command: AnyCommand
    run: str | None = None


class Probe(Message, frozen=True):
    """Evaluate ``run``, or every run, on the next task of ``probe``."""

    probe: ProbeName
    run: str | None = None


class Fresh(Message, frozen=True):
    """Begin the runs anew with the next seed; answered by ``Done``."""

    ticket: int = 0


class End(Message, frozen=True):
    """End the runs, with a checkpoint if ``save``; answered by ``Ended``."""

    save: bool
    ticket: int = 0


class Remember(Message, frozen=True):
    """Keep ``view`` for the next face."""

    view: View


class Sync(Message, frozen=True):
    """Answered by ``Done`` once everything before it has been handed on, and all news told."""

    ticket: int = 0


class Ask(Message, frozen=True):
    """A question; answered by ``Partly`` and ``Answered`` of the same ``number``."""

    number: int
    question: AnyQuestion


class Cancel(Message, frozen=True):
    """Question ``number`` need not be answered any more."""

    number: int


Request = Send | Probe | Fresh | End | Remember | Sync | Ask | Cancel


class RunProgress(msgspec.Struct, frozen=True):
    """How a run stands, for a list."""

    run: str
    state: str
    iteration: int
    target: int


class SessionStatus(Message, frozen=True, kw_only=True, tag="welcome"):
    """The answer to ``Hello``.

    ``name`` is what the watcher is called from now on; paths in events are as seen from ``cwd``.
    """

    id: str
    name: str
    cwd: str = ""
    view: View = {}
    runs: tuple[RunProgress, ...] = ()
    subscribers: tuple[str, ...] = ()


class Rejected(Message, frozen=True, tag="unfit"):
    """The answer to a ``Hello`` that the session cannot serve, or the last word to a watcher."""

    problem: str


class EvaluationRow(msgspec.Struct, frozen=True, array_like=True):
    """An abridged periodic evaluation: most are only a row of a table.

    Which wave it was is not told, as nothing is drawn of it.
    ``place`` is its index among all events of its message.
    """

    place: int
    run: str
    iteration: int
    time: float
    index: int
    before: float
    after: float
    training_loss: float | None


class CurveTail(msgspec.Struct, frozen=True, array_like=True):
    """The points of a loss curve from index ``start`` on; those before are as they were."""

    start: int
    iterations: tuple[int, ...]
    losses: tuple[float, ...]


class SnapshotChange(msgspec.Struct, frozen=True):
    """What is new in the snapshot of ``run``: the fields that changed, and the curve's end."""

    run: str
    fields: dict[str, str | int | float | bool | SineTasks | None]
    curve: CurveTail | None = None


class Update(Message, frozen=True, kw_only=True, omit_defaults=True, tag="news"):
    """What has happened. With ``past``, the events are of earlier sittings.

    ``runs`` and ``folders`` are told when they are others than before.
    """

    events: tuple[AnyEvent, ...] = ()
    rows: tuple[EvaluationRow, ...] = ()
    changes: tuple[SnapshotChange, ...] = ()
    runs: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    subscribers: int = 0
    past: bool = False


class Done(Message, frozen=True):
    """A request is done, or is not: ``problem``. ``ticket`` is what the request said, if any."""

    problem: str = ""
    ticket: int = 0


class Partly(Message, frozen=True):
    """Of question ``number``, ``done`` of ``total`` tasks are done."""

    number: int
    done: int
    total: int


class Answered(Message, frozen=True):
    """The answer to question ``number``, or why there is none."""

    number: int
    answer: AnyAnswer | None = None
    problem: str = ""


class Ended(Message, frozen=True):
    """All runs have ended, and so does the session."""


Reply = SessionStatus | Rejected | Update | Done | Partly | Answered | Ended


@dataclass
class RemoteError(LabError):
    """A session cannot be reached, or cannot do what it was asked."""

    problem: str
    advice: str = ""

    @property
    def statement(self) -> str:
        return self.problem


def to_frame(message: Message) -> bytes:
    """``message`` as it goes over the socket."""
    body = msgspec.msgpack.encode(message)
    return HEAD.pack(len(body)) + body


decode_hello: Callable[[bytes], Hello] = msgspec.msgpack.Decoder(Hello).decode
decode_request: Callable[[bytes], Request] = msgspec.msgpack.Decoder(Request).decode
decode_reply: Callable[[bytes], Reply] = msgspec.msgpack.Decoder(Reply).decode

NOT_A_MESSAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ConfigError)
"""What the decoders raise for bytes that are none of their messages."""


def one_line(said: object) -> str:
    """``said`` by the other side, or of what it sent, without what a terminal would obey."""
    return "".join(filter(str.isprintable, str(said)))[:LONGEST_PROBLEM] or "for no reason told"


def pack_events(
    events: Sequence[AnyEvent], is_drawn: Callable[[Evaluated], bool]
) -> tuple[tuple[AnyEvent, ...], tuple[EvaluationRow, ...]]:
    """``events`` for the wire: those evaluations that are not drawn become rows."""
    whole: list[AnyEvent] = []
    rows: list[EvaluationRow] = []
    for place, event in enumerate(events):
        if not (isinstance(event, Evaluated) and event.probe == "validation") or is_drawn(event):
            whole.append(event)
            continue
        rows.append(
            EvaluationRow(
                place,
                event.run,
                event.iteration,
                event.time,
                event.index,
                event.losses[0],
                event.losses[-1],
                event.training_loss,
            )
        )
    return tuple(whole), tuple(rows)


def unpack_events(news: Update) -> list[AnyEvent]:
    """The events of ``news`` in order; the rows are abridged evaluations again."""
    whole = iter(news.events)
    rows = {row.place: row for row in news.rows}
    events: list[AnyEvent] = []
    for place in range(len(news.events) + len(news.rows)):
        row = rows.get(place)
        event = _of(row) if row else next(whole, None)
        if event is not None:
            events.append(event)
    return events


def _of(row: EvaluationRow) -> Evaluated:
    return Evaluated(
        probe="validation",
        run=row.run,
        iteration=row.iteration,
        time=row.time,
        index=row.index,
        amplitude=0.0,
        phase=0.0,
        losses=(row.before, row.after),
        training_loss=row.training_loss,
        support_x=(),
        support_y=(),
        query_x=(),
        before=(),
        after=(),
    )
