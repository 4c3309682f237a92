"""Registries import a class when it is needed, by the name that it has."""

import pytest

from core.algorithms.registry import ALGORITHMS
from core.config import TABLES
from core.registry import Registry
from core.tasks.registry import FAMILIES, FAMILY_TABLES
from core.tasks.sine import SineTasks


def test_a_class_is_imported_when_it_is_needed() -> None:
    registry = Registry[SineTasks]({"sine": "core.tasks.sine:SineTasks"})
    assert list(registry) == ["sine"]
    assert "sine" in registry
    assert registry.places == {"sine": "core.tasks.sine:SineTasks"}
    assert registry["sine"] is SineTasks
    assert registry.places == {"sine": SineTasks}


def test_a_registry_is_a_mapping_that_can_be_added_to() -> None:
    registry = Registry[object]({"int": int})
    registry["text"] = str
    assert {**registry} == {"int": int, "text": str}
    del registry["int"]
    assert len(registry) == 1
    assert registry.get("int") is None
    with pytest.raises(KeyError):
        registry["int"]


def test_names_and_tables_are_those_of_the_classes() -> None:
    assert [*ALGORITHMS] == [kind.name for kind in ALGORITHMS.values()]
    assert [*FAMILIES] == [kind.name for kind in FAMILIES.values()]
    assert [*FAMILY_TABLES] == [kind.table for kind in FAMILIES.values()]
    assert TABLES.items() >= {**ALGORITHMS, **FAMILY_TABLES}.items()
