"""When garbage is searched for: not while a key is handled."""

import gc

SEARCH_SECONDS = 0.5
"""Between two looks whether a search is due."""

_YOUNG = 10_000
"""Objects that were created and live since the last search: the next one is due."""

_LIMITS = (200_000, 20, 100)
"""Searches by Python itself, where no other moment came for long; searches of younger objects
before one of older ones.
"""


def freeze_modules() -> None:
    """Exclude what modules hold from the search, which visits all live objects.

    With 100,000 objects of libraries it took 25 ms, with PyTorch's twice as long.
    """
    gc.freeze()
    gc.set_threshold(*_LIMITS)


def collect_garbage() -> None:
    """Search for garbage if that is due: in what is young, now and then also in what is older.

    Nothing is searched until modules are frozen. Python itself searches while objects are created,
    which keys do most: with a hundred runs once in ten seconds, for 15 ms of processor time.
    """
    young, searches, larger = gc.get_count()
    if young > _YOUNG and gc.get_freeze_count():
        gc.collect(2 if larger > _LIMITS[2] else 1 if searches > _LIMITS[1] else 0)
