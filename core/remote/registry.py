"""The sessions of a user on this machine: a private folder with a socket and an entry for each."""

import fcntl
import os
import socket
import stat
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from core.errors import reason
from core.remote.protocol import RemoteError
from core.storage.provenance import command_line

MOST_SESSIONS = 1_000

LONGEST_PATH = 103
"""Bytes of a socket's path that every system accepts."""

RUNTIME = "/run/user"
"""Parent of the folders that a login sets ``XDG_RUNTIME_DIR`` to, and a timed job does not."""

TEMPORARY = ("/tmp", "/var/tmp")
"""Folders for sessions where no variable names one; ``/tmp`` is on every system."""

UNFINISHED_SECONDS = 60.0
"""An older entry without content was left by a process that died while it wrote it."""

LONGEST_ENTRY = 64 * 2**10


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The entry of a session beside its socket. ``started`` is in seconds since the epoch."""

    id: str
    pid: int
    started: float
    command: list[str]


class SessionEndpoint:
    """The endpoint of one session: ``id.json``, locked while the session lives, and ``id.sock``.

    Created by the process of the session; raises ``RemoteError`` where that is not possible.
    """

    def __init__(self) -> None:
        self._folder = sessions_folder()
        self._started = time.time()
        self._register()
        try:
            self.listening = self._bind()
        except RemoteError:
            self.remove()
            raise

    def exists(self) -> bool:
        """Return if the session can be found: a system may clear the folder at a logout."""
        return self._holds_entry() and (self._folder / f"{self.id}.sock").exists()

    def restore(self) -> None:
        """Create folder, entry and socket again, under the same number if it is free.

        Raises ``RemoteError``; it can be tried again then.
        """
        self._folder = sessions_folder()
        if not self._holds_entry():
            before = self._descriptor
            self._register(int(self.id))
            os.close(before)
        self.listening = self._bind()

    def remove(self) -> None:
        """Remove entry and socket, unless they belong to another session by now."""
        if self._holds_entry():
            for ending in ("sock", "json"):
                with suppress(OSError):
                    (self._folder / f"{self.id}.{ending}").unlink()
        os.close(self._descriptor)

    def _holds_entry(self) -> bool:
        return _is_at(self._descriptor, self._folder / f"{self.id}.json")

    def _bind(self) -> socket.socket:
        """Return a socket that listens here, for this user alone; raises ``RemoteError``.

        It gets its name once it listens: until then a client would be refused.
        """
        path = self._folder / f"{self.id}.sock"
        unnamed = self._folder / f"{self.id}.new"
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            unnamed.unlink(missing_ok=True)
            listening.bind(str(unnamed))
            unnamed.chmod(0o600)
            listening.listen(64)
            unnamed.replace(path)
        except BaseException as error:
            listening.close()
            with suppress(OSError):
                unnamed.unlink(missing_ok=True)
            if not isinstance(error, OSError):
                raise
            problem = f"{path}: cannot listen here ({reason(error)})"
            raise RemoteError(f"{problem}; set XDG_RUNTIME_DIR to another folder") from error
        return listening

    def _register(self, first: int = 1) -> None:
        """Take the lowest free number from ``first`` on; raises ``RemoteError``."""
        taken = {entry.id for entry in live_sessions()}  # which removes what dead ones have left
        for number in range(first, MOST_SESSIONS + 1):
            if str(number) in taken:
                continue
            try:
                self._descriptor = self._write_entry(str(number))
            except FileExistsError:
                continue
            except OSError as error:
                raise _unusable(self._folder, error) from error
            self.id = str(number)
            return
        raise RemoteError(f"{self._folder}: there are {MOST_SESSIONS:,} sessions; stop some first")

    def _write_entry(self, id: str) -> int:
        """Create and lock the entry ``id`` and return its descriptor; raises ``OSError``."""
        file = self._folder / f"{id}.json"
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _lock(descriptor)
            entry = SessionInfo(
                id=id, pid=os.getpid(), started=self._started, command=command_line()
            )
            os.pwrite(descriptor, msgspec.json.encode(entry), 0)
        except OSError:
            file.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return descriptor


def sessions_folder() -> Path:
    """Return the folder of all sessions; raises ``RemoteError`` if it is not private."""
    path = _folder_path(os.environ)
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise _unusable(path, error) from error
    if len(os.fsencode(path / f"{MOST_SESSIONS}.sock")) > LONGEST_PATH:
        problem = "path too long for a socket"
        raise RemoteError(f"{path}: {problem}; set XDG_RUNTIME_DIR to a folder with a shorter path")
    if not _is_private(found):
        is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
        problem = "other users can enter it" if is_own else "belongs to another user"
        raise RemoteError(f"{path}: {problem}; set XDG_RUNTIME_DIR to a folder of your own")
    return path


def _is_private(found: os.stat_result) -> bool:
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return is_own and not found.st_mode & 0o077


def searched_folders() -> list[Path]:
    """Return the folders of this user's sessions, that of new ones first; raises ``RemoteError``.

    A login, ``su`` and a timed job of one user have different variables. Only where
    ``XDG_RUNTIME_DIR`` is a folder of the user's own choice, no other one is searched. A folder
    that does not exist has no sessions.
    """
    folders: list[Path] = []
    user = str(os.getuid())
    system, chosen = os.path.join(RUNTIME, user), os.environ.get("XDG_RUNTIME_DIR", "")
    with suppress(RemoteError):
        folders.append(_folder_path(os.environ))
    if folders and os.path.lexists(folders[0]):
        folders = [sessions_folder()]
    if os.path.isabs(chosen) and os.path.isdir(chosen) and chosen != system:
        return folders
    temporary = filter(os.path.isabs, (os.environ.get("TMPDIR", ""), *TEMPORARY))
    for other in (Path(system, "tui-meta"), *(Path(one, f"tui-meta-{user}") for one in temporary)):
        with suppress(OSError):
            if other not in folders and _is_private(other.lstat()):
                folders.append(other)
    return folders or [_folder_path(os.environ)]


def _unusable(folder: Path, error: OSError) -> RemoteError:
    problem = f"{folder}: sessions cannot be registered here ({reason(error)})"
    return RemoteError(f"{problem}; set XDG_RUNTIME_DIR to a folder of your own")


def _folder_path(environment: Mapping[str, str]) -> Path:
    """Return the folder that these variables name; raises ``RemoteError`` without any.

    The working folder, where ``tempfile`` looks last, would hide sessions from other folders.
    """
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime):
        return Path(runtime) / "tui-meta"
    for parent in (environment.get("TMPDIR", ""), *TEMPORARY):
        if os.path.isabs(parent) and os.access(parent, os.W_OK | os.X_OK):
            return Path(parent) / f"tui-meta-{os.getuid()}"
    raise RemoteError(
        f"sessions cannot be registered: neither TMPDIR nor {' nor '.join(TEMPORARY)} can be "
        "written; set XDG_RUNTIME_DIR to a folder of your own"
    )


def require_endpoint() -> None:
    """Raise ``RemoteError`` where no session can be registered."""
    endpoint = SessionEndpoint()
    endpoint.listening.close()
    endpoint.remove()


def places_searched() -> str:
    """Describe where sessions were looked for, and why another one may have been missed."""
    folders = " and ".join(map(str, searched_folders()))
    return f"looked in {folders}; another XDG_RUNTIME_DIR or TMPDIR has its own"


def live_sessions() -> Iterator[SessionInfo]:
    """Yield the running sessions by number; what dead ones have left is removed.

    Raises ``RemoteError``.
    """
    paths = [path for folder in searched_folders() for path in folder.glob("*.json")]
    found = [path for path in paths if path.stem.isdecimal()]
    for path in sorted(found, key=lambda path: int(path.stem)):
        entry = _read_live_entry(path)
        if entry is not None:
            yield entry


def socket_path(id: str) -> Path:
    """Return the path of the socket of session ``id``, which may not exist."""
    paths = [folder / f"{id}.sock" for folder in searched_folders()]
    return next((path for path in paths if path.exists()), paths[0])


def is_same_user(connected: socket.socket) -> bool:
    """Return if the process at the other end of ``connected`` belongs to this user."""
    # Elsewhere than on Linux, only the mode of the folder keeps other users out.
    return sys.platform != "linux" or _credentials(connected)[1] == os.getuid()


def peer_process(connected: socket.socket) -> int | None:
    """Return the process that listens at the other end of ``connected``; None if unknown."""
    return (sys.platform == "linux" and _credentials(connected)[0]) or None


def _credentials(connected: socket.socket) -> tuple[int, int]:
    """Return the process and the user at the other end of ``connected``, on Linux."""
    size = struct.calcsize("3i")
    pid, uid, _ = struct.unpack(
        "3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    return pid, uid


def _lock(descriptor: int) -> bool:
    """Take the lock that `filelock` takes; return whether it was free. Raises ``OSError``.

    Importing that takes as long as all the rest of this module needs.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Return if the open file ``descriptor`` is still the one at ``path``."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _read_live_entry(path: Path) -> SessionInfo | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        content = os.pread(descriptor, LONGEST_ENTRY, 0)
        if not content and time.time() - os.fstat(descriptor).st_mtime < UNFINISHED_SECONDS:
            return None
        if _lock(descriptor):
            # Another process may have removed it and started a session of this number since. The
            # entry goes last: until then the number, and with it the socket, cannot be taken.
            if _is_at(descriptor, path):
                path.with_suffix(".sock").unlink(missing_ok=True)
                path.unlink(missing_ok=True)
            return None
        return msgspec.json.decode(content, type=SessionInfo)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    finally:
        os.close(descriptor)
