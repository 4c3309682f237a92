"""Textual still parses style sheets again that it has parsed."""

import pytest
from textual.app import App
from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

from tui_meta.upstream.style_sheets import ParsedOnce, WithParsedOnce


@pytest.mark.parametrize(("kind", "times"), [(Stylesheet, 2), (ParsedOnce, 1)])
def test_textual_still_parses_for_the_same_variables(
    kind: type[Stylesheet], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = list[object]()
    monkeypatch.setattr("textual.css.stylesheet.parse", lambda *_, **__: parsed.append(1) or [])
    variables = {"of": kind.__name__}
    sheet = kind(variables=variables)
    sheet._parse_cache = LRUCache(1)  # tests share that of the same variables
    sheet.add_source("Static { width: 1; }")
    sheet.parse()
    sheet.set_variables(dict(variables))
    sheet.reparse()
    assert len(parsed) == times


def test_other_variables_are_other_rules() -> None:
    sheet = ParsedOnce(variables={"size": "1"})
    sheet.add_source("Static { width: $size; }")
    assert "width: 1" in sheet.css
    sheet.set_variables({"size": "2"})
    sheet.reparse()
    assert "width: 2" in sheet.css


def test_an_application_parses_its_sheets_once() -> None:
    assert type(App[None]().stylesheet) is Stylesheet
    assert type(WithParsedOnce().stylesheet) is ParsedOnce
