"""Remembers what was made last."""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Recent(Generic[Result]):
    """The last few results, each of which is made again only from other inputs."""

    def __init__(self, most: int = 4) -> None:
        self._made: deque[tuple[tuple[object, ...], Result]] = deque(maxlen=most)

    def of(self, inputs: tuple[object, ...], make: Callable[[], Result]) -> Result:
        """Return what ``make`` returned for these inputs, if that is remembered."""
        for known, result in self._made:
            if known == inputs:
                return result
        self._made.appendleft((inputs, make()))
        return self._made[0][1]
