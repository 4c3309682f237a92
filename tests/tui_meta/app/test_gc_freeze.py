"""What modules hold is not searched for garbage, whenever they were loaded."""

import gc
import sys
from types import ModuleType

import pytest

from tui_meta.app.gc_freeze import ModuleFreezer


@pytest.fixture(autouse=True)
def thawed() -> None:
    """Nothing is spared before a test."""
    gc.unfreeze()


def test_modules_are_spared_when_no_more_of_them_come(monkeypatch: pytest.MonkeyPatch) -> None:
    spared = ModuleFreezer()
    spared.look()
    monkeypatch.setitem(sys.modules, "one_more", ModuleType("one_more"))
    spared.look()
    assert gc.get_freeze_count() == 0
    spared.look()
    assert gc.get_freeze_count() > 0


def test_modules_that_come_later_are_spared_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    spared = ModuleFreezer()
    spared.look()
    spared.look()
    before = gc.get_freeze_count()
    late = [[] for _ in range(1_000)]
    monkeypatch.setitem(sys.modules, "late", ModuleType("late"))
    spared.look()
    spared.look()
    assert gc.get_freeze_count() >= before + len(late)


def test_while_nothing_is_loaded_what_is_made_stays_to_be_collected() -> None:
    spared = ModuleFreezer()
    spared.look()
    spared.look()
    made = [[] for _ in range(1_000)]
    before = gc.get_freeze_count()
    spared.look()
    assert gc.get_freeze_count() == before
    assert made
