"""An SSH server on the loopback interface with its own keys, for one test."""

import getpass
import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.terminals.dashboards import until

SERVER = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

PRIVILEGES = Path("/run/sshd")
"""The folder for the unprivileged part of a server that root starts."""


def missing() -> str:
    """Return what is missing to start a server; empty if nothing is."""
    if SERVER is None or not shutil.which("ssh") or not shutil.which("ssh-keygen"):
        return "OpenSSH's server, client and ssh-keygen are not installed"
    if os.getuid() == 0:
        try:
            PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
        except OSError as error:
            return f"{PRIVILEGES} cannot be made: {error.strerror}"
    return ""


@dataclass(frozen=True)
class Server:
    """A listening server with the keys of host and user."""

    folder: Path
    port: int

    def command(self, remote: Sequence[str], cwd: Path, variables: Mapping[str, str]) -> list[str]:
        """The client's command that runs ``remote`` there in a terminal."""
        settings = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
        line = f"cd {shlex.quote(str(cwd))} && exec env {' '.join(settings)} {shlex.join(remote)}"
        options = [
            "IdentitiesOnly=yes",
            f"IdentityFile={self.folder / 'user'}",
            "StrictHostKeyChecking=yes",
            f"UserKnownHostsFile={self.folder / 'known'}",
            "BatchMode=yes",
        ]
        chosen = [part for option in options for part in ("-o", option)]
        address = f"{getpass.getuser()}@127.0.0.1"
        return ["ssh", "-tt", "-F", "none", *chosen, "-p", str(self.port), address, line]


@contextmanager
def ssh_server(folder: Path) -> Iterator[Server]:
    """A server whose files are in ``folder``."""
    assert SERVER is not None
    for name in ("host", "user"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(make, check=True, stdin=subprocess.DEVNULL)
    (folder / "let-in").write_text((folder / "user.pub").read_text())
    port = free_port()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    settings = {
        "ListenAddress": "127.0.0.1",
        "Port": port,
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "let-in",
        "PidFile": folder / "pid",
        "UsePAM": "no",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
    }
    (folder / "config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [SERVER, "-D", "-e", "-f", str(folder / "config")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: process.poll() is not None or listens(port), "the SSH server listens")
        assert process.poll() is None, (folder / "log").read_text()
        yield Server(folder, port)
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0
