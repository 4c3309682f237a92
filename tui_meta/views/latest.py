"""Remembers what was made last."""

from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Latest(Generic[Result]):
    """A result that is made again only from other inputs."""

    def __init__(self) -> None:
        self._made: tuple[tuple[object, ...], Result] | None = None

    def of(self, inputs: tuple[object, ...], make: Callable[[], Result]) -> Result:
        """Return what ``make`` returned for these inputs, if they are the latest."""
        if self._made is None or self._made[0] != inputs:
            self._made = inputs, make()
        return self._made[1]
