"""Classes by name, each imported when it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import TypeVar

T = TypeVar("T")


class Registry(MutableMapping[str, type[T]]):
    """Classes by name; one of ``places`` may be a module and a name, ``core.tasks.sine:SineTasks``.

    A start needs few of the algorithms and task families, and to create a dataclass takes a
    millisecond.
    """

    def __init__(self, places: Mapping[str, type[T] | str]) -> None:
        self.places = dict(places)

    def __getitem__(self, name: str) -> type[T]:
        place = self.places[name]
        if isinstance(place, str):
            module, _, kind = place.partition(":")
            place = self.places[name] = getattr(import_module(module), kind)
        return place

    def __setitem__(self, name: str, kind: type[T]) -> None:
        self.places[name] = kind

    def __delitem__(self, name: str) -> None:
        del self.places[name]

    def __contains__(self, name: object) -> bool:
        return name in self.places

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)
