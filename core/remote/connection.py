"""The client's end of the socket: messages out, messages in."""

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
    ServerMessage,
    SessionStatus,
    decode_server_message,
    one_line,
    to_frame,
)
from core.remote.registry import (
    SessionInfo,
    is_same_user,
    live_sessions,
    peer_process,
    places_searched,
    socket_path,
)
from core.version import VERSION

REPLY_SECONDS = 5.0
"""How long a session may take to reply to a hello, or to accept a message."""


class SessionSocket:
    """A connection to session ``id``; raises ``RemoteError`` where it cannot be made."""

    def __init__(self, id: str, hello: Hello, timeout: float = REPLY_SECONDS) -> None:
        self.id = id
        self._timeout = timeout
        self._sending = threading.Lock()
        self._deadline: float | None = None
        self._socket = _connected(id)
        try:
            self.send(hello)
            self.status = self._receive_status()
        except RemoteError:
            self.close()
            raise

    def _refused(self, problem: str) -> RemoteError:
        """Return the error of a session that this version cannot talk to, with a way to end it."""
        pid = peer_process(self._socket)
        advice = f"kill {pid} saves its runs and ends it" if pid else ""
        return RemoteError(problem, "" if f"kill {pid}" in problem else advice)

    def send(self, message: Message) -> None:
        """Send ``message``; raises ``RemoteError`` if the session does not accept it."""
        data = memoryview(to_frame(message))
        with self._sending:
            while data:
                data = data[self._send_some(data) :]

    def _send_some(self, data: memoryview) -> int:
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            waiting = select.poll()
            waiting.register(self._socket, select.POLLOUT)
            if not waiting.poll(self._timeout * 1_000):
                raise RemoteError(f"session {self.id} does not accept commands") from None
            return 0
        except OSError as error:
            raise RemoteError(f"session {self.id} cannot be reached ({reason(error)})") from error

    def messages(self) -> Iterator[ServerMessage]:
        """Yield the messages of the session until it ends; raises ``RemoteError``."""
        while True:
            head = self._read(HEAD.size)
            if not head:
                return
            (length,) = HEAD.unpack(head)
            if length > LONGEST_REPLY:
                raise RemoteError(f"session {self.id} sent a message of {length:,} bytes")
            try:
                yield decode_server_message(self._read(length))
            except NOT_A_MESSAGE as error:
                problem = f"session {self.id} sent an invalid message: {one_line(error)}"
                raise RemoteError(problem) from error

    def _receive_status(self) -> SessionStatus:
        self._deadline = time.monotonic() + self._timeout
        try:
            reply = next(self.messages(), None)
        except RemoteError as error:
            raise self._refused(error.problem) from error
        finally:
            self._deadline = None
            self._socket.settimeout(None)
        if reply is None:
            raise RemoteError(f"session {self.id} has ended")
        if isinstance(reply, Rejected):
            raise self._refused(one_line(reply.problem))
        if not isinstance(reply, SessionStatus):
            raise self._refused(f"session {self.id} did not send its status")
        return reply

    def close(self) -> None:
        """Close the connection, and wake a thread that waits for messages."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was closed already
        finally:
            self._socket.close()

    def _read(self, size: int) -> bytes:
        """Return ``size`` bytes, or none if the session has ended."""
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
            raise RemoteError(f"session {self.id} does not respond") from error
        except OSError:
            return b""
        return bytes(content)


def make_hello(**options: bool) -> Hello:
    """Return the first message of this process; ``options`` are fields of ``Hello``."""
    return Hello(protocol=PROTOCOL, program=VERSION, name=_own_name(), **options)


def session_status(id: str) -> SessionStatus:
    """Return the status of session ``id`` without subscribing; raises ``RemoteError``."""
    connected = SessionSocket(id, make_hello(status_only=True))
    connected.close()
    return connected.status


def find_session(id: str | None) -> SessionInfo:
    """Return session ``id``, or the only one; raises ``RemoteError``."""
    running = {entry.id: entry for entry in live_sessions()}
    if id is None and len(running) == 1:
        return next(iter(running.values()))
    if id in running:
        return running[id]
    if not running:
        raise RemoteError(f"no session is running ({places_searched()})", Advice.START_SESSION)
    names = ", ".join(running)
    if id is None:
        raise RemoteError(f"several sessions are running; choose one of {names}")
    raise RemoteError(f"no session {id!r} ({places_searched()}); running: {names}")


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
    """Return the user and the terminal, as other subscribers see them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # there is no such user: before Python 3.13, and since
        user = str(os.getuid())
    try:
        terminal = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        terminal = f"process {os.getpid()}"
    return f"{user} on {terminal}"
