"""Settings of the command line alone: which runs to start, and where they are stored."""

from dataclasses import dataclass

from core import validation
from core.algorithms.registry import DEFAULT_ALGORITHMS
from core.errors import ConfigError
from core.settings import setting
from core.tasks.registry import DEFAULT_FAMILY, FAMILIES


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Runs to start, and where they are stored."""

    algorithms: tuple[str, ...] = setting(
        DEFAULT_ALGORITHMS, help="Algorithms to train side by side, also FILE.py:NAME"
    )
    out: str = setting("checkpoints", help="Parent folder for run folders")
    name: str | None = setting(
        None, help="Run name suffix: folders become fomaml-NAME, reptile-NAME (default: the time)"
    )
    pace: float | None = setting(
        None,
        help="Iterations per second of each run (default: full speed, but of a user's first runs)",
    )

    def __post_init__(self) -> None:
        if not self.out.isprintable():
            raise ConfigError("out", self.out, "must be the name of a folder")
        validation.pace("pace", self.pace)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What runs take from a protocol, what they differ in, and what they learn on, as flags."""

    protocol: str | None = setting(
        None, help="Protocol of a publication, for all settings that are not given"
    )
    seeds: tuple[int, ...] = setting(
        (), help="Seeds of each run: a list, or how many, counted from --seed"
    )
    sweep: tuple[str, ...] = setting(
        (), help="Values of a setting, as reptile.inner-lr=0.005,0.02; several form a grid"
    )
    tasks: str = setting(
        DEFAULT_FAMILY,
        help=f"Task family: {', '.join(FAMILIES)}, several with + between, or FILE.py:NAME",
    )


def flag_of(key: str) -> str:
    """Return the flag of a setting, ``--fomaml.inner-lr`` for ``fomaml.inner_lr``."""
    return f"--{key.replace('_', '-')}"
