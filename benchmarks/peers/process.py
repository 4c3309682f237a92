"""A peer in a process of its own, as the measuring process sees it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.environment import ONE_THREAD, PEERS_VENV, ROOT, environment
from benchmarks.peers import PEERS
from benchmarks.rounds import calibrate_length


class PeerError(Exception):
    """A peer could not start, or ended early."""


class PeerProcess:
    """Runs a peer and times it; a context manager that ends the process."""

    def __init__(self, name: str, extra: Mapping[str, str]) -> None:
        self.entry = PEERS[name]
        self._name = name
        self._lengths: dict[str, int] = {}
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed on leaving)
        python = str(PEERS_VENV / "bin" / "python") if self.entry.extra_packages else sys.executable
        if not Path(python).exists():
            raise PeerError(f"{name}: its packages are not installed")
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.peers.serve", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env=environment({**ONE_THREAD, **extra}),
            text=True,
        )
        self._chunk = int(self._answer()["chunk"])
        self._processor = 0.0
        self._wall = 0.0

    def __enter__(self) -> PeerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def warm_up(self, seconds: float) -> None:
        """Compile, and calibrate the number of iterations per turn. Raises ``PeerError``."""
        for algorithm in self.entry.algorithms:
            self._lengths[algorithm] = calibrate_length(
                lambda n, algorithm=algorithm: self._run(algorithm, n),  # type: ignore[misc]
                seconds,
                self._chunk,
            )
        self._processor = self._wall = 0.0

    def microseconds(self, algorithm: str) -> float:
        """Return the wall time of one meta-iteration. Raises ``PeerError``."""
        n = self._lengths[algorithm]
        return self._run(algorithm, n) / n * 1e6

    @property
    def threads(self) -> float:
        """Processor seconds per second of wall time since the warm-up: 1 for a single thread."""
        return self._processor / self._wall

    def _run(self, algorithm: str, iterations: int) -> float:
        stdin = self._process.stdin
        assert stdin is not None, "it is a pipe"
        stdin.write(f"{algorithm} {iterations}\n")
        stdin.flush()
        answer = self._answer()
        self._processor += answer["processor"]
        self._wall += answer["wall"]
        return float(answer["wall"])

    def _answer(self) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None, "it is a pipe"
        line = stdout.readline()
        if not line:
            self._errors.seek(0)
            last = self._errors.read().strip().splitlines()[-1:] or ["it ended"]
            raise PeerError(f"{self._name}: {last[0].partition(' (')[0]}")
        return dict(json.loads(line))
