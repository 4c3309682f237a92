"""Errors that a user can cause: fields first, rendered last.

* LabError
  * ConfigError
    x UnregisteredError
  x UnknownSettingError
  * SubjectError
    x ConfigFileError
    * CheckpointError
      x UnregisteredCheckpointError
    x RunFolderError
    x EngineError
    x ClusterError
    x QuestionError
  * SessionError
    x RemoteError (core.remote.protocol)

Advice never names a flag or a command: a user interface renders an ``Advice`` in its own terms.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Advice(StrEnum):
    """Advice that a user interface can make more precise, with its words where it cannot."""

    OTHER_OUTPUT = "choose another output folder"
    OTHER_NAME = "resume it or choose another name"
    MORE_ITERATIONS = "choose a higher target"
    OTHER_ENGINE = "use the torch engine"
    USE_CPU = "use the CPU"
    OTHER_CHECKPOINT = "choose another checkpoint"
    OTHER_RUN = "choose another run"
    LIST_RUNS = "list the runs"
    LIST_SESSIONS = "list the sessions to see whether it still starts"
    START_SESSION = "start one"
    STOP_RUN = "stop it first"
    SAVE_RUN = "save it first, or wait"
    CONTINUE_RUN = "train it first"
    REGISTER = "import the Python file that registers it"


class LabError(Exception):
    """Base of every error that a user can cause; ``advice`` is empty where there is none."""

    advice: str = ""

    @property
    def statement(self) -> str:
        """What is wrong, on one line, without the advice."""
        return super().__str__()

    def __str__(self) -> str:
        return f"{self.statement}; {self.advice}" if self.advice else self.statement


# Here and below without the methods that are never called: each takes 0.1 ms of every start.
@dataclass(eq=False, repr=False)
class ConfigError(LabError):
    """A setting has a value that is not allowed; ``requirement`` reads "must be ..."."""

    field: str
    value: object
    requirement: str

    @property
    def statement(self) -> str:
        try:
            value = repr(self.value)
        except ValueError:
            value = "a number of thousands of digits"
        except RecursionError:
            value = "tables or lists in one another, too deep to be shown"
        shown = value if len(value) <= 60 else value[:57] + "..."
        return f"{self.field}: {self.requirement}, got {shown}"


class UnregisteredError(ConfigError):
    """A configuration names an algorithm, a task family or a model that is not known here.

    No file makes the program import code: the user does.
    """

    advice = Advice.REGISTER

    def __init__(
        self, field: str, value: object, requirement: str = "must be built in or registered"
    ) -> None:
        super().__init__(field, value, requirement)


@dataclass(eq=False, repr=False)
class UnknownSettingError(LabError):
    """A setting does not exist; ``advice`` names the nearest or all that do."""

    where: str
    key: str
    advice: str

    @property
    def statement(self) -> str:
        return f"unknown setting {self.key!r} in {self.where}"


@dataclass(eq=False, repr=False)
class SubjectError(LabError):
    """Base of the errors that have a problem with one subject: a path, a run or a device."""

    subject: Path | str
    problem: str
    advice: str = ""

    @property
    def statement(self) -> str:
        return f"{self.subject}: {self.problem}"


class ConfigFileError(SubjectError):
    """A configuration file cannot be read."""


@dataclass(eq=False, repr=False)
class CheckpointError(SubjectError):
    """A checkpoint cannot be read."""

    advice: str = Advice.OTHER_CHECKPOINT


@dataclass(eq=False, repr=False)
class UnregisteredCheckpointError(CheckpointError):
    """A checkpoint of a run with code of the user's own, which is not known here."""

    advice: str = Advice.REGISTER


class RunFolderError(SubjectError):
    """A run folder cannot be created, read or written."""


class EngineError(SubjectError):
    """An engine or a device cannot do what was asked of it."""


class ClusterError(SubjectError):
    """The workers of a cluster cannot do what was asked of them."""


class QuestionError(SubjectError):
    """A question has no answer."""


@dataclass(eq=False, repr=False)
class SessionError(LabError):
    """A session cannot do what it is asked."""

    problem: str
    advice: str = ""

    @property
    def statement(self) -> str:
        return self.problem


def unexpected(error: BaseException) -> str:
    """Return one line about an unexpected error, with the place that raised it.

    That of a user's own code is in their words. No file is read: reading may be what failed.
    """
    import traceback  # late: nothing is wrong in most processes

    if is_of_user(error):
        return in_words(error)
    places = list(traceback.walk_tb(error.__traceback__))
    place = f" in {Path(places[-1][0].f_code.co_filename).name}:{places[-1][1]}" if places else ""
    return f"internal error{place}: {type(error).__name__}: {error}"


USER_FILES: set[str] = set()
"""The files of registered algorithms, families and models, which their users maintain."""


def in_words(error: BaseException) -> str:
    """Return an error in one line, with the last place in a user's own file on the way to it."""
    message = " ".join(str(error).split())
    return f"{''.join(_own_places(error)[-1:])}{type(error).__name__}: {message}"


def _own_places(error: BaseException) -> list[str]:
    import traceback

    return [
        f"{frame.f_code.co_filename}:{line}: "
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename in USER_FILES
    ]


def is_of_user(error: BaseException) -> bool:
    """Return True for an error that passed through a user's own file."""
    return bool(_own_places(error))


def is_own(definition: Callable[..., object]) -> bool:
    """Return True for a class or a function of a user's own file."""
    module = sys.modules.get(definition.__module__)
    return getattr(module, "__file__", None) in USER_FILES


def place_of(definition: Callable[..., object]) -> str:
    """Return file and line of a function or a class, or its module if it has no file."""
    import inspect

    try:
        return f"{inspect.getsourcefile(definition)}:{inspect.getsourcelines(definition)[1]}"
    except (OSError, TypeError):  # typed in at a prompt
        return definition.__module__


def traceback_of(error: BaseException) -> str:
    """Return the traceback of ``error``, or one line if it cannot be formatted.

    It quotes the sources, and reading may be what failed.
    """
    import traceback

    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return unexpected(error)


def reason(error: Exception) -> str:
    """Return why something failed: of an ``OSError`` the system's reason, without the path."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) if isinstance(error, LabError) else unexpected(error)
