"""What can go wrong, fields first; a face turns any of these into one line and exit code 2."""

from dataclasses import dataclass
from pathlib import Path


class LabError(Exception):
    """Base of every error that a user can cause."""


@dataclass
class ConfigError(LabError):
    """A setting has a value that is not allowed."""

    field: str
    value: object
    allowed: str

    def __str__(self) -> str:
        try:
            value = repr(self.value)
        except ValueError:
            value = "a number of thousands of digits"
        shown = value if len(value) <= 60 else value[:57] + "..."
        return f"{self.field}: {shown} is not allowed; use {self.allowed}"


@dataclass
class UnknownSettingError(LabError):
    """A setting does not exist; ``suggestion`` says which do, or the nearest."""

    where: str
    key: str
    suggestion: str

    def __str__(self) -> str:
        return f"unknown setting {self.key!r} in {self.where}; {self.suggestion}"


@dataclass
class ConfigFileError(LabError):
    """A configuration file cannot be read."""

    path: Path
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


@dataclass
class CheckpointError(LabError):
    """A checkpoint cannot be read."""

    path: Path
    problem: str
    advice: str = "choose another checkpoint"

    def __str__(self) -> str:
        return _advised(self.path, self.problem, self.advice)


@dataclass
class RunFolderError(LabError):
    """A run folder cannot be created, read or written."""

    path: Path
    problem: str
    advice: str

    def __str__(self) -> str:
        return _advised(self.path, self.problem, self.advice)


@dataclass
class SessionError(LabError):
    """A session cannot do what it is asked."""

    problem: str

    def __str__(self) -> str:
        return self.problem


@dataclass
class EngineError(LabError):
    """An engine or a device cannot do what was asked of it."""

    asked: str
    problem: str
    advice: str

    def __str__(self) -> str:
        return _advised(self.asked, self.problem, self.advice)


@dataclass
class QuestionError(LabError):
    """A question has no answer."""

    asked: str
    problem: str
    advice: str

    def __str__(self) -> str:
        return _advised(self.asked, self.problem, self.advice)


def _advised(where: object, problem: str, advice: str) -> str:
    """One line: where it is, what is wrong, and what to do."""
    return f"{where}: {problem}; {advice}"


def reason(error: OSError) -> str:
    """What the operating system says is wrong, without the path."""
    return error.strerror or str(error)
