"""The face's end of the socket: messages out, messages in."""

from __future__ import annotations

import getpass
import os
import select
import socket
import threading
import time
from collections.abc import Iterator

from core.errors import Advice, reason
from core.remote.protocol import (
    HEAD,
    LONGEST_REPLY,
    NOT_A_MESSAGE,
    PROTOCOL,
    Hello,
    Message,
    Rejected,
    RemoteError,
    Reply,
    SessionStatus,
    decode_reply,
    one_line,
    to_frame,
)
from core.remote.registry import SessionInfo, is_same_user, live_sessions, socket_path
from core.version import VERSION

PATIENCE_SECONDS = 5.0
"""How long a session may take to answer, or to take in a message."""


class SessionSocket:
    """A connection to session ``id``; raises ``RemoteError`` where it cannot be made."""

    def __init__(self, id: str, hello: Hello) -> None:
        self.id = id
        self._sending = threading.Lock()
        self._deadline: float | None = None
        self._socket = _connected(id)
        try:
            self.send(hello)
            reply = self.answer()
        except RemoteError:
            self.close()
            raise
        if not isinstance(reply, SessionStatus):
            self.close()
            raise RemoteError(f"session {id} sent no welcome")
        self.welcome = reply

    def send(self, message: Message) -> None:
        """Raises ``RemoteError`` where the session takes nothing any more."""
        data = memoryview(to_frame(message))
        with self._sending:
            while data:
                data = data[self._sent(data) :]

    def _sent(self, data: memoryview) -> int:
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            waiting = select.poll()
            waiting.register(self._socket, select.POLLOUT)
            if not waiting.poll(PATIENCE_SECONDS * 1_000):
                raise RemoteError(f"session {self.id} takes no commands") from None
            return 0
        except OSError as error:
            raise RemoteError(f"session {self.id} has gone ({reason(error)})") from error

    def messages(self) -> Iterator[Reply]:
        """What the session says, until it ends; raises ``RemoteError``."""
        while True:
            head = self._read(HEAD.size)
            if not head:
                return
            (length,) = HEAD.unpack(head)
            if length > LONGEST_REPLY:
                raise RemoteError(f"session {self.id} sent a message of {length:,} bytes")
            try:
                yield decode_reply(self._read(length))
            except NOT_A_MESSAGE as error:
                problem = f"session {self.id} cannot be understood: {one_line(error)}"
                raise RemoteError(problem) from error

    def answer(self) -> Reply:
        """The next message, which must come soon; raises ``RemoteError``."""
        self._deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            reply = next(self.messages(), None)
        finally:
            self._deadline = None
            self._socket.settimeout(None)
        if reply is None:
            raise RemoteError(f"session {self.id} has ended")
        if isinstance(reply, Rejected):
            raise RemoteError(one_line(reply.problem))
        return reply

    def close(self) -> None:
        """End the connection, also for a thread that waits for messages."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it had ended
        finally:
            self._socket.close()

    def _read(self, size: int) -> bytes:
        """``size`` bytes, or none where the session has ended."""
        content = bytearray()
        try:
            while len(content) < size:
                if self._deadline is not None:
                    self._socket.settimeout(max(self._deadline - time.monotonic(), 0.001))
                piece = self._socket.recv(min(size - len(content), 2**16))
                if not piece:
                    return b""
                content += piece
        except TimeoutError as error:
            raise RemoteError(f"session {self.id} does not answer") from error
        except OSError:
            return b""
        return bytes(content)


def make_hello(*, look: bool = False, read_only: bool = False, progress: bool = False) -> Hello:
    """What this process says first."""
    return Hello(
        protocol=PROTOCOL,
        program=VERSION,
        look=look,
        read_only=read_only,
        progress=progress,
        name=_own_name(),
    )


def find_session(id: str | None) -> SessionInfo:
    """The session called ``id``, or the only one; raises ``RemoteError``."""
    living = {entry.id: entry for entry in live_sessions()}
    if id is None and len(living) == 1:
        return next(iter(living.values()))
    if id in living:
        return living[id]
    if not living:
        raise RemoteError("no session is running", Advice.START_SESSION)
    names = ", ".join(living)
    if id is None:
        raise RemoteError(f"several sessions are running; choose one of {names}")
    raise RemoteError(f"no session {id!r}; running: {names}")


def _connected(id: str) -> socket.socket:
    path = socket_path(id)
    connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connecting.connect(str(path))
    except OSError as error:
        connecting.close()
        raise RemoteError(f"session {id} cannot be reached ({reason(error)})") from error
    if not is_same_user(connecting):
        connecting.close()
        raise RemoteError(f"session {id} belongs to another user")
    return connecting


def _own_name() -> str:
    """The person and the terminal, as other watchers will see them."""
    try:
        person = getpass.getuser()
    except (KeyError, OSError):  # as Python 3.13 and older ones say that there is no such user
        person = str(os.getuid())
    try:
        terminal = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        terminal = f"process {os.getpid()}"
    return f"{person} on {terminal}"


def session_status(id: str) -> SessionStatus:
    """How session ``id`` stands; raises ``RemoteError``."""
    link = SessionSocket(id, make_hello(look=True))
    link.close()
    return link.welcome
